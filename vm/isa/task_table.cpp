#include "vm/isa/task_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace dvmsim::isa {
namespace {

std::vector<std::uint64_t> part(const std::vector<std::uint64_t>& code, const CodeRange& range) {
  const auto begin = code.begin() + range.begin;
  return {begin, begin + range.words};
}

std::string problem_of_cores(const Task& task, CoreKind kind, const Program& program,
                             const Machine& machine) {
  const CodeRange& code = task.code(kind);
  const CoreRange& cores = task.team.of(kind);
  const auto words = static_cast<std::uint64_t>(program.code(kind).size());
  if (std::uint64_t{code.begin} + code.words > words) {
    return fmt::format("its {} code leaves the program's {} words", name_of(kind), words);
  }
  if (cores.first < 0 || cores.count < 0 || cores.end() > machine.cores_of(kind)) {
    return fmt::format("it has {} cores that the machine does not have", name_of(kind));
  }
  if ((cores.count > 0) != (code.words > 0)) {
    return fmt::format("it has {} cores or code for them, but not both", name_of(kind));
  }
  return {};
}

std::string problem_of(const Task& task, std::size_t number, const Program& program,
                       const Machine& machine) {
  const CoreKind first = machine.cores.unified ? CoreKind::Unified : CoreKind::Cube;
  for (const CoreKind kind : {first, CoreKind::Vector}) {
    std::string problem = problem_of_cores(task, kind, program, machine);
    if (!problem.empty()) return problem;
  }
  const Team& team = task.team;
  if (team.cores() == 0) return "no core runs it";
  const int ratio = std::max(1, machine.cores.per_group);
  if (team.vector.count > 0 && team.vector.first % ratio != 0) {
    return "its vector cores begin inside a group";
  }
  if (team.cube.count > 0 && team.vector.count > 0 &&
      team.vector.first != team.cube.first * ratio) {
    return "its vector cores are not those of its cube cores";
  }
  if (std::uint64_t{task.argument} + task.arguments > program.arguments.size()) {
    return "its arguments leave the argument block";
  }
  const bool ascends = std::adjacent_find(task.after.begin(), task.after.end(),
                                          std::greater_equal<>()) == task.after.end();
  if (!ascends || (!task.after.empty() && task.after.back() >= number)) {
    return "it does not come after earlier tasks, in ascending order";
  }
  return {};
}

}  // namespace

std::string problem_of_tasks(const Program& program, const Machine& machine) {
  for (std::size_t i = 0; i < program.tasks.size(); ++i) {
    const Task& task = program.tasks[i];
    const std::string problem = problem_of(task, i, program, machine);
    if (!problem.empty()) return fmt::format("task {} '{}': {}", i, task.name, problem);
  }
  return {};
}

Program alone(const Program& program, const Task& task) {
  Program own;
  own.name = task.name;
  own.machine = program.machine;
  own.cube = part(program.cube, task.cube);
  own.vector = part(program.vector, task.vector);
  const auto begin = program.arguments.begin() + task.argument;
  own.arguments = {begin, begin + task.arguments};
  return own;
}

}  // namespace dvmsim::isa
