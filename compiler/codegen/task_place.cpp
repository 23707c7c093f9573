#include "compiler/codegen/task_place.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// When the cores of a kind are free, in cycles of the estimate.
using Busy = std::vector<std::int64_t>;

std::int64_t free_at(const Busy& busy, const CoreRange& cores) {
  const auto first = busy.begin() + cores.first;
  return cores.count == 0 ? 0 : *std::max_element(first, first + cores.count);
}

void occupy(Busy& busy, const CoreRange& cores, std::int64_t until) {
  std::fill_n(busy.begin() + cores.first, cores.count, until);
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

}  // namespace

std::vector<Team> place_tasks(const Module& module, const Machine& machine,
                              std::span<const ModuleStep> steps,
                              std::span<const std::vector<std::uint32_t>> after) {
  const int ratio = std::max(1, machine.cores.per_group);
  const int vectors = machine.cores.unified ? 0 : machine.cores.vector;
  Busy cube(static_cast<std::size_t>(machine.cores.cube)),
      vector(static_cast<std::size_t>(vectors));
  std::vector<std::int64_t> ends;
  std::vector<Team> teams;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ModuleStep& step = steps[i];
    std::int64_t ready = 0;
    for (const std::uint32_t before : after[i]) ready = std::max(ready, ends[before]);
    Team best;
    std::int64_t begin = -1;
    for (int group = 0;; ++group) {
      const Team team{{step.cube_cores > 0 ? group : 0, step.cube_cores},
                      {step.vector_cores > 0 ? group * ratio : 0, step.vector_cores}};
      if (team.cube.end() > machine.cores.cube || team.vector.end() > vectors) break;
      const std::int64_t at =
          std::max({ready, free_at(cube, team.cube), free_at(vector, team.vector)});
      if (begin >= 0 && at >= begin) continue;
      begin = at;
      best = team;
      if (at == ready) break;
    }
    const std::int64_t end = begin + cycles_of(module, machine, step);
    occupy(cube, best.cube, end);
    occupy(vector, best.vector, end);
    ends.push_back(end);
    teams.push_back(best);
  }
  return teams;
}

}  // namespace dvmsim
