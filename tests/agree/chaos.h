// Programs that compute nothing sensible but make every wait of the machine happen: copies of odd
// shapes from all cores to the same addresses, flags far ahead of their waits, flags of the scalar
// unit and between cores, drains, loops. They never block for ever: every wait comes after its set
// in one order that all cores follow. Not race-free: for timing mode only.
#pragma once

#include <cstdint>

#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim::testing {

struct ChaosProgram {
  Program program{};  // argument 0: a buffer
  int cube_cores = 0, vector_cores = 0;
};
inline constexpr std::int64_t kChaosBytes = 1 << 20;

[[nodiscard]] ChaosProgram chaos_program(const Machine& machine, std::uint64_t seed);

}  // namespace dvmsim::testing
