// Cycles of a copy to or from global memory that meets no one: the port's hold at the rate of an L2
// hit, and the latency. Part of CostModel (cost.h); contended times are the memory system's.
#pragma once

#include <array>
#include <cstdint>

#include "vm/isa/isa.h"
#include "vm/isa/vector_cost.h"
#include "vm/machine/machine.h"

namespace dvmsim::isa {

class TransferCost {
 public:
  explicit TransferCost(const Machine& machine);
  [[nodiscard]] Cost of(const Command& command) const;

 private:
  struct Port {
    Rational rate{};
    std::int64_t gap = 0, latency = 0;
  };
  [[nodiscard]] Rational rate_of(const Command& command) const;

  std::int64_t request_, least_, nz_align_;
  Rational to_l1_, to_l1_unaligned_, out_of_l0c_;
  std::array<Port, kPipes> port_{};
};

}  // namespace dvmsim::isa
