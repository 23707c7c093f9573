// How the firmware treats the program of a launch. There is one build of it on a device; which of
// these it does is told with the launch (its CodePath), so that strategies can be compared on one
// machine.
#pragma once

#include <cstdint>

#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

struct FirmwareMode {
  ProgramMemory memory = ProgramMemory::Ub;
  std::int64_t decode_cache = 0;  // decoded instructions that are kept; 0: none
  bool prefetch = false;  // a program is asked for before the kernel's entry, a task's while what
                          // was issued for the one before it drains
};

/// Bytecode: as the machine says. Kept: outside UB, asked for early, and kept decoded. A program
/// that is larger than its memory stays in GM behind a cache. Native code is not interpreted.
[[nodiscard]] FirmwareMode firmware_mode(const Machine& machine, const Program& program,
                                         CodePath path);

/// The machine as tiles see it under this path, with or without a program in UB. Decoding costs
/// what it costs: estimates are not told that most of it is kept.
[[nodiscard]] Machine as_planned(const Machine& machine, CodePath path);

}  // namespace dvmsim
