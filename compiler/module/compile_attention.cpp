// Attention of a module: one program whose cores pass blocks through slots of a workspace.
#include "compiler/codegen/attention.h"
#include "compiler/module/module_compiler.h"
#include "compiler/schedule/attention_node.h"

namespace dvmsim {
namespace {

/// What a candidate takes, in tiles of a vector kernel, by instructions. A library's kernel is
/// chosen as any other.
constexpr std::int64_t tiles_of_candidate(CodePath path) {
  return path == CodePath::Native ? 1 : 10;
}

AttentionChoice choice_of(const AttentionSchedule& schedule) {
  return {schedule.tile_m, schedule.block_n,        schedule.part_n, schedule.piece_m,
          schedule.add_m,  schedule.scales_queries, schedule.cores};
}

}  // namespace

AttentionSchedule ModuleCompiler::attention_schedule(const AttentionSpec& spec) {
  if (known_ == nullptr) {
    const AttentionSchedule schedule = schedule_attention(spec, machine_, cube_cores());
    work_.tiles += tiles_of_candidate(options_.path) * schedule.candidates;
    return schedule;
  }
  const AttentionSpec other = alike(spec);
  const auto [schedule, known] =
      known_->attention(other, [&] { return schedule_attention(other, machine_, cube_cores()); });
  if (known) {
    ++work_.alike;
  } else {
    work_.tiles += tiles_of_candidate(options_.path) * schedule.candidates;
  }
  return cut_alike(spec, schedule, machine_, cube_cores());
}

/// As a user has decided.
AttentionSchedule ModuleCompiler::attention_as_chosen(const AttentionSpec& spec,
                                                      const Overridden& of) {
  const AttentionChoice choice = of.choice<AttentionChoice>();
  if (auto why = impossible(spec, cube_cores(), choice); !why.empty()) refuse(of, spec.name, why);
  const AttentionSchedule schedule = schedule_attention(spec, machine_, cube_cores(), choice);
  if (schedule.candidates == 0) {
    refuse(of, spec.name, "nothing like that fits the buffers",
           choice_of(schedule_attention(spec, machine_, cube_cores())));
  }
  work_.tiles += tiles_of_candidate(options_.path) * schedule.candidates;
  return schedule;
}

void ModuleCompiler::note_attention(const AttentionSpec& spec, const AttentionSchedule& schedule,
                                    const Overridden& of) {
  note(to_text(spec, schedule));
  if (!is_asked(of)) return;
  ScheduleDecision decision;
  decision.kernel = spec.name;
  decision.note =
      fmt::format("{} x {} heads, {} queries, {} keys", spec.batch, spec.heads, spec.m, spec.n);
  decision.choice = choice_of(schedule);
  note_decision(of, std::move(decision));
}

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
  const Overridden of = overridden(node.name, KernelKind::Attention);
  const auto repeated = std::find_if(
      attentions_.begin(), attentions_.end(),
      [&](const KnownAttention& each) { return may_repeat_ && have_same_work(each.spec, spec); });
  const bool is_new = repeated == attentions_.end();
  if (!is_new) charge_again(tiles_of_candidate(options_.path) * repeated->schedule.candidates, 0);
  const AttentionSchedule schedule = of.by != nullptr ? attention_as_chosen(spec, of)
                                     : is_new         ? attention_schedule(spec)
                                                      : repeated->schedule;
  note_attention(spec, schedule, of);
  const int slots =
      workspace(node.name + ".slots", DType::U8, {attention_workspace_bytes(spec, schedule)});
  std::vector<ModuleArgument> arguments = scalars(attention_arguments(spec, schedule, {}));
  // In the order of AttentionAddresses: q, k, v, out, workspace, mask, scaled.
  for (std::size_t i = 0; i < 3; ++i) arguments[i] = at(tensor_of(scope, node.inputs[i]));
  arguments[3] = at(tensor_of(scope, node.outputs[0]));
  arguments[4] = at(slots);
  arguments[6] = schedule.scales_queries ? at(slots, scaled_queries(spec, schedule)) : arguments[0];
  if (spec.mask) arguments[5] = at(tensor_of(scope, node.inputs[3]));
  const auto known =
      std::find_if(attentions_.begin(), attentions_.end(), [&](const KnownAttention& each) {
        return have_one_program(each.spec, each.schedule, spec, schedule);
      });
  const int program = known != attentions_.end()
                          ? known->program
                          : add_program(attention_program(spec, schedule, machine_));
  if (is_new) attentions_.push_back({spec, schedule, program});
  launch_known(program, std::move(arguments), schedule.cores,
               schedule.cores * machine_.cores.per_group, node.name);
}

}  // namespace dvmsim
