#include "compiler/codegen/compile.h"

#include <algorithm>

#include "compiler/codegen/matmul.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/module_compiler.h"
#include "compiler/codegen/vector.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/product.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Ranking a product's tiles takes the host about as long as ranking so many of a vector kernel.
constexpr std::int64_t kTilesOfAProduct = 64;

}  // namespace

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
    case GroupKind::Window:
      compile_pool(scope, group);
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

MatmulSchedule ModuleCompiler::schedule_product(const MatmulSpec& spec, const std::string& label) {
  if (machine_.step(spec.in).m == 0) {
    throw Error(fmt::format(
        "node '{}': the cube of {} does not multiply {}; run it in another type, --dtype f16",
        label, machine_.name, name_of(spec.in)));
  }
  MatmulSchedule schedule =
      options_.tiling == Tiling::Dvm ? choose_dvm(spec, machine_) : choose_cost(spec, machine_);
  schedule.cores = worthwhile_cores(spec, schedule);
  work_.tiles += kTilesOfAProduct;
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
  const bool rectified = is_rectified(*scope.graph, group);
  const Node& node = scope.graph->node(group.nodes.front());
  const bool convolves = node.op == Op::ConvLast;
  if (convolves && (rectified || group.nodes.size() == 1)) return compile_windows(scope, group);
  if (!rectified && group.nodes.size() > 1) return compile_mix(scope, group);
  Product product = product_of(*scope.graph, node);
  if (rectified) product.spec.post = isa::Post::Relu;
  const int a = tensor_of(scope, node.inputs[0]), b = tensor_of(scope, node.inputs[1]);
  const int c = tensor_of(scope, scope.graph->node(group.nodes.back()).outputs[0]);
  const int bias = product.spec.bias ? tensor_of(scope, node.inputs[2]) : -1;
  for (const auto& [offset_a, offset_b, offset_c] : product.launches) {
    multiply(product.spec, node.name, at(a, offset_a), at(b, offset_b), at(c, offset_c), bias);
  }
}

void ModuleCompiler::compile_mix(Scope& scope, const Group& group) {
  auto mix = mix_of(*scope.graph, group, machine_);
  DVMSIM_ASSERT(mix.has_value(), "a group of the partition lowers");
  const Node& node = scope.graph->node(mix->product);
  if (node.op == Op::ConvLast) return compile_window_mix(scope, group, std::move(*mix));
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

Module compile(const Graph& graph, const Machine& machine, const CompileOptions& options,
               CompileWork* work) {
  CompileWork ignored;
  return ModuleCompiler(machine, options, work == nullptr ? ignored : *work).run(graph);
}

}  // namespace dvmsim
