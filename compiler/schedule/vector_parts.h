// What the schedules of vector kernels share; internal to this folder.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdint>

#include "compiler/schedule/vector.h"
#include "vm/base/rounding.h"

namespace dvmsim {

inline constexpr std::int64_t kBlock = 32;  // bytes; UB addresses and row pitches are multiples
/// Words of one step's code, generously, for the UB left over.
inline constexpr std::int64_t kWordsPerStep = 8;
/// A repeat; half of a turn through the 16 bank groups.
inline constexpr std::int64_t kBankTurn = 256;

/// How rows of a kernel's values lie in tiles; what no tile changes is asked once.
class RowPitch {
 public:
  explicit RowPitch(const VectorKernel& kernel);
  /// Elements between rows, so that rows of every type in the kernel begin on a block.
  [[nodiscard]] std::int64_t of(std::int64_t columns) const {
    return (columns + unit_ - 1) & -unit_;
  }
  /// Elements of a row's piece: one repeat of the vector unit, which can then take the same block
  /// for every repeat. 0 if the tile is no one row of whole pieces, or uniform values differ in
  /// type.
  [[nodiscard]] std::int64_t piece(VectorTile tile) const {
    const bool whole =
        tile.rows == 1 && tile.columns > piece_ && (tile.columns & (piece_ - 1)) == 0;
    return piece_ != 0 && whole ? piece_ : 0;
  }

 private:
  std::int64_t unit_ = 1, piece_ = 0;  // powers of two; 0: there are no pieces
};
[[nodiscard]] inline std::int64_t pitch_of(const VectorKernel& kernel, std::int64_t columns) {
  return RowPitch(kernel).of(columns);
}
[[nodiscard]] inline std::int64_t piece_of(const VectorKernel& kernel, VectorTile tile) {
  return RowPitch(kernel).piece(tile);
}
/// Of a value in a tile; `piece` as in VectorSchedule.
[[nodiscard]] inline std::int64_t bytes_of(const KernelValue& value, VectorTile tile,
                                           std::int64_t pitch, std::int64_t piece = 0) {
  const std::int64_t size = size_of(value.dtype);
  if (value.uniform && piece > 0) return piece * size;
  switch (value.extent) {
    case Extent::Full:
      return tile.rows * pitch * size;
    case Extent::Row:
      return pitch * size;
    case Extent::Column:
      return round_up(tile.rows * size, kBlock);
    case Extent::Scalar:
      return kBlock;
  }
  return 0;
}
/// Where tiles begin in UB, behind a program of so many steps and moves.
[[nodiscard]] std::int64_t ub_begin(const Machine& machine, std::size_t steps);
[[nodiscard]] std::int64_t ub_begin(const VectorKernel& kernel, const Machine& machine);

/// Cycles of a repeat, about.
[[nodiscard]] double weight(isa::Op op);
/// Cycles of the scalar unit to decode so many steps or moves, about.
[[nodiscard]] double decode_cycles(const Machine& machine, std::size_t steps);

/// Columns and rows of tiles to compare: what was chosen, or halves of the axes and even shares of
/// the cores.
using TileSides = boost::container::small_vector<std::int64_t, 40>;
[[nodiscard]] TileSides widths_of(const VectorKernel& kernel, int cores,
                                  const VectorChoice& choice = {});
[[nodiscard]] TileSides heights_of(const VectorKernel& kernel, int cores,
                                   const VectorChoice& choice = {});

/// The most units, up to `units`, whose buffers end at `limit` or before; 0 if one is too many. The
/// end grows with the units, about evenly, so the answer is guessed before it is looked for.
template <class End>
std::int64_t most_that_fit(std::int64_t units, std::int64_t limit, const End& end) {
  if (units <= 0) return 0;
  const std::int64_t last = end(units);
  if (last <= limit) return units;
  const std::int64_t first = end(1);
  if (first > limit) return 0;
  std::int64_t low = 1, high = units;  // fits, does not
  const std::int64_t slope = std::max<std::int64_t>(1, (last - first) / (units - 1));
  std::int64_t guess = 1 + (limit - first) / slope;
  for (std::int64_t step = 1; low + 1 < high; step *= 2) {
    guess = std::clamp(guess, low + 1, high - 1);
    if (end(guess) <= limit) {
      low = guess;
      guess += step;
    } else {
      high = guess;
      guess -= step;
    }
    if (step > 4) guess = low + (high - low) / 2;  // not even at all
  }
  return low;
}

}  // namespace dvmsim
