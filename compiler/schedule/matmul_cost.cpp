// Our choice of tiles: a small legal set, ranked by the estimate.
#include <algorithm>
#include <array>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

/// Tile sides worth trying for a dimension: a ladder, and the cut of the whole into equal parts.
struct Sides {
  std::array<std::int64_t, 20> side{};
  std::size_t count = 0;

  void add(std::int64_t value) {
    if (std::find(side.begin(), side.begin() + count, value) == side.begin() + count) {
      side[count++] = value;
    }
  }
};

Sides sides_of(std::int64_t extent) {
  constexpr std::array<std::int64_t, 10> kLadder = {16, 32, 64, 96, 128, 160, 192, 256, 384, 512};
  const std::int64_t whole = round_up(extent, kFractal);
  Sides sides{};
  for (std::int64_t side : kLadder) {
    if (side < whole) sides.add(side);
  }
  for (std::int64_t parts = 1; parts <= 4; ++parts) {
    const std::int64_t side = round_up(ceil_div(extent, parts), kFractal);
    if (side <= kLadder.back()) sides.add(side);
  }
  return sides;
}

}  // namespace

std::int64_t widest_tile_k(const MatmulSpec& spec, const MatmulSchedule& tile,
                           const Machine& machine) {
  const std::int64_t unit = k_unit(machine, spec.in), size = size_of(spec.in);
  const std::int64_t bias = spec.bias ? machine.bt.size.count() : 0;
  const std::int64_t bytes = machine.l1.size.count() / kStages - bias;
  const std::int64_t most = bytes / ((tile.tile_m + tile.tile_n + 2 * kFractal) * size);
  const std::int64_t whole = round_up(spec.k, unit);
  if (most >= whole && whole <= 1024) return whole;
  const std::int64_t line = machine.l2.line.count() / size;  // elements
  for (std::int64_t multiple = line; multiple >= unit; multiple /= 2) {
    if (most >= multiple && multiple % unit == 0) {
      return std::min(round_down(std::min<std::int64_t>(most, 1024), multiple), whole);
    }
  }
  return round_down(most, unit);
}

namespace {

/// Calls rank for each candidate.
template <class Rank>
void each_candidate(const MatmulSpec& spec, const Machine& machine, Rank&& rank) {
  const Sides rows = sides_of(spec.m), columns = sides_of(spec.n);
  const std::int64_t loop = isa::kKeepOperands | isa::kDrainSmall | isa::kEvenParts |
                            (machine.cube.unit_flag ? std::int64_t{isa::kUnitFlags} : 0);
  for (std::size_t i = 0; i < rows.count; ++i) {
    for (std::size_t j = 0; j < columns.count; ++j) {
      MatmulSchedule tile{};
      tile.loop = loop;
      tile.tile_m = rows.side[i];
      tile.tile_n = columns.side[j];
      if (tile.tile_m * tile.tile_n * 4 > machine.l0c.size.count()) continue;
      tile.tile_k = widest_tile_k(spec, tile, machine);
      if (!fits(spec, tile, machine)) continue;
      tile.cores = cores_for(spec, tile, machine);
      rank(tile);
    }
  }
}

/// The best few, in ascending order of time, then of tiles.
struct Finalists {
  struct One {
    MatmulSchedule tile{};
    double time = 0;
    std::int64_t tiles = 0;
  };
  std::array<One, 16> of{};
  std::size_t count = 0;

  void add(const MatmulSchedule& tile, double time, std::int64_t tiles) {
    std::size_t at = count;
    while (at > 0 &&
           (time < of[at - 1].time || (time == of[at - 1].time && tiles < of[at - 1].tiles))) {
      --at;
    }
    if (at == of.size()) return;
    if (count < of.size()) ++count;
    for (std::size_t i = count - 1; i > at; --i) of[i] = of[i - 1];
    of[at] = {tile, time, tiles};
  }
};

}  // namespace

/// The order whose waves touch the fewest bytes of A and B: a wave of tiles as square as it can be.
void choose_order(const MatmulSpec& spec, const Machine& machine, MatmulSchedule& tile) {
  const std::int64_t rows = tiles_m(spec, tile), columns = tiles_n(spec, tile);
  const std::int64_t wave = std::min<std::int64_t>(machine.cores.cube, rows * columns);
  std::int64_t least = 0;
  for (std::int64_t width = 1; width <= wave; ++width) {
    const std::int64_t other = ceil_div(wave, width);
    if (width > columns || other > rows) continue;
    const std::int64_t touched = width * tile.tile_n + other * tile.tile_m;
    if (least != 0 && touched >= least) continue;
    least = touched;
    // The panel that stays is the one of the longer side: walk along the other.
    tile.swizzle = columns >= rows ? isa::Swizzle::Zn : isa::Swizzle::Nz;
    tile.width = columns >= rows ? width : other;
  }
  if (least != 0) return;
  tile.swizzle = columns >= rows ? isa::Swizzle::Nz : isa::Swizzle::Zn;
  tile.width = std::min(rows, columns);
}

std::vector<MatmulSchedule> matmul_candidates(const MatmulSpec& spec, const Machine& machine) {
  check_matmul(spec, machine);
  std::vector<MatmulSchedule> all;
  each_candidate(spec, machine, [&](const MatmulSchedule& tile) { all.push_back(tile); });
  return all;
}

MatmulSchedule choose_cost(const MatmulSpec& spec, const Machine& machine) {
  check_matmul(spec, machine);
  const MatmulEstimate estimate(spec, machine);
  // Every core of a launch takes time to start.
  const auto start =
      static_cast<double>(cycles_in(machine.launch.per_core, machine.clock.core).count());
  Finalists finalists;
  each_candidate(spec, machine, [&](const MatmulSchedule& tile) {
    finalists.add(tile, estimate.of(tile).total + start * tile.cores, tiles_of(spec, tile));
  });
  if (finalists.count == 0) {
    refuse_matmul(spec, machine, "no tile fits L1, L0A, L0B and L0C; enlarge them");
  }
  // Among the best, the order of visit decides which core meets which edges.
  constexpr std::int64_t kFewTiles = 256;
  const auto judge = [&](const MatmulSchedule& tile) {
    const bool few = tiles_of(spec, tile) <= kFewTiles;
    return (few ? estimate.of_order(tile) : estimate.of(tile)).total + start * tile.cores;
  };
  MatmulSchedule best{};
  double least = 0;
  for (std::size_t i = 0; i < finalists.count; ++i) {
    MatmulSchedule tile = finalists.of[i].tile;
    choose_order(spec, machine, tile);
    const double time = judge(tile);
    if (i > 0 && time >= least) continue;
    least = time;
    best = tile;
  }
  // What the estimate cannot tell apart is cut and visited as DVM does it, in our loop.
  constexpr double kUncertain = 0.97;
  MatmulSchedule dvm = choose_dvm(spec, machine, Tiling::Dvm);
  dvm.loop = best.loop;
  return least > kUncertain * judge(dvm) ? dvm : best;
}

}  // namespace dvmsim
