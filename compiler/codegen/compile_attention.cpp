// Attention of a module: one program whose cores pass blocks through slots of a workspace.
#include "compiler/codegen/attention.h"
#include "compiler/codegen/module_compiler.h"
#include "compiler/schedule/attention_node.h"

namespace dvmsim {

void ModuleCompiler::compile_attention(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  std::vector<ValueType> types;
  for (ValueId id : node.inputs) {
    types.push_back(id == kNoValue ? ValueType{} : scope.graph->value(id).type);
  }
  if (const std::string why = attention_problem(node, types, machine_); !why.empty()) {
    throw Error(fmt::format("{}: it cannot be one program: {}", describe(*scope.graph, node), why));
  }
  const AttentionSpec spec = attention_of(node, types);
  const AttentionSchedule schedule = schedule_attention(spec, machine_, cube_cores());
  work_.tiles += schedule.candidates;
  note(to_text(spec, schedule));
  const int slots =
      workspace(node.name + ".slots", DType::U8, {attention_workspace_bytes(spec, schedule)});
  std::vector<ModuleArgument> arguments = scalars(attention_arguments(spec, {}));
  // In the order of AttentionAddresses: q, k, v, out, workspace, mask.
  for (std::size_t i = 0; i < 3; ++i) arguments[i] = at(tensor_of(scope, node.inputs[i]));
  arguments[3] = at(tensor_of(scope, node.outputs[0]));
  arguments[4] = at(slots);
  if (spec.mask) arguments[5] = at(tensor_of(scope, node.inputs[3]));
  launch(attention_program(spec, schedule, machine_), std::move(arguments), schedule.cores,
         schedule.cores * machine_.cores.per_group, node.name);
}

}  // namespace dvmsim
