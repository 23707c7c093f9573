// How a vector core works on its rows of a product's tile: in which pieces, and where their values
// lie in UB.
#pragma once

#include <cstdint>

#include "compiler/schedule/vector.h"

namespace dvmsim {

struct MixRows {
  VectorSchedule schedule{};  // of a piece; tile.rows 0: not even one row fits
  /// Pieces that a tile has, each with instructions of its own, so that the loads of one, also of
  /// the next tile's first, run under the work on another; 0: a loop goes over them.
  int unrolled = 0;
};

/// The tallest pieces of `share` rows of `columns` whose values fit UB behind `begin`, in order of
/// use, at most half of them so that loads and stores overlap.
[[nodiscard]] MixRows cut_rows(const VectorKernel& kernel, std::int64_t share, std::int64_t columns,
                               const Machine& machine, std::int64_t begin);

/// Best fit, with copies of what is moved that take turns from piece to piece: of each number of
/// copies the tallest pieces, and of those what takes a tile least time as they are measured. As
/// cut_rows() where nothing fits that way.
[[nodiscard]] MixRows cut_rows_packed(const VectorKernel& kernel, std::int64_t share,
                                      std::int64_t columns, const Machine& machine,
                                      std::int64_t begin, const VectorMeasure& measure);

}  // namespace dvmsim
