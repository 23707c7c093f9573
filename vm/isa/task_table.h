// What can be known of a program's task table before it runs, checked; see verify.h.
#pragma once

#include <string>
#include <vector>

#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim::isa {

/// What is wrong with the table itself, empty if nothing is: code and arguments of each task lie in
/// the program's, its cores are the machine's and have code, teams of both kinds are whole groups,
/// and a task comes after earlier ones only.
[[nodiscard]] std::string problem_of_tasks(const Program& program, const Machine& machine);

/// A task's code and arguments as a program of its own.
[[nodiscard]] Program alone(const Program& program, const Task& task);

}  // namespace dvmsim::isa
