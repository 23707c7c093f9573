#include "compiler/module/compile.h"

#include <algorithm>

#include "compiler/module/module_compiler.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

int nests_of(const Graph& graph, const Group& group) {
  const auto reductions = std::count_if(group.nodes.begin(), group.nodes.end(), [&](NodeId id) {
    return info_of(graph.node(id).op).pattern == Pattern::Reduction;
  });
  return 1 + static_cast<int>(reductions);
}

}  // namespace

FusionHints hints_of(const CompileOptions& options) {
  return options.overrides == nullptr ? FusionHints{} : FusionHints(options.overrides->hints);
}

std::int64_t launches_of(const std::vector<ModuleStep>& steps) {
  std::int64_t count = 0;
  for (const ModuleStep& step : steps) {
    count += step.kind == ModuleStep::Kind::Launch
                 ? 1
                 : std::max(launches_of(step.then_steps), launches_of(step.else_steps));
  }
  return count;
}

/// The operator that the framework runs the node for, if it is one that is launched by itself.
int ModuleCompiler::operator_of(Scope& scope, const PlannedGraph& planned, const Node& node) {
  if (options_.fusion != Fusion::PerOperator) return -1;
  const auto [known, is_new] =
      scope.operators.emplace(node.name, static_cast<int>(module_.operators.size()));
  if (!is_new) return known->second;
  ModuleOperator made;
  for (const Rerolled& rerolled : planned.rerolled) {
    if (rerolled.name == node.name) made = {std::string(rerolled.kind), rerolled.written};
  }
  module_.operators.push_back(std::move(made));
  return known->second;
}

void ModuleCompiler::compile_graph(Scope& scope, const PlannedGraph& planned) {
  if (options_.groups != nullptr) *options_.groups += to_text(*scope.graph, planned.partition);
  if (options_.remarks != nullptr) options_.remarks->push_back(remarks_of(planned));
  work_.nodes += static_cast<std::int64_t>(scope.graph->nodes.size());
  const bool is_told = options_.overrides != nullptr && !options_.overrides->kernels.empty();
  may_repeat_ = planned.partition.groups.size() > 1 && options_.schedules == nullptr &&
                options_.decisions == nullptr && !is_told;
  const std::vector<int> shares = shares_of_cores(planned);
  for (std::size_t i = 0; i < planned.partition.groups.size(); ++i) {
    const Group& group = planned.partition.groups[i];
    share_ = shares.empty() ? 0 : shares[i];
    const Node& first = scope.graph->node(group.nodes.front());
    if (group.kind == GroupKind::View) continue;
    if (group.kind == GroupKind::Alias) {
      if (scope.views->find(first.outputs[0]) != nullptr) continue;
      scope.tensor(first.outputs[0]) = tensor_of(scope, first.inputs[0]);
      continue;
    }
    ++work_.groups;
    operation_ = operator_of(scope, planned, first);
    const std::size_t programs = module_.programs.size();
    try {
      if (group.kind == GroupKind::Vector) {
        compile_vector(scope, planned.kernels[i], i);
      } else {
        compile_group(scope, group);
      }
    } catch (const Error& error) {
      const std::string text = error.what();
      const bool by_user = options_.overrides != nullptr && options_.overrides->says(text);
      if (text.starts_with("node '") || by_user) throw;
      throw Error(fmt::format("{}: {}", describe(*scope.graph, first), text));
    }
    work_.kernels.push_back({group.kind, nests_of(*scope.graph, group),
                             static_cast<int>(module_.programs.size() - programs)});
  }
  operation_ = -1;
  share_ = 0;
}

void ModuleCompiler::compile_group(Scope& scope, const Group& group) {
  switch (group.kind) {
    case GroupKind::Cube:
      compile_product(scope, group);
      break;
    case GroupKind::Grouped:
      compile_grouped(scope, group);
      break;
    case GroupKind::Attention:
      compile_attention(scope, group);
      break;
    case GroupKind::Chain:
      compile_chain(scope, group);
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
    case GroupKind::RowGather:
      compile_row_gather(scope, group);
      break;
    case GroupKind::Top:
      compile_top(scope, group);
      break;
    case GroupKind::Scatter:
      compile_scatter(scope, group);
      break;
    case GroupKind::Branch:
      compile_branch(scope, group);
      break;
    case GroupKind::Vector:
    case GroupKind::Alias:
    case GroupKind::View:
      break;
  }
}

/// Memory, and which launches become one.
void ModuleCompiler::link() {
  const bool all = options_.features.has(Feature::OneLaunch);
  const bool links = all || options_.features.has(Feature::Stack);
  if (!links || options_.path == CodePath::Native || module_.steps.size() < 2) {
    plan_memory(module_);
    return;
  }
  const StepOrder order(module_);
  plan_memory(module_, &order);
  link_tasks(module_, machine_, order, all ? Linking::All : Linking::Stack);
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
    std::vector<Rerolled> rerolled;
    const PassContext context = pass_context(machine_, options_, rerolled);
    PlannedGraph planned =
        plan_graph(run_passes(node.subgraphs[which], context, options_.observer), machine_,
                   options_.fusion, options_.features, hints_of(options_));
    planned.rerolled = std::move(rerolled);
    const Graph& branch = planned.graph;
    Scope inside(planned);
    for (std::size_t i = 0; i < branch.inputs.size(); ++i) {
      inside.tensor(branch.inputs[i]) = tensor_of(scope, node.inputs[i + 1]);
    }
    steps_ = which == 0 ? &step.then_steps : &step.else_steps;
    compile_graph(inside, planned);
    repeats_.clear();  // its kernels go
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

}  // namespace dvmsim
