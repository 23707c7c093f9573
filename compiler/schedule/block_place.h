// Where the values of a vector kernel lie in UB if something else than schedule_vector settles the
// tile: the blocks of an operand that a product cuts.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/schedule/vector.h"

namespace dvmsim {

/// By best fit, with two copies of what is loaded and stored if UB holds them. Nullopt if it does
/// not hold one. `begin`: bytes of UB that are taken.
[[nodiscard]] std::optional<VectorSchedule> place_block(const VectorKernel& kernel, VectorTile tile,
                                                        const Machine& machine, std::int64_t begin);

}  // namespace dvmsim
