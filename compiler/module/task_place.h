// When and on which cores a task runs: list scheduling over estimated times.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "compiler/module/module.h"
#include "vm/machine/machine.h"
#include "vm/program/task.h"

namespace dvmsim {

struct PlacedTask {
  std::size_t step = 0;
  Team team{};
};
/// All steps in the order in which cores are to walk them, each with a team of as many cores of
/// each kind as it was compiled for: always the one that is estimated to begin earliest, the first
/// of those. `after` says which steps each comes after.
[[nodiscard]] std::vector<PlacedTask> place_tasks(
    const Module& module, const Machine& machine, std::span<const ModuleStep> steps,
    std::span<const std::vector<std::uint32_t>> after);

/// A team for the step on cores that none of `taken` has; nothing if there are too few.
[[nodiscard]] std::optional<Team> place_beside(const Machine& machine, const ModuleStep& step,
                                               std::span<const Team> taken);

}  // namespace dvmsim
