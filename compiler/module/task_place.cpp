#include "compiler/module/task_place.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// When the cores of a kind are free, in cycles of the estimate.
using Busy = std::vector<std::int64_t>;

std::int64_t free_at(const Busy& busy, const CoreRange& cores) {
  const auto first = busy.begin() + cores.first;
  return cores.count == 0 ? 0 : *std::max_element(first, first + cores.count);
}

/// Its bytes through the ports of its cores, and what every task pays.
std::int64_t cycles_of(const Module& module, const Machine& machine, const ModuleStep& step) {
  std::int64_t bytes = 0;
  for (const ModuleArgument& argument : step.arguments) {
    if (argument.kind == ModuleArgument::Kind::Tensor) {
      bytes += module.tensors[static_cast<std::size_t>(argument.tensor)].bytes;
    }
  }
  const int cores = std::max(1, std::max(step.cube_cores, step.vector_cores));
  const auto fixed =
      machine.task.dispatch.cycles() + machine.task.signal.cycles() + machine.task.poll.cycles();
  return fixed.count() + machine.mte2.gm_to_ub.cycles_for(Bytes(bytes / cores)).count();
}

/// When the cores of a machine are free.
class Cores {
 public:
  explicit Cores(const Machine& machine)
      : ratio_(std::max(1, machine.cores.per_group)),
        cube_(static_cast<std::size_t>(machine.cores.cube)),
        vector_(static_cast<std::size_t>(machine.cores.unified ? 0 : machine.cores.vector)) {}

  struct Choice {
    Team team{};
    std::int64_t begin = -1;     // of its cube cores, if it has any
    std::int64_t all_there = 0;  // vector cores come to a product's tiles when there are some
  };
  /// The team that can begin earliest, not before `ready`; the first of those.
  [[nodiscard]] Choice earliest(const ModuleStep& step, std::int64_t ready) const {
    Choice best;
    for (int group = 0; best.begin != ready; ++group) {
      const Team team{{step.cube_cores > 0 ? group : 0, step.cube_cores},
                      {step.vector_cores > 0 ? group * ratio_ : 0, step.vector_cores}};
      const bool there = team.cube.end() <= static_cast<int>(cube_.size()) &&
                         team.vector.end() <= static_cast<int>(vector_.size());
      if (!there) break;
      const std::int64_t cube = std::max(ready, free_at(cube_, team.cube));
      const std::int64_t all = std::max(cube, free_at(vector_, team.vector));
      const std::int64_t begin = team.cube.count > 0 ? cube : all;
      if (best.begin < 0 || begin < best.begin) best = {team, begin, all};
    }
    return best;
  }
  void occupy(const Team& team, std::int64_t until) {
    std::fill_n(cube_.begin() + team.cube.first, team.cube.count, until);
    std::fill_n(vector_.begin() + team.vector.first, team.vector.count, until);
  }

 private:
  int ratio_;
  Busy cube_, vector_;
};

}  // namespace

std::vector<PlacedTask> place_tasks(const Module& module, const Machine& machine,
                                    std::span<const ModuleStep> steps,
                                    std::span<const std::vector<std::uint32_t>> after) {
  Cores cores(machine);
  std::vector<std::int64_t> ends(steps.size(), -1);  // -1: has no place yet
  const auto ready_at = [&](std::size_t step) {
    std::int64_t ready = 0;
    for (const std::uint32_t before : after[step]) {
      if (ends[before] < 0) return std::int64_t{-1};
      ready = std::max(ready, ends[before]);
    }
    return ready;
  };
  std::vector<PlacedTask> placed;
  while (placed.size() < steps.size()) {
    std::size_t next = steps.size();
    Cores::Choice best;
    for (std::size_t step = 0; step < steps.size(); ++step) {
      const std::int64_t ready = ends[step] < 0 ? ready_at(step) : -1;
      if (ready < 0 || (next < steps.size() && ready >= best.begin)) continue;
      const Cores::Choice choice = cores.earliest(steps[step], ready);
      if (next < steps.size() && choice.begin >= best.begin) continue;
      next = step;
      best = choice;
    }
    ends[next] = best.all_there + cycles_of(module, machine, steps[next]);
    cores.occupy(best.team, ends[next]);
    placed.push_back({next, best.team});
  }
  return placed;
}

std::optional<Team> place_beside(const Machine& machine, const ModuleStep& step,
                                 std::span<const Team> taken) {
  Cores cores(machine);
  for (const Team& team : taken) cores.occupy(team, 1);
  const Cores::Choice choice = cores.earliest(step, 0);
  if (choice.all_there != 0) return std::nullopt;
  return choice.team;
}

}  // namespace dvmsim
