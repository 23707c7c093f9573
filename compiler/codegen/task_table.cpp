#include "compiler/codegen/task_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include "compiler/codegen/task_place.h"
#include "vm/program/table.h"

namespace dvmsim {
namespace {

/// Bytes that a launch touches: of the workspace, or of a buffer of an input's or output's own.
struct Access {
  int buffer = 0;  // tensor with a buffer of its own; -1: the workspace
  std::int64_t begin = 0, end = 0;
  bool writes = false;

  [[nodiscard]] bool conflicts(const Access& other) const {
    return (writes || other.writes) && buffer == other.buffer && begin < other.end &&
           other.begin < end;
  }
};

/// Constants are only read, so they order nothing.
std::vector<Access> accesses_of(const Module& module, const ModuleStep& step) {
  const Program& program = module.programs[static_cast<std::size_t>(step.program)];
  std::vector<Access> accesses;
  for (std::size_t i = 0; i < step.arguments.size(); ++i) {
    const ModuleArgument& argument = step.arguments[i];
    if (argument.kind != ModuleArgument::Kind::Tensor) continue;
    const ModuleTensor& tensor = module.tensors[static_cast<std::size_t>(argument.tensor)];
    if (tensor.kind == ModuleTensor::Kind::Constant) continue;
    const bool own = tensor.kind != ModuleTensor::Kind::Workspace;
    const bool writes = program.arguments[i].kind != Argument::Kind::Input;
    accesses.push_back(
        {own ? argument.tensor : -1, tensor.offset, tensor.offset + tensor.bytes, writes});
  }
  return accesses;
}

bool conflict(const std::vector<Access>& a, const std::vector<Access>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Access& x) {
    return std::any_of(b.begin(), b.end(), [&](const Access& y) { return x.conflicts(y); });
  });
}

/// For each step those it must come after, without the ones that follow from the others.
std::vector<std::vector<std::uint32_t>> order_of(const Module& module,
                                                 std::span<const ModuleStep> steps) {
  std::vector<std::vector<Access>> accesses;
  std::vector<std::vector<bool>> before;  // all that come before it, however far
  std::vector<std::vector<std::uint32_t>> after(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    accesses.push_back(accesses_of(module, steps[i]));
    before.emplace_back(steps.size());
    for (std::size_t j = i; j-- > 0;) {
      if (before[i][j] || !conflict(accesses[i], accesses[j])) continue;
      after[i].insert(after[i].begin(), static_cast<std::uint32_t>(j));
      before[i][j] = true;
      for (std::size_t k = 0; k < j; ++k) {
        if (before[j][k]) before[i][k] = true;
      }
    }
  }
  return after;
}

class Linker {
 public:
  Linker(Module& module, const Machine& machine) : module_(module), machine_(machine) {}

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
      if (end - begin > 1) {
        linked.push_back(table_of(std::span(steps).subspan(begin, end - begin)));
      } else {
        end = begin + 1;
        linked.push_back(std::move(steps[begin]));
        keep(linked.back());
      }
      begin = end;
    }
    steps = std::move(linked);
  }

  static bool may_be_task(const ModuleStep& step) {
    return step.kind == ModuleStep::Kind::Launch && step.path == CodePath::Bytecode;
  }

  /// A step that stays: its program keeps a place in the module.
  void keep(ModuleStep& step) {
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

  ModuleStep table_of(std::span<const ModuleStep> steps) {
    std::swap(module_.programs, known_);
    const auto after = order_of(module_, steps);
    const std::vector<Team> teams = place_tasks(module_, machine_, steps, after);
    std::swap(module_.programs, known_);
    TableBuilder table;
    ModuleStep launch;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const ModuleStep& step = steps[i];
      table.add(known_[static_cast<std::size_t>(step.program)], teams[i], after[i], step.label);
      launch.arguments.insert(launch.arguments.end(), step.arguments.begin(), step.arguments.end());
    }
    launch.label =
        fmt::format("{} tasks: {} to {}", steps.size(), steps.front().label, steps.back().label);
    Program program = table.finish(launch.label);
    const Team whole = whole_team(program.tasks);
    launch.cube_cores = whole.cube.count;
    launch.vector_cores = whole.vector.count;
    launch.program = static_cast<int>(module_.programs.size());
    module_.programs.push_back(std::move(program));
    return launch;
  }

  Module& module_;
  const Machine& machine_;
  std::vector<Program> known_{};
  std::vector<int> place_{};  // of each in the module now; -1: none
};

}  // namespace

void link_tasks(Module& module, const Machine& machine) {
  Linker(module, machine).run();
}

}  // namespace dvmsim
