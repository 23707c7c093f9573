// DVM's rule for the tiles of a matrix product.
#include <algorithm>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

/// The k block DVM takes for a tile: what half of L1 holds, at "nice" lengths.
std::int64_t dvm_tile_k(const MatmulSpec& spec, const MatmulSchedule& tile,
                        const Machine& machine) {
  const std::int64_t unit = k_unit(machine, spec.in);
  const std::int64_t bias = spec.bias ? machine.bt.size.count() : 0;
  const std::int64_t elements = (machine.l1.size.count() / 2 - bias) / size_of(spec.in);
  std::int64_t k = elements / (tile.tile_m + tile.tile_n);
  k = k > 512 ? round_down(k, 512) : k >= 256 ? round_down(k, 256) : round_down(k, unit);
  return std::min(k, round_up(spec.k, unit));
}

}  // namespace

MatmulSchedule choose_dvm(const MatmulSpec& spec, const Machine& machine) {
  check_matmul(spec, machine);
  // Source: DVM's earliest cost tiler. Which rows are "used at once" is not published; taken here
  // as the rows of one wave of tiles in the order below, against half of L2 for each operand.
  constexpr std::int64_t kLargest = 256, kWidth = 7;
  const double resident = 5;  // of L2 against HBM bandwidth, DVM's constant
  const std::int64_t across = ceil_div(machine.cores.cube, kWidth);
  const double l2 = static_cast<double>(machine.l2.size.count()) / 2;
  const double row_bytes = static_cast<double>(spec.k * size_of(spec.in));
  const bool tall = spec.m >= spec.n;

  MatmulSchedule best{};
  double least = 0;
  for (std::int64_t outer = kFractal; outer <= kLargest; outer *= 2) {
    for (std::int64_t inner = kFractal; inner <= kLargest; inner *= 2) {
      MatmulSchedule tile{};
      tile.tile_m = std::min(tall ? outer : inner, round_up(spec.m, kFractal));
      tile.tile_n = std::min(tall ? inner : outer, round_up(spec.n, kFractal));
      tile.tile_k = dvm_tile_k(spec, tile, machine);
      if (!fits(spec, tile, machine)) continue;
      const double rows_a = static_cast<double>((tall ? kWidth : across) * tile.tile_m);
      const double rows_b = static_cast<double>((tall ? across : kWidth) * tile.tile_n);
      const double a = rows_a * row_bytes <= l2 ? resident : 1;
      const double b = rows_b * row_bytes <= l2 ? resident : 1;
      const double cost =
          1 / (a * static_cast<double>(tile.tile_n)) + 1 / (b * static_cast<double>(tile.tile_m));
      if (least == 0 || cost < least) {
        least = cost;
        best = tile;
      }
    }
  }
  if (least == 0) refuse_matmul(spec, machine, "no tile fits L1, L0A, L0B and L0C; enlarge them");
  best.swizzle = spec.m > spec.n ? isa::Swizzle::Nz : isa::Swizzle::Zn;
  const std::int64_t loop = spec.m > spec.n ? tiles_m(spec, best) : tiles_n(spec, best);
  best.width = std::min(kWidth, loop);
  best.cores = cores_for(spec, best, machine);
  return best;
}

}  // namespace dvmsim
