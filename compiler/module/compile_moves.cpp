#include "compiler/codegen/copy.h"
#include "compiler/codegen/moves.h"
#include "compiler/module/module_compiler.h"

namespace dvmsim {
namespace {

constexpr std::size_t kCopiesPerProgram = 16;
constexpr std::size_t kMostCopyDims = 8;  // each takes scalar registers

/// As many as leave most of UB to the tiles.
std::size_t copies_per_program(const Machine& machine) {
  constexpr std::int64_t kBytesOfCode = 1024;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(
      machine.ub.size.count() / 4 / kBytesOfCode, 1, std::int64_t{kCopiesPerProgram}));
}

/// "64x128, 16 f16".
std::string boxes_of(const CopyKernel& kernel) {
  std::vector<std::string> boxes;
  for (const ViewCopy& each : kernel.copies) {
    boxes.push_back(fmt::format("{}", fmt::join(normalized(each).dims, "x")));
  }
  return fmt::format("{} {}", fmt::join(boxes, ", "), name_of(kernel.dtype));
}

}  // namespace

CopyPlan ModuleCompiler::plan_moves(const std::string& kernel, std::span<const CopyLimits> limits,
                                    const std::string& note, const ScheduleMoves& schedule) {
  const Overridden of = overridden(kernel, KernelKind::Copy);
  const CopyChoice choice = of.choice<CopyChoice>();
  const int cores = vector_cores();
  const auto refused = [&](const std::string& why) {
    if (!why.empty()) refuse(of, kernel, why, choice_of(schedule(cores, {})));
  };
  if (of.by != nullptr) refused(impossible(limits, cores, choice));
  CopyPlan plan = schedule(choice.cores.value_or(cores), choice);
  if (of.by != nullptr) refused(misfit(plan, machine_, choice));
  if (is_asked(of)) {
    ScheduleDecision decision;
    decision.kernel = kernel;
    decision.note = note;
    decision.choice = choice_of(plan);
    note_decision(of, std::move(decision));
  }
  return plan;
}

void ModuleCompiler::copy(const std::string& label, DType dtype, const std::vector<int>& inputs,
                          const std::vector<int>& outputs, const std::vector<ViewCopy>& copies) {
  for (const ViewCopy& each : copies) {
    if (normalized(each).dims.size() > kMostCopyDims) {
      throw Error(
          fmt::format("a move along more than {} dimensions; make it in two steps", kMostCopyDims));
    }
  }
  const std::size_t most = copies_per_program(machine_);
  for (std::size_t begin = 0; begin < copies.size(); begin += most) {
    CopyKernel kernel{label, dtype, {}, {}, {}};
    kernel.copies.assign(
        copies.begin() + static_cast<std::ptrdiff_t>(begin),
        copies.begin() + static_cast<std::ptrdiff_t>(std::min(copies.size(), begin + most)));
    // Only the tensors these copies touch.
    std::map<int, int> in, out;
    std::vector<ModuleArgument> arguments, stores;
    for (ViewCopy& each : kernel.copies) {
      if (!each.fill) {
        const int tensor = inputs[static_cast<std::size_t>(each.input)];
        const auto [slot, added] = in.try_emplace(tensor, static_cast<int>(in.size()));
        if (added) arguments.push_back(at(tensor));
        if (added) kernel.inputs.push_back(module_.tensors[static_cast<std::size_t>(tensor)].name);
        each.input = slot->second;
      }
      const int tensor = outputs[static_cast<std::size_t>(each.output)];
      const auto [slot, added] = out.try_emplace(tensor, static_cast<int>(out.size()));
      if (added) stores.push_back(at(tensor));
      if (added) kernel.outputs.push_back(module_.tensors[static_cast<std::size_t>(tensor)].name);
      each.output = slot->second;
    }
    arguments.insert(arguments.end(), stores.begin(), stores.end());
    std::vector<CopyLimits> limits;
    for (const ViewCopy& each : kernel.copies) {
      limits.push_back(limits_of(normalized(each), machine_));
    }
    const CopyPlan plan =
        plan_moves(label, limits, boxes_of(kernel), [&](int cores, const CopyChoice& choice) {
          return schedule_copies(kernel, machine_, cores, choice);
        });
    note(fmt::format("copy {}: {} boxes on {} cores\n", label, kernel.copies.size(), plan.cores));
    launch(emit_copy(kernel, plan, machine_), std::move(arguments), 0, plan.cores, label);
  }
}

void ModuleCompiler::compile_copies(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  const std::vector<ValueId> used = outputs_of(*scope.graph, group);
  std::vector<int> inputs, outputs;
  const bool joins = node.op == Op::Concat;
  for (std::size_t i = 0; i < (joins ? node.inputs.size() : 1); ++i) {
    inputs.push_back(base_of(scope, node.inputs[i]));
  }
  std::vector<ViewCopy> copies = copies_of(*scope.graph, node, *scope.views);
  std::erase_if(copies, [&](const ViewCopy& each) {
    const ValueId output = node.outputs[static_cast<std::size_t>(each.output)];
    const ValueId input = node.inputs[static_cast<std::size_t>(each.input)];
    const bool is_there =
        scope.views->base_of(input) == scope.views->base_of(output) && is_in_place(each);
    return is_there || std::find(used.begin(), used.end(), output) == used.end();
  });
  for (ValueId output : node.outputs) {
    const bool is_used = std::find(used.begin(), used.end(), output) != used.end();
    outputs.push_back(is_used ? base_of(scope, output) : -1);
  }
  copy(node.name, scope.graph->value(node.outputs[0]).type.dtype, inputs, outputs, copies);
}

void ModuleCompiler::copy_whole(const std::string& label, int from, int to) {
  const ModuleTensor& tensor = module_.tensors[static_cast<std::size_t>(from)];
  ViewCopy all;
  all.dims = {element_count(tensor.shape)};
  all.in_stride = all.out_stride = {1};
  if (all.dims[0] > 0) copy(label, tensor.dtype, {from}, {to}, {all});
}

namespace {

/// Numbers counted from 0.
Sizes numbers_of(const std::string& where, const Tensor& indices, std::int64_t size) {
  Sizes numbers = indices.ints();
  for (std::int64_t& number : numbers) {
    if (number < -size || number >= size) {
      throw Error(
          fmt::format("{}: index {} is outside a dimension of {} elements", where, number, size));
    }
    number += number < 0 ? size : 0;
  }
  return numbers;
}

std::vector<ViewCopy> copies_of_rows(const GatherKernel& kernel, const Sizes& numbers) {
  std::vector<ViewCopy> copies;
  std::int64_t place = 0;
  for (const std::int64_t number : numbers) {
    ViewCopy row;
    row.dims = {kernel.outer, kernel.inner};
    row.in_stride = {kernel.axis * kernel.inner, 1};
    row.out_stride = {kernel.count * kernel.inner, 1};
    row.in_offset = number * kernel.inner;
    row.out_offset = place++ * kernel.inner;
    copies.push_back(std::move(row));
  }
  return copies;
}

}  // namespace

/// Many short rows at known places are gathered element by element: a DMA for each costs more.
bool ModuleCompiler::gather_elements(const GatherKernel& kernel, const Sizes& numbers, int from,
                                     int to) {
  constexpr std::int64_t kShort = 256, kFew = 64;  // elements
  const std::int64_t all = kernel.count * kernel.inner;
  const bool many = kernel.count > static_cast<std::int64_t>(kCopiesPerProgram) ||
                    (kernel.inner == 1 && kernel.outer * all > kFew);
  const RowGatherKernel elements{
      kernel.name, kernel.dtype, DType::I32, kernel.outer, kernel.axis * kernel.inner, all, true};
  if (!many || kernel.inner > kShort || !fits(elements, machine_)) return false;
  Sizes places;
  for (const std::int64_t number : numbers) {
    for (std::int64_t i = 0; i < kernel.inner; ++i) places.push_back(number * kernel.inner + i);
  }
  const int index =
      add_tensor(ModuleTensor::Kind::Constant, kernel.name + ".places", DType::I32, {all});
  module_.constants.push_back({index, Tensor::of_ints(DType::I32, {all}, places), std::nullopt});
  row_gather(elements, from, index, to);
  return true;
}

void ModuleCompiler::compile_gather(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes data = known_shape(graph.value(node.inputs[0]));
  const Value& indices = graph.value(node.inputs[1]);
  const std::int64_t rank = static_cast<std::int64_t>(data.size());
  const std::int64_t axis = node.int_of("axis") + (node.int_of("axis") < 0 ? rank : 0);
  GatherKernel kernel{node.name, graph.value(node.inputs[0]).type.dtype, indices.type.dtype};
  for (std::int64_t i = 0; i < rank; ++i) {
    (i < axis    ? kernel.outer
     : i == axis ? kernel.axis
                 : kernel.inner) *= data[static_cast<std::size_t>(i)];
  }
  kernel.count = element_count(known_shape(indices));
  if (kernel.outer * kernel.count * kernel.inner == 0) return;
  const int from = tensor_of(scope, node.inputs[0]), to = tensor_of(scope, node.outputs[0]);
  if (indices.kind == ValueKind::Constant) {
    const Sizes numbers = numbers_of(describe(graph, node), constant_tensor(indices), kernel.axis);
    if (gather_elements(kernel, numbers, from, to)) return;
    if (kernel.count <= static_cast<std::int64_t>(kCopiesPerProgram)) {
      return copy(node.name, kernel.dtype, {from}, {to}, copies_of_rows(kernel, numbers));
    }
  }
  const RowGatherKernel elements{
      node.name, kernel.dtype, kernel.index_type, kernel.outer, kernel.axis, kernel.count, true};
  if (kernel.inner == 1 && fits(elements, machine_)) {  // single elements: not a DMA for each
    return row_gather(elements, from, tensor_of(scope, node.inputs[1]), to);
  }
  const CopyLimits limits = limits_of(kernel, machine_);
  const CopyPlan plan = plan_moves(node.name, {&limits, 1},
                                   fmt::format("rows of {}x{}x{} {}", kernel.outer, kernel.count,
                                               kernel.inner, name_of(kernel.dtype)),
                                   [&](int cores, const CopyChoice& choice) {
                                     return schedule_gather(kernel, machine_, cores, choice);
                                   });
  launch(emit_gather(kernel, plan, machine_),
         {at(from), at(tensor_of(scope, node.inputs[1])), at(to)}, 0, plan.cores, node.name);
}

}  // namespace dvmsim
