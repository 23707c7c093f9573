// Random instructions of any row: every one of them well-formed, nothing said about sense. For the
// tests of the codec and of the text form.
#pragma once

#include <cstdint>
#include <random>

#include "vm/isa/isa.h"

namespace dvmsim::testing {

using Random = std::mt19937_64;

/// Uniform in low..high, the same on every platform (std distributions are not).
[[nodiscard]] std::int64_t pick(Random& random, std::int64_t low, std::int64_t high);
[[nodiscard]] inline bool chance(Random& random, int percent) {
  return pick(random, 0, 99) < percent;
}

/// An instruction of the row with flags, drain, registers, rotation and immediates at random;
/// defaults are frequent enough that words are left out.
[[nodiscard]] isa::Inst random_inst(const isa::Row& row, Random& random);
/// Of any row.
[[nodiscard]] isa::Inst random_inst(Random& random);

}  // namespace dvmsim::testing
