// A task as the assembler writes and reads it (text.h), one line each.
#pragma once

#include <string>

#include "vm/isa/statement.h"
#include "vm/program/task.h"

namespace dvmsim::isa {

/// With the newline.
[[nodiscard]] std::string print_task(const Task& task);
/// The statement after its first word, .task.
[[nodiscard]] Task parse_task(const Statement& in);

}  // namespace dvmsim::isa
