// DVM's enumerating tiler: two sides run over powers of two from large to small, the third follows
// from what the buffers hold; the first pair of sides that fits ends the search.
#include <algorithm>
#include <bit>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

constexpr std::int64_t kLargest = 1024;  // side of a tile
constexpr double kResident = 5;          // of L2 against HBM bandwidth, DVM's constant

std::int64_t nice(std::int64_t value, std::int64_t unit) {
  return round_down(value, value > 256 ? std::int64_t{256} : unit);
}

class Enumeration {
 public:
  Enumeration(const MatmulSpec& spec, const Machine& machine, Tiling rule)
      : spec_(spec), machine_(machine), rule_(rule) {
    unit_ = k_unit(machine, spec.in);
    l1_ = half_l1_elements(spec, machine);
    l0c_ = machine.l0c.size.count() / 4;
    m_ = round_up(spec.m, kFractal);
    n_ = round_up(spec.n, kFractal);
    k_ = round_up(spec.k, unit_);
    // A part of a side of 2-byte elements fits half of L0 up to 1024.
    const std::int64_t row = unit_ * size_of(spec.in);
    const std::int64_t l0 = std::min(machine.l0a.size, machine.l0b.size).count() / 2;
    const auto most = static_cast<std::uint64_t>(std::max(kFractal, l0 / row));
    largest_ = std::min(kLargest, static_cast<std::int64_t>(std::bit_floor(most)));
  }

  MatmulSchedule best();

 private:
  struct Judged {
    double cost = 0;
    std::int64_t width = 1;
  };
  [[nodiscard]] MatmulSchedule derive(std::int64_t x, std::int64_t y) const;
  [[nodiscard]] bool feasible(const MatmulSchedule& tile) const;
  [[nodiscard]] Judged judge(const MatmulSchedule& tile) const;

  const MatmulSpec& spec_;
  const Machine& machine_;
  Tiling rule_;
  std::int64_t largest_ = kLargest, unit_ = 16, l1_ = 0, l0c_ = 0, m_ = 0, n_ = 0, k_ = 0;
};

/// Which two of m, n and k are given depends on how the operands are stored: those along rows.
MatmulSchedule Enumeration::derive(std::int64_t x, std::int64_t y) const {
  MatmulSchedule tile{};
  const auto side = [&](std::int64_t k, std::int64_t other, std::int64_t whole) {
    if (k > k_ || k * other >= l1_) return std::int64_t{0};
    const std::int64_t most = std::min(l0c_ / other, (l1_ - k * other) / k);
    return std::min({nice(most, kFractal), largest_, whole});
  };
  if (!spec_.trans_a) {
    tile.tile_k = x;
    tile.tile_n = y;
    tile.tile_m = y > n_ ? 0 : side(x, y, m_);
  } else if (spec_.trans_b) {
    tile.tile_k = x;
    tile.tile_m = y;
    tile.tile_n = y > m_ ? 0 : side(x, y, n_);
  } else {
    tile.tile_m = x > m_ ? 0 : x;
    tile.tile_n = y > n_ ? 0 : y;
    tile.tile_k = std::min({nice(l1_ / (x + y), unit_), kLargest, k_});
  }
  return tile;
}

bool Enumeration::feasible(const MatmulSchedule& tile) const {
  if (tile.tile_m < 1 || tile.tile_n < 1 || tile.tile_k < 1) return false;
  if (tile.tile_m * tile.tile_n > l0c_) return false;
  if ((tile.tile_m + tile.tile_n) * tile.tile_k > l1_) return false;
  if (tile.tile_n > largest_) return false;
  const auto covers = [](std::int64_t side, std::int64_t whole) {
    return side > kFractal && side / 2 >= whole;
  };
  if (rule_ == Tiling::DvmV3 && (covers(tile.tile_m, spec_.m) || covers(tile.tile_n, spec_.n))) {
    return false;
  }
  return fits(spec_, tile, machine_);
}

/// Rows of the operands that are in use at once against the part of L2 that is left to them.
/// `major`: of the longer axis of C.
Enumeration::Judged Enumeration::judge(const MatmulSchedule& tile) const {
  const bool wide = spec_.m < spec_.n;
  const std::int64_t major_tile = wide ? tile.tile_n : tile.tile_m;
  const std::int64_t minor_tile = wide ? tile.tile_m : tile.tile_n;
  const std::int64_t major_loop = wide ? tiles_n(spec_, tile) : tiles_m(spec_, tile);
  const std::int64_t minor_loop = wide ? tiles_m(spec_, tile) : tiles_n(spec_, tile);
  const bool a_along = spec_.trans_a, b_along = !spec_.trans_b;  // contiguous along the tiled axis
  const bool major_along = wide ? b_along : a_along, minor_along = wide ? a_along : b_along;
  const std::int64_t cores = machine_.cores.cube;
  const std::int64_t busy = std::min<std::int64_t>(tiles_of(spec_, tile), cores);
  const std::int64_t item = size_of(spec_.in), line = machine_.l2.line.count() / item;
  // Eight tiles of 256 x 128 for every core are set aside.
  const double budget = (static_cast<double>(machine_.l2.size.count() / item) -
                         262144.0 * static_cast<double>(cores)) /
                        static_cast<double>(spec_.k);
  const auto rows = [](std::int64_t count, bool along) {
    return static_cast<double>(along ? round_up(count, 256) : count);
  };
  const auto again = [](std::int64_t loop) {
    return static_cast<double>(loop - 1) / static_cast<double>(loop);
  };
  const auto narrow = [&](std::int64_t side, bool along) {
    return along ? std::min(1.0, static_cast<double>(side) / static_cast<double>(line)) : 1.0;
  };
  Judged best{};
  double footprint = 0;
  for (std::int64_t count = std::min(busy, major_loop); count >= 1; --count) {
    const std::int64_t width = std::min(2 * busy / count, minor_loop);
    const double major = rows(major_tile * count * 2, major_along);
    const double minor = rows(minor_tile * width, minor_along);
    const double whole = rows(minor_tile * minor_loop, minor_along) + 2 * major;
    double major_hit = again(minor_loop), minor_hit = again(major_loop);
    if (whole <= budget) {
      if (footprint != 0 && whole >= footprint) continue;
      footprint = whole;
    } else if (major + minor <= budget) {
      minor_hit = again(count);
    } else {
      const double share = std::max(0.0, budget / (major + minor));
      major_hit = again(width) * narrow(major_tile, major_along) * share;
      minor_hit = again(count) * narrow(minor_tile, minor_along) * share;
    }
    const double used = static_cast<double>(busy) / static_cast<double>(cores);
    const auto rate = [&](double hit) { return kResident / (hit + kResident * (1 - hit)) * used; };
    const double cost = 1 / (rate(major_hit) * static_cast<double>(minor_tile)) +
                        1 / (rate(minor_hit) * static_cast<double>(major_tile));
    if (best.cost == 0 || cost < best.cost) best = {cost, count};
  }
  return best;
}

MatmulSchedule Enumeration::best() {
  MatmulSchedule best{};
  best.tile_m = 0;
  Judged least{};
  const auto consider = [&](std::int64_t x, std::int64_t y) {
    MatmulSchedule tile = derive(x, y);
    if (!feasible(tile)) return;
    const Judged judged = judge(tile);
    if (best.tile_m != 0 && judged.cost >= least.cost) return;
    least = judged;
    best = tile;
  };
  for (std::int64_t x = largest_; x >= kFractal && best.tile_m == 0; x /= 2) {
    for (std::int64_t y = largest_; y >= x && best.tile_m == 0; y /= 2) {
      consider(x, y);
      if (x != y) consider(y, x);
    }
  }
  best.swizzle = spec_.m < spec_.n ? isa::Swizzle::Zn : isa::Swizzle::Nz;
  best.width = least.width;
  return best;
}

}  // namespace

MatmulSchedule enumerate_dvm(const MatmulSpec& spec, const Machine& machine, Tiling rule) {
  return Enumeration(spec, machine, rule).best();
}

}  // namespace dvmsim
