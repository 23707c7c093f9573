// Two products as one kernel.
#include "compiler/codegen/chain.h"
#include "compiler/module/module_compiler.h"
#include "compiler/pass/chain.h"

namespace dvmsim {
namespace {

ChainChoice choice_of(const ChainSchedule& schedule) {
  return {schedule.tile_m, schedule.tile_k, schedule.tile_n,
          schedule.span,   schedule.whole,  schedule.cores};
}

}  // namespace

void ModuleCompiler::compile_chain(Scope& scope, const Group& group) {
  const auto chain = chain_of(*scope.graph, group, machine_, nullptr, *scope.views);
  DVMSIM_ASSERT(chain.has_value(), "a group of the partition can be compiled");
  const Node &first = scope.graph->node(chain->first), &second = scope.graph->node(chain->second);
  const ChainSpec& spec = chain->spec;
  const std::string label = label_of(*scope.graph, group);
  const Overridden of = overridden(label, KernelKind::Chain);
  const ChainChoice choice = of.choice<ChainChoice>();
  const auto schedule = schedule_chain(spec, machine_, cube_cores(), choice);
  if (!schedule) {
    refuse(of, label, "nothing like that fits the buffers",
           choice_of(*schedule_chain(spec, machine_, cube_cores())));
  }
  work_.tiles += 2 * schedule->candidates;  // an estimate of each product
  note(fmt::format("chain {}: {}, {:.0f} cycles\n", label, to_string(*schedule), schedule->cycles));
  if (is_asked(of)) {
    ScheduleDecision decision;
    decision.kernel = label;
    decision.note = fmt::format("{}x{}x{}x{} {}", spec.first.m, spec.first.k, spec.first.n,
                                spec.second.n, name_of(spec.first.in));
    decision.choice = choice_of(*schedule);
    note_decision(of, std::move(decision));
  }
  std::vector<ModuleArgument> arguments = scalars(std::vector<std::uint64_t>(kChainAddresses));
  const auto& [a, b, kept] = chain->first_plan.launches.front();
  const auto& [unused, c, out] = chain->second_plan.launches.front();
  arguments[0] = at(base_of(scope, first.inputs[0]), a);
  arguments[1] = at(base_of(scope, first.inputs[1]), b);
  arguments[2] = at(base_of(scope, second.inputs[1]), c);
  arguments[3] = at(base_of(scope, second.outputs[0]), out);
  if (spec.first.bias) arguments[4] = at(tensor_of(scope, first.inputs[2]));
  if (spec.second.bias) arguments[5] = at(tensor_of(scope, second.inputs[2]));
  launch(chain_program(spec, *schedule, machine_), std::move(arguments), schedule->cores, 0, label);
}

}  // namespace dvmsim
