#include "compiler/module/task_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "compiler/module/task_place.h"
#include "vm/program/table.h"

namespace dvmsim {
namespace {

/// The host encodes a table while the device runs the one before it, so it had better not be all.
constexpr std::size_t kMostTasks = 32;

/// Of so many launches, those of the first of equal tables.
std::size_t share_of(std::size_t launches) {
  const std::size_t tables = (launches + kMostTasks - 1) / kMostTasks;
  return tables == 0 ? 0 : (launches + tables - 1) / tables;
}

class Linker {
 public:
  Linker(Module& module, const Machine& machine, const StepOrder& order, Linking linking)
      : module_(module), machine_(machine), order_(order), linking_(linking) {}

  void run() {
    known_ = std::move(module_.programs);
    module_.programs.clear();
    place_.assign(known_.size(), -1);
    link(module_.steps);
  }

 private:
  void link(std::vector<ModuleStep>& steps) {
    std::vector<ModuleStep> linked;
    for (std::size_t begin = 0; begin < steps.size();) {
      std::size_t end = begin;
      while (end < steps.size() && may_be_task(steps[end])) ++end;
      std::span<const ModuleStep> run = std::span(steps).subspan(begin, end - begin);
      run = run.first(linking_ == Linking::Stack ? stack_of(run) : cut_of(run.size()));
      if (run.size() > 1) {
        linked.push_back(table_of(run));
        number_ += static_cast<int>(run.size());
      } else {
        linked.push_back(std::move(steps[begin]));
        keep(linked.back());
      }
      begin += std::max<std::size_t>(1, run.size());
    }
    steps = std::move(linked);
  }

  /// A step that stays: its program keeps a place in the module.
  void keep(ModuleStep& step) {
    ++number_;
    if (step.kind == ModuleStep::Kind::Branch) {
      link(step.then_steps);
      link(step.else_steps);
      return;
    }
    int& place = place_[static_cast<std::size_t>(step.program)];
    if (place < 0) {
      place = static_cast<int>(module_.programs.size());
      module_.programs.push_back(known_[static_cast<std::size_t>(step.program)]);
    }
    step.program = place;
  }

  /// How many of so many go into the first table: not some of those that may run at the same time,
  /// if it can be helped.
  [[nodiscard]] std::size_t cut_of(std::size_t steps) const {
    constexpr std::size_t kLess = 4;  // tasks side by side are seldom more
    const std::size_t most = share_of(steps);
    for (std::size_t count = most; count > 1 && count + kLess > most; --count) {
      const int last = number_ + static_cast<int>(count) - 1;
      if (count == steps) return most;
      const std::vector<int>& after = order_.after(last + 1);
      if (std::find(after.begin(), after.end(), last) != after.end()) return count;
    }
    return most;
  }

  /// How many of the first need no order, find cores side by side, and fit into a launch.
  std::size_t stack_of(std::span<const ModuleStep> run) const {
    std::vector<Team> teams;
    std::int64_t bytes = 0;
    for (const ModuleStep& step : run) {
      const std::vector<int>& after = order_.after(number_ + static_cast<int>(teams.size()));
      const auto team = place_beside(machine_, step, teams);
      bytes += known_[static_cast<std::size_t>(step.program)].bytes() + kTaskBytes +
               8 * static_cast<std::int64_t>(step.arguments.size());
      const bool fits = team && bytes <= machine_.launch.inline_limit.count();
      if (!fits || (!after.empty() && after.back() >= number_)) break;
      teams.push_back(*team);
    }
    return teams.size();
  }

  ModuleStep table_of(std::span<const ModuleStep> steps) {
    std::vector<std::vector<std::uint32_t>> after(steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      for (const int before : order_.after(number_ + static_cast<int>(i))) {
        if (before >= number_) after[i].push_back(static_cast<std::uint32_t>(before - number_));
      }
    }
    TableBuilder table;
    ModuleStep launch;
    std::vector<std::uint32_t> place(steps.size());  // of a step in the table
    std::uint32_t next = 0;
    for (const PlacedTask& placed : place_tasks(module_, machine_, steps, after)) {
      const ModuleStep& step = steps[placed.step];
      std::vector<std::uint32_t>& before = after[placed.step];
      for (std::uint32_t& other : before) other = place[other];
      std::sort(before.begin(), before.end());
      place[placed.step] = next++;
      table.add(known_[static_cast<std::size_t>(step.program)], placed.team, before, step.label);
      launch.arguments.insert(launch.arguments.end(), step.arguments.begin(), step.arguments.end());
    }
    launch.label =
        fmt::format("{} tasks: {} to {}", steps.size(), steps.front().label, steps.back().label);
    Program program = table.finish(launch.label);
    const Team whole = whole_team(program.tasks);
    launch.path = steps.front().path;  // one for all of a module
    launch.cube_cores = whole.cube.count;
    launch.vector_cores = whole.vector.count;
    launch.program = static_cast<int>(module_.programs.size());
    module_.programs.push_back(std::move(program));
    return launch;
  }

  Module& module_;
  const Machine& machine_;
  const StepOrder& order_;
  Linking linking_;
  int number_ = 0;  // of the step in the order
  std::vector<Program> known_{};
  std::vector<int> place_{};  // of each in the module now; -1: none
};

}  // namespace

void link_tasks(Module& module, const Machine& machine, const StepOrder& order, Linking linking) {
  Linker(module, machine, order, linking).run();
}

}  // namespace dvmsim
