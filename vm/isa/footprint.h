// Which bytes a command reads and writes, derived from its row: for the hazard checker, for bounds,
// for the memory system and for placing flags.
#pragma once

#include <cstdint>

#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// `rows` runs of `length` bytes, `stride` bytes apart, beginning at `base`; up to two outer
/// dimensions repeat the whole (Nd). Normalised: length > 0, counts >= 1; an empty footprint has
/// rows == 0.
struct Region {
  Space space = Space::GM;
  Access access = Access::None;
  std::int64_t base = 0;
  std::int64_t length = 0;
  std::int64_t rows = 0, stride = 0;
  std::int64_t outer[2] = {1, 1}, outer_stride[2] = {0, 0};
  int operand = 0;  // whose bytes these are

  [[nodiscard]] std::int64_t bytes() const { return length * rows * outer[0] * outer[1]; }
  /// Smallest and one past the largest address touched.
  [[nodiscard]] std::int64_t first() const;
  [[nodiscard]] std::int64_t last() const;
};

struct Regions {
  int count = 0;
  Region region[4];
};

[[nodiscard]] Regions regions(const Command& command);
/// Of the first operand in the space; rows == 0 if there is none.
[[nodiscard]] Region region_in(const Command& command, Space space);

}  // namespace dvmsim::isa
