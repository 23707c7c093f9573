// Walking the tiles of a matrix product in scalar registers: which tile comes when, where it lies
// and where its batch begins. The same order as the matmul macro's, so that vector cores can follow
// it.
#pragma once

#include <cstdint>

#include "compiler/codegen/builder.h"
#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// Where a tile lies, in registers: its batch and its first row and column, and how many there are.
struct TileRegisters {
  Val batch0{}, batch1{};
  Val m0{}, n0{}, m{}, n{};
};
/// Computes the place of tile `number` (over all batches) in the order of the schedule.
[[nodiscard]] TileRegisters locate_tile(Builder& code, const MatmulSpec& spec,
                                        const MatmulSchedule& schedule, Val number);
/// A value that may not fit an immediate.
[[nodiscard]] Val constant(Builder& code, std::int64_t value);
/// base + count * stride.
[[nodiscard]] Val offset_by(Builder& code, Val base, Val count, std::int64_t stride);
/// base + batch0 * stride0 + batch1 * stride1.
[[nodiscard]] Val batch_address(Builder& code, Val base, const TileRegisters& tile,
                                std::int64_t stride0, std::int64_t stride1);
/// How many tiles core `core` of `cores` walks: numbers core, core + cores, ...
[[nodiscard]] Val tiles_of_core(Builder& code, std::int64_t tiles, Val core, Val cores);

}  // namespace dvmsim
