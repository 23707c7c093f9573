// Cycles of a copy to or from global memory that meets no one: the port's hold at its own rate, and
// the latency of an L2 hit. Part of CostModel (cost.h); contended times are the memory system's.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "vm/isa/isa.h"
#include "vm/isa/vector_cost.h"
#include "vm/machine/machine.h"

namespace dvmsim::isa {

/// What a request moves for bytes of one granule: `least`, doubled until the block of that size and
/// alignment holds them, at most the granule.
[[nodiscard]] constexpr std::int64_t request_bytes(std::int64_t offset, std::int64_t bytes,
                                                   std::int64_t least, std::int64_t granule) {
  std::int64_t size = least;
  if (std::has_single_bit(static_cast<std::uint64_t>(least))) {
    // In such blocks both ends lie in one if they differ below its size.
    const auto apart = static_cast<std::uint64_t>(offset ^ (offset + bytes - 1));
    size = std::max(least, static_cast<std::int64_t>(std::bit_floor(apart)) * 2);
    return size < granule ? size : granule;
  }
  while (size < granule && offset / size != (offset + bytes - 1) / size) size *= 2;
  return size < granule ? size : granule;
}

class TransferCost {
 public:
  explicit TransferCost(const Machine& machine);
  [[nodiscard]] Cost of(const Command& command) const;
  /// Bytes of GM that the command's port moves in a cycle at most.
  [[nodiscard]] Rational rate_of(const Command& command) const;

 private:
  struct Port {
    Rational rate{};
    std::int64_t gap = 0, latency = 0;
  };

  std::int64_t request_, least_, nz_align_;
  Rational to_l1_, to_l1_unaligned_, out_of_l0c_;
  std::array<Port, kPipes> port_{};
};

}  // namespace dvmsim::isa
