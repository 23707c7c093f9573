// Time inside the memory system: fixed point, 1/4096 cycle, so that rates which are no whole number
// of bytes per cycle add up without drift and without floating point.
#pragma once

#include <cstdint>

#include "vm/base/strong.h"
#include "vm/machine/rate.h"

namespace dvmsim {

using Ticks = Strong<struct TicksTag>;
inline constexpr std::int64_t kTicksPerCycle = 4096;

[[nodiscard]] constexpr Ticks ticks_of(Cycles cycles) {
  return Ticks(cycles.count() * kTicksPerCycle);
}
/// The first whole cycle at or after.
[[nodiscard]] constexpr Cycles cycle_at(Ticks ticks) {
  return Cycles((ticks.count() + kTicksPerCycle - 1) / kTicksPerCycle);
}
/// The later one, by value: std::max would send hot numbers through memory.
[[nodiscard]] constexpr Ticks later(Ticks a, Ticks b) {
  return a < b ? b : a;
}
/// Time to move the bytes, rounded up to a tick.
[[nodiscard]] inline Ticks ticks_for(std::int64_t bytes, Rational bytes_per_cycle) {
  return Ticks(bytes_per_cycle.ceil_of(bytes * kTicksPerCycle));
}

}  // namespace dvmsim
