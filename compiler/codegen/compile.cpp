#include "compiler/codegen/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "compiler/codegen/copy.h"
#include "compiler/codegen/matmul.h"
#include "compiler/codegen/memory_plan.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/moves.h"
#include "compiler/codegen/vector.h"
#include "compiler/schedule/conv.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/product.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

constexpr std::size_t kCopiesPerProgram = 16;
constexpr std::size_t kMostCopyDims = 8;  // each takes scalar registers

/// As many as leave most of UB to the tiles.
std::size_t copies_per_program(const Machine& machine) {
  constexpr std::int64_t kBytesOfCode = 1024;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(
      machine.ub.size.count() / 4 / kBytesOfCode, 1, std::int64_t{kCopiesPerProgram}));
}

class ModuleCompiler {
 public:
  ModuleCompiler(const Machine& machine, const CompileOptions& options, CompileWork& work)
      : machine_(machine), options_(options), work_(work) {}

  Module run(const Graph& graph) {
    module_.name = graph.name;
    module_.machine = options_.machine_hash != 0 ? options_.machine_hash : hash_of(machine_);
    const Graph lowered = run_passes(graph, {machine_}, options_.observer);
    Scope scope{&lowered, {}};
    for (ValueId input : lowered.inputs) {
      const int tensor = add_tensor(ModuleTensor::Kind::Input, lowered.value(input));
      module_.inputs.push_back(tensor);
      scope.tensors[input] = tensor;
    }
    steps_ = &module_.steps;
    compile_graph(scope);
    name_outputs(scope);
    module_.output_names = lowered.output_names;
    plan_memory(module_);
    return std::move(module_);
  }

 private:
  /// A graph being compiled and where its values are.
  struct Scope {
    const Graph* graph;
    std::map<ValueId, int> tensors;
  };

  [[nodiscard]] int vector_cores() const {
    if (machine_.cores.unified) return cube_cores();
    const int all = machine_.cores.vector;
    return options_.cores > 0
               ? std::min(all, options_.cores * std::max(1, machine_.cores.per_group))
               : all;
  }
  [[nodiscard]] int cube_cores() const {
    return options_.cores > 0 ? std::min(machine_.cores.cube, options_.cores) : machine_.cores.cube;
  }

  int add_tensor(ModuleTensor::Kind kind, const std::string& name, DType dtype, Sizes shape) {
    ModuleTensor tensor{kind, name, dtype, std::move(shape), 0, 0};
    tensor.bytes = element_count(tensor.shape) * size_of(dtype);
    module_.tensors.push_back(std::move(tensor));
    return static_cast<int>(module_.tensors.size()) - 1;
  }
  int add_tensor(ModuleTensor::Kind kind, const Value& value) {
    return add_tensor(kind, value.name, value.type.dtype, known_shape(value));
  }
  int workspace(const std::string& name, DType dtype, Sizes shape) {
    return add_tensor(ModuleTensor::Kind::Workspace, name, dtype, std::move(shape));
  }

  /// The tensor of a value: constants come into being when somebody reads them.
  int tensor_of(Scope& scope, ValueId id) {
    const auto found = scope.tensors.find(id);
    if (found != scope.tensors.end()) return found->second;
    const Value& value = scope.graph->value(id);
    if (value.kind == ValueKind::Constant) {
      const int tensor = add_tensor(ModuleTensor::Kind::Constant, value);
      module_.constants.push_back({tensor, value.tensor, value.fill});
      return scope.tensors[id] = tensor;
    }
    return scope.tensors[id] = add_tensor(ModuleTensor::Kind::Workspace, value);
  }

  int add_program(Program program) {
    work_.words += static_cast<std::int64_t>(program.cube.size() + program.vector.size());
    for (std::size_t i = 0; i < module_.programs.size(); ++i) {
      const Program& known = module_.programs[i];
      if (known.cube == program.cube && known.vector == program.vector &&
          known.arguments.size() == program.arguments.size()) {
        return static_cast<int>(i);
      }
    }
    program.machine = module_.machine;
    module_.programs.push_back(std::move(program));
    return static_cast<int>(module_.programs.size()) - 1;
  }

  void launch(Program program, std::vector<ModuleArgument> arguments, int cube, int vector,
              const std::string& label) {
    ModuleStep step;
    step.program = add_program(std::move(program));
    step.path = options_.path;
    // Unified cores are counted as cube cores, whatever they run.
    step.cube_cores = machine_.cores.unified ? cube + vector : cube;
    step.vector_cores = machine_.cores.unified ? 0 : vector;
    step.arguments = std::move(arguments);
    step.label = label;
    steps_->push_back(std::move(step));
  }
  static ModuleArgument at(int tensor, std::int64_t offset = 0) {
    return {ModuleArgument::Kind::Tensor, tensor, offset};
  }
  static std::vector<ModuleArgument> scalars(const std::vector<std::uint64_t>& words) {
    std::vector<ModuleArgument> arguments;
    for (std::uint64_t word : words) {
      arguments.push_back({ModuleArgument::Kind::Scalar, 0, static_cast<std::int64_t>(word)});
    }
    return arguments;
  }
  MatmulSchedule schedule_product(const MatmulSpec& spec, const std::string& label);
  [[nodiscard]] int worthwhile_cores(const MatmulSpec& spec, MatmulSchedule schedule) const;
  void note(const std::string& text) {
    if (options_.schedules != nullptr) *options_.schedules += text;
  }

  void compile_graph(Scope& scope);
  void compile_group(Scope& scope, const Group& group);
  void compile_vector(Scope& scope, const Group& group);
  void compile_copies(Scope& scope, const Group& group);
  void compile_gather(Scope& scope, const Group& group);
  void compile_product(Scope& scope, const Group& group);
  void compile_mix(Scope& scope, const Group& group);
  void compile_conv(Scope& scope, const Group& group);
  void compile_branch(Scope& scope, const Group& group);
  void copy(const std::string& label, DType dtype, const std::vector<int>& inputs,
            const std::vector<int>& outputs, const std::vector<ViewCopy>& copies);
  void copy_whole(const std::string& label, int from, int to);
  void multiply(const MatmulSpec& spec, const std::string& label, ModuleArgument a,
                ModuleArgument b, ModuleArgument c, int bias);
  void name_outputs(Scope& scope);

  const Machine& machine_;
  const CompileOptions& options_;
  CompileWork& work_;
  Module module_{};
  std::vector<ModuleStep>* steps_ = nullptr;
};

void ModuleCompiler::compile_graph(Scope& scope) {
  const Partition found = partition(*scope.graph, machine_, options_.fusion);
  if (options_.groups != nullptr) *options_.groups += to_text(*scope.graph, found);
  work_.nodes += static_cast<std::int64_t>(scope.graph->nodes.size());
  for (const Group& group : found.groups) {
    const Node& first = scope.graph->node(group.nodes.front());
    if (group.kind == GroupKind::Alias) {
      scope.tensors[first.outputs[0]] = tensor_of(scope, first.inputs[0]);
      continue;
    }
    ++work_.groups;
    try {
      compile_group(scope, group);
    } catch (const Error& error) {
      const std::string text = error.what();
      if (text.starts_with("node '")) throw;
      throw Error(fmt::format("{}: {}", describe(*scope.graph, first), text));
    }
  }
}

void ModuleCompiler::compile_group(Scope& scope, const Group& group) {
  switch (group.kind) {
    case GroupKind::Vector:
      compile_vector(scope, group);
      break;
    case GroupKind::Cube:
      compile_product(scope, group);
      break;
    case GroupKind::Conv:
      compile_conv(scope, group);
      break;
    case GroupKind::Copy:
      compile_copies(scope, group);
      break;
    case GroupKind::Gather:
      compile_gather(scope, group);
      break;
    case GroupKind::Branch:
      compile_branch(scope, group);
      break;
    case GroupKind::Alias:
      break;
  }
}

void ModuleCompiler::compile_vector(Scope& scope, const Group& group) {
  auto lowered = lower(*scope.graph, group.nodes, outputs_of(*scope.graph, group));
  DVMSIM_ASSERT(lowered.has_value(), "a group of the partition lowers");
  lowered->kernel.name = label_of(*scope.graph, group);
  const VectorSchedule schedule = schedule_vector(lowered->kernel, machine_, vector_cores());
  work_.tiles += schedule.candidates;
  if (options_.schedules != nullptr) note(to_text(lowered->kernel) + to_text(schedule));
  std::vector<ModuleArgument> arguments;
  for (ValueId id : lowered->inputs) arguments.push_back(at(tensor_of(scope, id)));
  for (ValueId id : lowered->outputs) arguments.push_back(at(tensor_of(scope, id)));
  launch(emit_vector(lowered->kernel, schedule, vector_kind(machine_)), std::move(arguments), 0,
         schedule.cores, lowered->kernel.name);
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
    int cores = vector_cores();
    Program program = emit_copy(kernel, machine_, cores);
    note(fmt::format("copy {}: {} boxes on {} cores\n", label, kernel.copies.size(), cores));
    launch(std::move(program), std::move(arguments), 0, cores, label);
  }
}

void ModuleCompiler::compile_copies(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  const std::vector<ValueId> used = outputs_of(*scope.graph, group);
  std::vector<int> inputs, outputs;
  const bool joins = node.op == Op::Concat;
  for (std::size_t i = 0; i < (joins ? node.inputs.size() : 1); ++i) {
    inputs.push_back(tensor_of(scope, node.inputs[i]));
  }
  std::vector<ViewCopy> copies = copies_of(*scope.graph, node);
  std::erase_if(copies, [&](const ViewCopy& each) {
    const ValueId output = node.outputs[static_cast<std::size_t>(each.output)];
    return std::find(used.begin(), used.end(), output) == used.end();
  });
  for (ValueId output : node.outputs) {
    const bool is_used = std::find(used.begin(), used.end(), output) != used.end();
    outputs.push_back(is_used ? tensor_of(scope, output) : -1);
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
  if (indices.kind == ValueKind::Constant &&
      kernel.count <= static_cast<std::int64_t>(kCopiesPerProgram)) {
    std::vector<ViewCopy> copies;
    std::int64_t place = 0;
    for (std::int64_t index : constant_tensor(indices).ints()) {
      index += index < 0 ? kernel.axis : 0;
      if (index < 0 || index >= kernel.axis) {
        throw Error(fmt::format("{}: index {} is outside dimension {} of {} elements",
                                describe(graph, node), index, axis, kernel.axis));
      }
      ViewCopy row;
      row.dims = {kernel.outer, kernel.inner};
      row.in_stride = {kernel.axis * kernel.inner, 1};
      row.out_stride = {kernel.count * kernel.inner, 1};
      row.in_offset = index * kernel.inner;
      row.out_offset = place++ * kernel.inner;
      copies.push_back(std::move(row));
    }
    return copy(node.name, kernel.dtype, {from}, {to}, copies);
  }
  int cores = vector_cores();
  Program program = emit_gather(kernel, machine_, cores);
  launch(std::move(program), {at(from), at(tensor_of(scope, node.inputs[1])), at(to)}, 0, cores,
         node.name);
}

MatmulSchedule ModuleCompiler::schedule_product(const MatmulSpec& spec, const std::string& label) {
  if (machine_.step(spec.in).m == 0) {
    throw Error(fmt::format(
        "node '{}': the cube of {} does not multiply {}; run it in another type, --dtype f16",
        label, machine_.name, name_of(spec.in)));
  }
  MatmulSchedule schedule =
      options_.tiling == Tiling::Dvm ? choose_dvm(spec, machine_) : choose_cost(spec, machine_);
  schedule.cores = worthwhile_cores(spec, schedule);
  ++work_.tiles;
  return schedule;
}

/// Every core of a launch costs time to start: the count for which the product ends first.
int ModuleCompiler::worthwhile_cores(const MatmulSpec& spec, MatmulSchedule schedule) const {
  const MatmulEstimate estimate(spec, machine_);
  const auto start =
      static_cast<double>(cycles_in(machine_.launch.per_core, machine_.clock.core).count());
  const int most = std::min(schedule.cores, cube_cores());
  int best = most;
  double least = 0;
  for (int cores = most; cores >= 1; cores /= 2) {
    schedule.cores = cores;
    const double total = estimate.of(schedule).total + start * cores;
    if (cores == most || total < least) {
      least = total;
      best = cores;
    }
  }
  return best;
}

void ModuleCompiler::multiply(const MatmulSpec& spec, const std::string& label, ModuleArgument a,
                              ModuleArgument b, ModuleArgument c, int bias) {
  const MatmulSchedule schedule = schedule_product(spec, label);
  note(fmt::format("matmul {}: {}\n", label, to_string(schedule)));
  const bool macro = macro_can(spec);
  Program program = macro ? matmul_program(spec, schedule, machine_)
                          : matmul_loop_program(spec, schedule, machine_);
  std::vector<ModuleArgument> arguments =
      scalars(macro ? matmul_arguments(spec, schedule, {}) : matmul_loop_arguments({}));
  arguments[0] = a;
  arguments[1] = b;
  arguments[2] = c;
  if (bias >= 0) arguments[3] = at(bias);
  launch(std::move(program), std::move(arguments), schedule.cores, 0, label);
}

void ModuleCompiler::compile_product(Scope& scope, const Group& group) {
  if (group.nodes.size() > 1) return compile_mix(scope, group);
  const Node& node = scope.graph->node(group.nodes.front());
  const Product product = product_of(*scope.graph, node);
  const int a = tensor_of(scope, node.inputs[0]), b = tensor_of(scope, node.inputs[1]);
  const int c = tensor_of(scope, node.outputs[0]);
  const int bias = product.spec.bias ? tensor_of(scope, node.inputs[2]) : -1;
  for (const auto& [offset_a, offset_b, offset_c] : product.launches) {
    multiply(product.spec, node.name, at(a, offset_a), at(b, offset_b), at(c, offset_c), bias);
  }
}

void ModuleCompiler::compile_mix(Scope& scope, const Group& group) {
  auto mix = mix_of(*scope.graph, group);
  DVMSIM_ASSERT(mix.has_value(), "a group of the partition lowers");
  const Node& node = scope.graph->node(mix->product);
  MixKernel kernel{mix->plan.spec, std::move(mix->rest.kernel)};
  kernel.epilogue.name = label_of(*scope.graph, group);
  const MatmulSchedule schedule = schedule_product(kernel.product, node.name);
  note(fmt::format("mix {}: {}\n", kernel.epilogue.name, to_string(schedule)));
  if (options_.schedules != nullptr) note(to_text(kernel.epilogue));
  const int slots = workspace(node.name + ".slots", DType::U8, {mix_workspace_bytes(schedule)});
  std::vector<std::uint64_t> tensors(kernel.epilogue.inputs.size() - 1 +
                                     kernel.epilogue.outputs.size());
  std::vector<ModuleArgument> arguments = scalars(mix_arguments(kernel, schedule, {}, tensors));
  arguments[0] = at(tensor_of(scope, node.inputs[0]));
  arguments[1] = at(tensor_of(scope, node.inputs[1]));
  arguments[2] = at(slots);
  if (kernel.product.bias) arguments[3] = at(tensor_of(scope, node.inputs[2]));
  std::size_t next = arguments.size() - tensors.size();
  for (std::size_t i = 1; i < mix->rest.inputs.size(); ++i) {
    arguments[next++] = at(tensor_of(scope, mix->rest.inputs[i]));
  }
  for (ValueId id : mix->rest.outputs) arguments[next++] = at(tensor_of(scope, id));
  launch(mix_program(kernel, schedule, machine_), std::move(arguments), schedule.cores,
         schedule.cores * machine_.cores.per_group, kernel.epilogue.name);
}

void ModuleCompiler::compile_conv(Scope& scope, const Group& group) {
  const Graph& graph = *scope.graph;
  const Node& node = graph.node(group.nodes.front());
  const Sizes x = known_shape(graph.value(node.inputs[0])),
              w = known_shape(graph.value(node.inputs[1]));
  const std::size_t spatial = x.size() - 2;
  if (spatial != 1 && spatial != 2) {
    throw Error(fmt::format("{}: convolution over {} dimensions is not supported; 1 and 2 are",
                            describe(graph, node), spatial));
  }
  ConvSpec spec;
  spec.batch = x[0];
  spec.channels = x[1];
  spec.out_channels = w[0];
  spec.groups = node.int_of("groups");
  spec.in = graph.value(node.inputs[0]).type.dtype;
  spec.out = graph.value(node.outputs[0]).type.dtype;
  const Sizes strides = node.ints_of("strides", Sizes(spatial, 1));
  const Sizes dilations = node.ints_of("dilations", Sizes(spatial, 1));
  const Sizes pads = node.ints_of("pads", Sizes(2 * spatial, 0));
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::size_t to = i + 2 - spatial;
    spec.size[to] = x[i + 2];
    spec.kernel[to] = w[i + 2];
    spec.stride[to] = strides[i];
    spec.dilation[to] = dilations[i];
    spec.pad_begin[to] = pads[i];
    spec.pad_end[to] = pads[i + spatial];
  }
  const ConvPlan plan = plan_conv(spec);
  int input = tensor_of(scope, node.inputs[0]);
  const Sizes padded(plan.padded.begin(), plan.padded.end());
  if (plan.pads) {
    const int to = workspace(node.name + ".padded", spec.in, padded);
    copy(node.name + ".pad", spec.in, {input}, {to},
         pad_copies({spec.batch, spec.channels, spec.size[0], spec.size[1]}, padded,
                    {0, 0, spec.pad_begin[0], spec.pad_begin[1]}, "constant", 0));
    input = to;
  }
  if (plan.gathers) {
    const int to = workspace(node.name + ".columns", spec.in, {plan.column_elements});
    ViewCopy columns;
    columns.dims = plan.gather.dims;
    columns.in_stride = plan.gather.in_strides;
    columns.out_stride = plan.gather.out_strides;
    copy(node.name + ".img2col", spec.in, {input}, {to}, {columns});
    input = to;
  }
  multiply(plan.matmul, node.name, at(tensor_of(scope, node.inputs[1])), at(input),
           at(tensor_of(scope, node.outputs[0])), -1);
}

void ModuleCompiler::compile_branch(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  ModuleStep step;
  step.kind = ModuleStep::Kind::Branch;
  step.label = node.name;
  step.condition = tensor_of(scope, node.inputs[0]);
  std::vector<int> results;
  for (ValueId output : node.outputs) results.push_back(tensor_of(scope, output));
  std::vector<ModuleStep>* outer = steps_;
  for (std::size_t which = 0; which < 2; ++which) {
    const Graph branch = run_passes(node.subgraphs[which], {machine_});
    Scope inside{&branch, {}};
    for (std::size_t i = 0; i < branch.inputs.size(); ++i) {
      inside.tensors[branch.inputs[i]] = tensor_of(scope, node.inputs[i + 1]);
    }
    steps_ = which == 0 ? &step.then_steps : &step.else_steps;
    compile_graph(inside);
    for (std::size_t i = 0; i < branch.outputs.size(); ++i) {
      copy_whole(node.name, tensor_of(inside, branch.outputs[i]), results[i]);
    }
  }
  steps_ = outer;
  steps_->push_back(std::move(step));
}

void ModuleCompiler::name_outputs(Scope& scope) {
  const Graph& graph = *scope.graph;
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    const Value& value = graph.value(graph.outputs[i]);
    int tensor = tensor_of(scope, graph.outputs[i]);
    ModuleTensor& found = module_.tensors[static_cast<std::size_t>(tensor)];
    if (found.kind == ModuleTensor::Kind::Workspace) {
      found.kind = ModuleTensor::Kind::Output;
      found.shape = known_shape(value);
    } else {  // an input, a constant, or an output already
      const int result = add_tensor(ModuleTensor::Kind::Output, value);
      copy_whole("output " + graph.output_names[i], tensor, result);
      tensor = result;
    }
    module_.outputs.push_back(tensor);
  }
}

}  // namespace

Module compile(const Graph& graph, const Machine& machine, const CompileOptions& options,
               CompileWork* work) {
  CompileWork ignored;
  return ModuleCompiler(machine, options, work == nullptr ? ignored : *work).run(graph);
}

}  // namespace dvmsim
