// Our choice of tiles: a small legal set, ranked by the estimate.
#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <tuple>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

using boost::container::small_vector;

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

/// A candidate, and what it cannot take less than.
struct Bounded {
  MatmulSchedule tile{};
  double time = 0, bound = 0;  // without and with the start of its cores
  int number = 0;              // in the order of enumeration
};
using Candidates = small_vector<Bounded, 128>;

/// The best few, in ascending order of time, then of tiles, then of enumeration.
struct Finalists {
  struct One {
    MatmulSchedule tile{};
    double time = 0, least = 0;  // least: in any order of visit
    std::int64_t tiles = 0;
    int number = 0;

    [[nodiscard]] bool before(const One& other) const {
      return std::tie(time, tiles, number) < std::tie(other.time, other.tiles, other.number);
    }
  };
  std::array<One, 16> of{};
  std::size_t count = 0;

  /// Can one that takes this long be among them?
  [[nodiscard]] bool open_to(double time) const {
    return count < of.size() || time <= of.back().time;
  }
  void add(const One& one) {
    std::size_t at = count;
    while (at > 0 && one.before(of[at - 1])) --at;
    if (at == of.size()) return;
    if (count < of.size()) ++count;
    for (std::size_t i = count - 1; i > at; --i) of[i] = of[i - 1];
    of[at] = one;
  }
};

/// Ranks the candidates of a product. All of them are bounded, and estimated in ascending order of
/// the bounds until no other can be among the best.
class Ranking {
 public:
  Ranking(const MatmulSpec& spec, const Machine& machine)
      : spec_(spec), machine_(machine), estimate_(spec, machine) {
    // Every core of a launch takes time to start.
    start_ = static_cast<double>(cycles_in(machine.launch.per_core, machine.clock.core).count());
  }
  [[nodiscard]] MatmulSchedule best() const;
  /// Can best() take less, the start of cores not counted?
  [[nodiscard]] bool may_take_less(double time) const;

 private:
  /// Cores and their start included.
  [[nodiscard]] double with_start(double time, const MatmulSchedule& tile) const {
    return time + start_ * tile.cores;
  }
  [[nodiscard]] Candidates candidates() const;
  [[nodiscard]] Finalists finalists() const;
  /// In its order of visit, which decides which core meets which edges where there are few tiles.
  [[nodiscard]] double judge(const MatmulSchedule& tile) const {
    constexpr std::int64_t kFewTiles = 256;
    const bool few = tiles_of(spec_, tile) <= kFewTiles;
    return with_start((few ? estimate_.of_order(tile) : estimate_.of(tile)).total, tile);
  }

  const MatmulSpec& spec_;
  const Machine& machine_;
  MatmulEstimate estimate_;
  double start_ = 0;
};

Candidates Ranking::candidates() const {
  Candidates all;
  each_candidate(spec_, machine_, [&](const MatmulSchedule& tile) {
    const double time = estimate_.bound(tile);
    all.push_back({tile, time, with_start(time, tile), static_cast<int>(all.size())});
  });
  return all;
}

Finalists Ranking::finalists() const {
  Candidates all = candidates();
  // A heap: most of the candidates are never taken from it.
  const auto later = [](const Bounded* a, const Bounded* b) {
    return std::tie(a->bound, a->number) > std::tie(b->bound, b->number);
  };
  small_vector<const Bounded*, 128> heap;
  for (const Bounded& each : all) heap.push_back(&each);
  std::make_heap(heap.begin(), heap.end(), later);
  Finalists finalists;
  while (!heap.empty() && finalists.open_to(heap.front()->bound)) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const auto& [tile, least, bound, number] = *heap.back();
    heap.pop_back();
    const MatmulTime time = estimate_.of(tile);
    finalists.add({tile, with_start(time.total, tile), with_start(time.least, tile),
                   tiles_of(spec_, tile), number});
  }
  return finalists;
}

bool Ranking::may_take_less(double time) const {
  const auto takes_less = [&](const MatmulSchedule& tile) {
    return estimate_.of(tile).total < time;
  };
  const Candidates all = candidates();
  return std::any_of(
             all.begin(), all.end(),
             [&](const Bounded& each) { return each.time < time && takes_less(each.tile); }) ||
         takes_less(choose_dvm(spec_, machine_, Tiling::Dvm));
}

MatmulSchedule Ranking::best() const {
  const Finalists few = finalists();
  if (few.count == 0) {
    refuse_matmul(spec_, machine_, "no tile fits L1, L0A, L0B and L0C; enlarge them");
  }
  MatmulSchedule best{};
  double least = 0;
  for (std::size_t i = 0; i < few.count; ++i) {
    if (i > 0 && few.of[i].least >= least) continue;
    MatmulSchedule tile = few.of[i].tile;
    choose_order(spec_, machine_, tile);
    const double time = judge(tile);
    if (i > 0 && time >= least) continue;
    least = time;
    best = tile;
  }
  // What the estimate cannot tell apart is cut and visited as DVM does it, in our loop.
  constexpr double kUncertain = 0.97;
  MatmulSchedule dvm = choose_dvm(spec_, machine_, Tiling::Dvm);
  dvm.loop = best.loop;
  return least > kUncertain * judge(dvm) ? dvm : best;
}

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
  return Ranking(spec, machine).best();
}

bool may_take_less(const MatmulSpec& spec, const Machine& machine, double time) {
  check_matmul(spec, machine);
  return Ranking(spec, machine).may_take_less(time);
}

}  // namespace dvmsim
