// DVM's rules for the tiles of a matrix product: the two cost tilers, and what all rules share. The
// enumerating tiler is matmul_enumerate.cpp.
#include <algorithm>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

constexpr double kResident = 5;                     // of L2 against HBM bandwidth, DVM's constant
constexpr std::int64_t kGroups = 7, kDiagonal = 8;  // widths of the orders

/// The k block DVM takes for a tile: what half of L1 holds, at "nice" lengths.
std::int64_t dvm_tile_k(const MatmulSpec& spec, const MatmulSchedule& tile,
                        const Machine& machine) {
  const std::int64_t unit = k_unit(machine, spec.in);
  std::int64_t k = half_l1_elements(spec, machine) / (tile.tile_m + tile.tile_n);
  k = k > 512 ? round_down(k, 512) : k >= 256 ? round_down(k, 256) : round_down(k, unit);
  return std::min(k, round_up(spec.k, unit));
}

/// A cost tiler's relative times: of A or B at L2's rate while the rows in use fit, else at HBM's.
/// Which rows those are is not published; taken here as those of one wave of tiles in groups of
/// seven, against half of L2 for each operand.
class TileCost {
 public:
  TileCost(const MatmulSpec& spec, const Machine& machine, Tiling rule)
      : spec_(spec), rule_(rule), cores_(machine.cores.cube) {
    const std::int64_t across = ceil_div(cores_, kGroups);
    const bool tall = spec.m >= spec.n;
    high_ = tall ? kGroups : across;
    broad_ = tall ? across : kGroups;
    rows_ = static_cast<double>(machine.l2.size.count()) / 2 /
            static_cast<double>(spec.k * size_of(spec.in));
  }

  [[nodiscard]] double of(const MatmulSchedule& tile) const {
    const auto rate = [&](std::int64_t rows) {
      return static_cast<double>(rows) <= rows_ ? kResident : 1;
    };
    const double a = rate(high_ * tile.tile_m), b = rate(broad_ * tile.tile_n);
    if (rule_ == Tiling::Dvm) {
      return 1 / (a * static_cast<double>(tile.tile_n)) +
             1 / (b * static_cast<double>(tile.tile_m));
    }
    const std::int64_t busy = std::min<std::int64_t>(tiles_of(spec_, tile), cores_);
    const double used = static_cast<double>(busy) / static_cast<double>(cores_);
    return static_cast<double>(spec_.m * tiles_n(spec_, tile)) / (a * used) +
           static_cast<double>(spec_.n * tiles_m(spec_, tile)) / (b * used);
  }

 private:
  const MatmulSpec& spec_;
  Tiling rule_;
  std::int64_t cores_, high_ = 1, broad_ = 1;
  double rows_ = 0;  // of k elements, in half of L2
};

/// Sides are powers of two, the larger axis in the outer loop; the first of equal cost wins.
MatmulSchedule cheapest(const MatmulSpec& spec, const Machine& machine, Tiling rule) {
  constexpr std::int64_t kLargest = 256;
  const TileCost cost(spec, machine, rule);
  const bool tall = spec.m >= spec.n;
  MatmulSchedule best{};
  best.tile_m = 0;
  double least = 0;
  for (std::int64_t outer = kFractal; outer <= kLargest; outer *= 2) {
    for (std::int64_t inner = kFractal; inner <= kLargest; inner *= 2) {
      MatmulSchedule tile{};
      tile.tile_m = std::min(tall ? outer : inner, round_up(spec.m, kFractal));
      tile.tile_n = std::min(tall ? inner : outer, round_up(spec.n, kFractal));
      tile.tile_k = dvm_tile_k(spec, tile, machine);
      if (!fits(spec, tile, machine)) continue;
      const double time = cost.of(tile);
      if (best.tile_m != 0 && time >= least) continue;
      least = time;
      best = tile;
    }
  }
  return best;
}

/// DVM's cube loops. Its stored timings, made with the earliest rule, take 2550 cycles for a block
/// of 256 x 128 x 256 and 2640 for 128 x 256 x 256 whatever the clock: four drained products and
/// the first part's way to L0. And they hide FixPipe behind the next tile, by unit flags. Today's
/// loop drains small products only.
std::int64_t loop_of(const Machine& machine, Tiling rule) {
  const std::int64_t loop =
      rule == Tiling::Dvm
          ? isa::kOneAccumulator | isa::kDrainAll | isa::kDrainBlocks
          : isa::kOneAccumulator | isa::kDrainSmall | isa::kShuffleK | isa::kKeepOperands;
  return machine.cube.unit_flag ? loop | isa::kUnitFlags : loop;
}

void order(const MatmulSpec& spec, Tiling rule, MatmulSchedule& tile) {
  const bool tall = spec.m > spec.n;
  const std::int64_t rows = tiles_m(spec, tile), columns = tiles_n(spec, tile);
  if (rule == Tiling::Dvm || rule == Tiling::DvmV1) {
    tile.swizzle = tall ? isa::Swizzle::Nz : isa::Swizzle::Zn;
    tile.width = std::min(kGroups, tall ? rows : columns);
  }
  if (rule == Tiling::DvmV3) {
    tile.swizzle = isa::Swizzle::DiagonalZ;
    tile.width = kDiagonal;
  }
  // Today's machine does so whatever it is asked for.
  constexpr std::int64_t kFewest = 6;
  if (rule != Tiling::Dvm && (rows < kFewest || columns < kFewest)) {
    tile.swizzle = rows < columns ? isa::Swizzle::Zn : isa::Swizzle::Nz;
  }
}

}  // namespace

std::int64_t half_l1_elements(const MatmulSpec& spec, const Machine& machine) {
  const std::int64_t bias = spec.bias ? machine.bt.size.count() : 0;
  return (machine.l1.size.count() / 2 - bias) / size_of(spec.in);
}

MatmulSchedule choose_dvm(const MatmulSpec& spec, const Machine& machine, Tiling rule) {
  check_matmul(spec, machine);
  const bool enumerates = rule == Tiling::DvmV2 || rule == Tiling::DvmV3;
  MatmulSchedule best =
      enumerates ? enumerate_dvm(spec, machine, rule) : cheapest(spec, machine, rule);
  if (best.tile_m == 0) {
    refuse_matmul(spec, machine, "no tile fits L1, L0A, L0B and L0C; enlarge them");
  }
  order(spec, rule, best);
  best.cores = cores_for(spec, best, machine);
  best.loop = loop_of(machine, rule);
  return best;
}

}  // namespace dvmsim
