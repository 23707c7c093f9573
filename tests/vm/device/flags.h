// Takes flags out of a program, to see whether anybody notices.
#pragma once

#include <cstddef>
#include <vector>

#include "vm/isa/isa.h"
#include "vm/program/program.h"

namespace dvmsim::testing {

/// One flag of one instruction: a wait or set of its head, or the instruction itself.
struct Flag {
  CoreKind kind{};
  std::size_t pc = 0;
  int slot = 0;  // waits 0, 1; sets 2, 3; 4: the instruction
};

[[nodiscard]] std::vector<Flag> flags_of(const Program& program);
[[nodiscard]] isa::Inst inst_of(const Program& program, const Flag& flag);
/// The program without the flag; an instruction becomes nops, so that no jump changes.
[[nodiscard]] Program without(Program program, const Flag& flag);
/// Without every flag of one kind of core from one pipe to another: what is left balances.
[[nodiscard]] Program without_pair(Program program, CoreKind kind, Pipe from, Pipe to);

}  // namespace dvmsim::testing
