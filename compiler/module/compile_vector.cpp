// Vector kernels of a module: the schedule, by the compiler or as a user has decided, and the
// program.
#include <limits>

#include "compiler/codegen/long_reduce.h"
#include "compiler/codegen/vector.h"
#include "compiler/codegen/vector_cycles.h"
#include "compiler/module/module_compiler.h"
#include "compiler/schedule/phases.h"

namespace dvmsim {
namespace {

/// What a candidate takes, in tiles in order, by the instructions that valgrind counts for
/// `dvmsim op softmax 64x1000 --strategy resident`.
constexpr std::int64_t kTilesOfPacked = 2, kTilesInPhases = 5;

VectorChoice choice_of(const VectorSchedule& schedule, bool packs, bool phases) {
  VectorChoice choice;
  choice.rows = schedule.tile.rows;
  choice.columns = schedule.tile.columns;
  choice.cores = schedule.cores;
  if (packs) {
    choice.packing = schedule.packing;
    choice.loads = schedule.depth.loads;
    choice.stores = schedule.depth.stores;
  }
  if (phases) choice.phases = false;
  return choice;
}

VectorChoice choice_of(const LongSchedule& schedule, bool packs) {
  VectorChoice choice;
  choice.rows = schedule.tile().rows;
  choice.columns = schedule.tile().columns;
  choice.cores = schedule.cores;
  if (packs) choice.loads = choice.stores = schedule.copies;
  choice.phases = true;
  choice.parts = schedule.parts;
  return choice;
}

}  // namespace

const VectorMeasure& ModuleCompiler::measure() {
  if (!measure_) {
    measure_ = [cost = CostModel(machine_)](const VectorKernel& kernel,
                                            std::span<const KernelStep> steps,
                                            const VectorSchedule& schedule) {
      return vector_cycles(cost, kernel, steps, schedule);
    };
  }
  return measure_;
}

/// On tiles that hold whole rows. Without an override, the kernel fits.
VectorSchedule ModuleCompiler::schedule_whole(const VectorKernel& kernel, Packing packs,
                                              const Overridden& of) {
  const VectorChoice choice = of.choice<VectorChoice>();
  const bool copies = choice.loads.value_or(1) > 1 || choice.stores.value_or(1) > 1;
  const int cores = vector_cores();
  if (auto why = impossible(kernel, cores, choice); !why.empty()) refuse(of, kernel.name, why);
  const bool packed = packs == Packing::BestFit || copies || choice.packing == Packing::BestFit;
  VectorSchedule schedule = packed ? schedule_packed(kernel, machine_, cores, measure(), choice)
                                   : schedule_vector(kernel, machine_, cores, choice);
  if (schedule.candidates == 0) {
    refuse(of, kernel.name, refusal(kernel, machine_, cores, choice));
  }
  work_.tiles += (packed ? kTilesOfPacked : 1) * schedule.candidates;
  return schedule;
}

void ModuleCompiler::note_schedule(const VectorKernel& kernel, const VectorSchedule& schedule,
                                   Packing packs, const Overridden& of) {
  if (options_.schedules != nullptr) note(to_text(kernel) + to_text(schedule));
  if (!is_asked(of)) return;
  ScheduleDecision decision;
  decision.kernel = kernel.name;
  decision.note = fmt::format("over [{}]", fmt::join(kernel.dims, ", "));
  const bool packed = packs == Packing::BestFit || schedule.packing == Packing::BestFit;
  decision.choice = choice_of(schedule, packed, options_.features.has(Feature::LongReduce));
  note_decision(of, std::move(decision));
}

/// What is better in phases is cut at its own sizes.
std::optional<VectorSchedule> ModuleCompiler::vector_alike(const VectorKernel& kernel,
                                                           std::size_t group) {
  if (known_ == nullptr) return std::nullopt;
  const auto choose = [&](const VectorKernel& other) -> std::optional<VectorCut> {
    if (!fits(other, machine_, packing())) return std::nullopt;
    const VectorSchedule whole = schedule_whole(other, packing(), {});
    if (options_.features.has(Feature::LongReduce) && whole.cores < vector_cores()) {
      const auto phased = phases_of(other);
      if (phased && schedule_phases(*phased, whole.estimate.total, {})) return std::nullopt;
    }
    return cut_of(other, whole);
  };
  const auto [cut, known] = known_->vector(group, kernel, choose);
  if (!cut) return std::nullopt;
  auto schedule = dvmsim::schedule_alike(kernel, *cut, machine_);
  if (known && schedule) ++work_.alike;
  return schedule;
}

void ModuleCompiler::compile_vector(Scope& scope, const LoweredKernel& lowered, std::size_t group) {
  const VectorKernel& kernel = lowered.kernel;
  std::vector<ModuleArgument> arguments;
  arguments.reserve(lowered.inputs.size() + lowered.outputs.size());
  for (ValueId id : lowered.inputs) arguments.push_back(at(tensor_of(scope, id)));
  for (ValueId id : lowered.outputs) arguments.push_back(at(tensor_of(scope, id)));
  const Overridden of = overridden(kernel.name, KernelKind::Vector);
  if (!may_repeat_) return make_vector(kernel, std::move(arguments), group, of);
  if (const Repeats::Known* known = repeats_.find(kernel)) {
    return repeat_vector(*known, kernel.name, std::move(arguments));
  }
  const std::size_t tensors = arguments.size();
  Repeats::Known known{.tiles = work_.tiles, .words = work_.words};
  make_vector(kernel, std::move(arguments), group, of);
  const ModuleStep& made = steps_->back();
  known.program = made.program;
  known.cores = made.cube_cores + made.vector_cores;
  if (made.arguments.size() > tensors) {
    known.workspace = module_.tensors[static_cast<std::size_t>(made.arguments.back().tensor)].bytes;
  }
  known.tiles = work_.tiles - known.tiles;
  known.words = work_.words - known.words;
  repeats_.add(kernel, known);
}

void ModuleCompiler::repeat_vector(const Repeats::Known& known, const std::string& label,
                                   std::vector<ModuleArgument> arguments) {
  charge_again(known.tiles, known.words);
  if (known.workspace > 0) {
    arguments.push_back(at(workspace(label + ".parts", DType::U8, {known.workspace})));
  }
  launch_known(known.program, std::move(arguments), 0, known.cores, label);
}

/// What was found is found again, unless what is known is kept.
void ModuleCompiler::charge_again(std::int64_t tiles, std::int64_t words) {
  if (options_.features.has(Feature::Parametric)) {
    ++work_.alike;
    return;
  }
  work_.tiles += tiles;
  work_.words += words;
}

void ModuleCompiler::make_vector(const VectorKernel& kernel, std::vector<ModuleArgument> arguments,
                                 std::size_t group, const Overridden& of) {
  const auto launch_whole = [&](const VectorSchedule& schedule) {
    note_schedule(kernel, schedule, packing(), of);
    launch(emit_vector(kernel, schedule, vector_kind(machine_)), std::move(arguments), 0,
           schedule.cores, kernel.name);
  };
  if (of.by == nullptr) {
    if (const auto found = vector_alike(kernel, group)) return launch_whole(*found);
  }
  const auto forced = of.choice<VectorChoice>().phases;
  const bool phases = forced.value_or(options_.features.has(Feature::LongReduce));
  const bool whole = forced ? !*forced : !phases || fits(kernel, machine_, packing());
  VectorSchedule schedule;
  if (whole) schedule = schedule_whole(kernel, packing(), of);
  const double most = whole ? schedule.estimate.total : std::numeric_limits<double>::max();
  const bool idle = !whole || schedule.cores < vector_cores();
  if (phases && idle && compile_long(kernel, arguments, most, of)) return;
  if (!whole) {  // only an override leaves nothing
    VectorChoice choice = of.choice<VectorChoice>();
    choice.phases = true;
    refuse(of, kernel.name, refusal(kernel, machine_, vector_cores(), choice));
  }
  launch_whole(schedule);
}

/// In phases, if that is estimated to take clearly less than `most` cycles.
std::optional<LongSchedule> ModuleCompiler::schedule_phases(const PhasedKernel& phased, double most,
                                                            const Overridden& of) {
  constexpr double kClearly = 0.9;
  const VectorChoice choice = of.choice<VectorChoice>();
  const int cores = vector_cores();
  VectorChoice in_phases = choice;
  in_phases.phases = true;
  if (!impossible(phased.kernel, cores, in_phases).empty()) return std::nullopt;
  const double limit = most * kClearly;
  LongSchedule schedule = packing() == Packing::BestFit
                              ? schedule_long(phased, machine_, cores, measure(), limit, choice)
                              : schedule_long(phased, machine_, cores, limit, choice);
  work_.tiles += kTilesInPhases * schedule.candidates;
  if (schedule.phases.empty() || schedule.total > limit) return std::nullopt;
  return schedule;
}

bool ModuleCompiler::compile_long(const VectorKernel& kernel, std::vector<ModuleArgument> arguments,
                                  double most, const Overridden& of) {
  const auto phased = phases_of(kernel);
  if (!phased) return false;
  const auto found = schedule_phases(*phased, most, of);
  if (!found) return false;
  const LongSchedule& schedule = *found;
  if (options_.schedules != nullptr) note(to_text(*phased) + to_text(schedule));
  if (is_asked(of)) {
    ScheduleDecision decision;
    decision.kernel = kernel.name;
    decision.note = fmt::format("over [{}], in phases", fmt::join(kernel.dims, ", "));
    decision.choice = choice_of(schedule, packing() == Packing::BestFit);
    note_decision(of, std::move(decision));
  }
  if (schedule.workspace > 0) {
    arguments.push_back(at(workspace(kernel.name + ".parts", DType::U8, {schedule.workspace})));
  }
  launch(emit_long(*phased, schedule, vector_kind(machine_)), std::move(arguments), 0,
         schedule.cores, kernel.name);
  return true;
}

}  // namespace dvmsim
