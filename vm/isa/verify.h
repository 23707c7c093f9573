// What can be known of a program before it runs, checked: for foreign bytes always, for our own
// output in tests and debug builds. What depends on registers is checked while it runs, and is a
// fault there.
//
// Each instruction: it decodes; its core kind, pipes, flag ids and atomic or cube types exist on
// the machine; immediate counts are not negative; operands that are all immediates stay inside
// their memory and are aligned; argument words exist; rotation names a loop that encloses it.
// Structure: loops close and nest at most 8 deep; jumps end on an instruction of the same loop body
// (whole loops may be jumped over); every path ends in halt, and none inside a loop. Flags: every
// loop body and every branch arm leaves each flag (from pipe, to pipe, id) as it found it, ids
// taken as they are written, so that it holds for each turn of a rotation; no wait comes before, in
// program order, its set does; none is set more often than a counter holds; at halt all are back at
// zero. Flags between cores are not balanced here: their counts meet only across programs of a
// launch. Of a task table: task_table.h, and each task as a program of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/base/space.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim::isa {

struct Finding {
  CoreKind core = CoreKind::Cube;
  std::uint32_t offset = 0;  // in words
  std::string text{};
  friend bool operator==(const Finding&, const Finding&) = default;
};

/// Everything wrong with the program on this machine, in order of kind and offset; empty: nothing.
[[nodiscard]] std::vector<Finding> verify(const Program& program, const Machine& machine);
/// "vector 12: what is wrong".
[[nodiscard]] std::string print(const Finding& finding);
/// Throws Error with the first finding, after `where`, if there is one.
void check(const Program& program, const Machine& machine, const std::string& where);

}  // namespace dvmsim::isa
