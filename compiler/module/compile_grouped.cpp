// Products of a list of groups of a module: one launch, whatever the list says.
#include <utility>

#include "compiler/codegen/grouped.h"
#include "compiler/module/module_compiler.h"
#include "compiler/schedule/grouped_node.h"

namespace dvmsim {

MatmulSchedule ModuleCompiler::schedule_groups(const GroupedSpec& spec, const std::string& label,
                                               const Overridden& of) {
  if (machine_.step(spec.product.in).m == 0) {
    throw Error(fmt::format(
        "node '{}': the cube of {} does not multiply {}; run it in another type, --dtype f16",
        label, machine_.name, name_of(spec.product.in)));
  }
  work_.tiles += kTilesOfAProduct;
  const MatmulSchedule schedule = choose_grouped(spec, machine_, options_.tiling, cube_cores());
  if (of.by == nullptr) return schedule;
  MatmulChoice choice = of.choice<MatmulChoice>();
  if (choice.k_step.value_or(0) != 0) refuse(of, label, "k of groups goes in one launch");
  if ((choice.loop.value_or(0) & isa::kContiguous) != 0) {
    refuse(of, label, "tiles of groups go round the cores");
  }
  if (choice.shared.value_or(0) != 0) refuse(of, label, "cores share no tiles of groups");
  // How many tiles there are, the list says.
  const std::optional<int> cores = std::exchange(choice.cores, std::nullopt);
  std::string why;
  auto chosen = with_choice(spec.product, schedule, choice, machine_, cube_cores(), &why);
  if (!chosen) refuse(of, label, why);
  const std::int64_t tiles = most_tiles(spec, *chosen);
  const auto most = static_cast<int>(std::min<std::int64_t>(tiles, cube_cores()));
  if (cores.value_or(1) > most) {
    refuse(of, label,
           fmt::format("{} cores, but at most {} tiles go to at most {}", *cores, tiles, most));
  }
  chosen->cores = cores.value_or(most);
  return *chosen;
}

void ModuleCompiler::compile_grouped(Scope& scope, const Group& group) {
  const Node& node = scope.graph->node(group.nodes.front());
  const GroupedSpec spec = grouped_of(*scope.graph, node);
  const Overridden of = overridden(node.name, KernelKind::Matmul);
  const MatmulSchedule schedule = schedule_groups(spec, node.name, of);
  note(fmt::format("grouped matmul {}: {} groups along {}, {}\n", node.name, spec.groups,
                   spec.axis == isa::GroupAxis::M ? "m" : "k", to_string(schedule)));
  note_product(spec.product, node.name, schedule, 0, of);
  std::vector<ModuleArgument> arguments = scalars(grouped_arguments(spec, schedule));
  arguments[0] = at(tensor_of(scope, node.inputs[0]));
  arguments[1] = at(tensor_of(scope, node.inputs[1]));
  arguments[2] = at(tensor_of(scope, node.outputs[0]));
  if (spec.product.bias) arguments[3] = at(tensor_of(scope, node.inputs[3]));
  arguments[kGroupList] = at(tensor_of(scope, node.inputs[2]));
  launch(grouped_program(spec, schedule, machine_), std::move(arguments), schedule.cores, 0,
         node.name);
}

}  // namespace dvmsim
