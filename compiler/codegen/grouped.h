// The program of the products of a list of groups: one `gmatmul` instruction, whose list cores read
// as they come to it.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/grouped.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Argument words that are addresses: a, b, c and bias as a matmul's, and the list.
inline constexpr int kGroupList = isa::kMatmulWords;

[[nodiscard]] Program grouped_program(const GroupedSpec& spec, const MatmulSchedule& schedule,
                                      const Machine& machine);
/// With addresses of 0.
[[nodiscard]] std::vector<std::uint64_t> grouped_arguments(const GroupedSpec& spec,
                                                           const MatmulSchedule& schedule);

}  // namespace dvmsim
