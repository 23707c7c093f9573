#include "compiler/schedule/mix_rows.h"

#include <algorithm>
#include <utility>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/vector_estimate.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kMostUnrolled = 8;  // pieces of a tile
constexpr std::size_t kMostTurning = 8;    // each takes a register

/// A tile that is one piece turns from tile to tile: then all that is moved has copies.
bool can_turn(const VectorKernel& kernel, VectorTile tile) {
  return kernel.inputs.size() + kernel.outputs.size() <= kMostTurning &&
         std::none_of(kernel.inputs.begin(), kernel.inputs.end(),
                      [&](const KernelTensor& input) { return is_invariant(kernel, input, tile); });
}

/// Do flags count what moves in a turn?
bool are_counted(const VectorKernel& kernel, const Machine& machine, BufferDepth depth,
                 std::int64_t pieces) {
  const auto in = static_cast<std::int64_t>(kernel.inputs.size());
  const auto out = static_cast<std::int64_t>(kernel.outputs.size());
  return in * std::max<std::int64_t>(pieces, depth.loads) <= machine.flag.max &&
         out * std::max<std::int64_t>(pieces, depth.stores) <= machine.flag.max;
}

}  // namespace

MixRows cut_rows(const VectorKernel& kernel, std::int64_t share, std::int64_t columns,
                 const Machine& machine, std::int64_t begin) {
  for (std::int64_t pieces = std::min<std::int64_t>(2, share); pieces <= 2 * share; pieces *= 2) {
    const VectorTile tile{std::max<std::int64_t>(1, ceil_div(share, pieces)), columns};
    VectorSchedule placed = place(kernel, tile, begin);
    if (placed.ub_end <= machine.ub.size.count()) return {std::move(placed)};
  }
  return {VectorSchedule{.tile = {0, 0}}};
}

MixRows cut_rows_packed(const VectorKernel& kernel, std::int64_t share, std::int64_t columns,
                        const Machine& machine, std::int64_t begin, const VectorMeasure& measure) {
  constexpr BufferDepth kDepths[] = {{2, 2}, {2, 1}, {1, 1}};
  const BufferPlacer placer(kernel);
  const Estimator estimator(kernel, machine);
  MixRows best{VectorSchedule{.tile = {0, 0}}};
  double least = 0;
  for (const BufferDepth depth : kDepths) {
    for (std::int64_t pieces = 1; pieces <= std::min(share, kMostUnrolled); ++pieces) {
      const VectorTile tile{ceil_div(share, pieces), columns};
      const bool turns = depth.loads > 1 || depth.stores > 1;
      if (pieces == 1 && turns && !can_turn(kernel, tile)) continue;
      if (!are_counted(kernel, machine, depth, pieces)) continue;
      if (placer.end_of(tile, depth, begin) > machine.ub.size.count()) continue;
      // With fewer copies only taller pieces take less.
      if (best.unrolled != 0 && pieces >= best.unrolled) break;
      VectorSchedule placed = placer.place_one(tile, depth, begin);
      placed.packing = Packing::BestFit;
      placed.depth = depth;
      const double period = estimator.period(estimator.moves_of(tile), depth,
                                             vector_part(measure, kernel, kernel.steps, placed));
      const double total = period * static_cast<double>(pieces);
      if (best.unrolled == 0 || total < least) {
        best = {std::move(placed), static_cast<int>(pieces)};
        least = total;
      }
      break;
    }
  }
  return best.unrolled > 0 ? best : cut_rows(kernel, share, columns, machine, begin);
}

}  // namespace dvmsim
