// One instruction as one line of assembly; labels are text.cpp's business.
#pragma once

#include <string>
#include <string_view>

#include "vm/isa/isa.h"
#include "vm/isa/statement.h"

namespace dvmsim::isa {

/// `label`, if not empty, stands for the distance of a jump.
[[nodiscard]] std::string print_line(const Inst& inst, std::string_view label);
/// Throws Error through the statement. `label` receives the name in skip=@name; without it labels
/// are an error.
[[nodiscard]] Inst read_line(const Statement& in, std::string* label);

}  // namespace dvmsim::isa
