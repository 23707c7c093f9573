// The program of two products, one after the other (schedule/chain.h): a core makes rows of the
// first result block by block along k, FixPipe leaves them in L1 as fractals, and from there they
// are the left operand of tile after tile of the second.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/chain.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments 0..5 in this order; a bias that is not there is not read. Relocation writes these.
struct ChainAddresses {
  std::uint64_t a = 0, b = 0, c = 0, out = 0, first_bias = 0, second_bias = 0;
};
inline constexpr int kChainAddresses = 6;

/// There is no chain_problem() and the schedule fits. Launch it on schedule.cores cube cores.
[[nodiscard]] Program chain_program(const ChainSpec& spec, const ChainSchedule& schedule,
                                    const Machine& machine);

}  // namespace dvmsim
