// What bounds a run: the demand on every resource against what it can do in one cycle. Owns the
// verdict; the demands come from Stats.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "traces/stats.h"

namespace dvmsim {

/// What the machine could do at best. Cores a run may not use do not count.
struct Capacity {
  std::array<int, 3> cores{};      // by CoreKind
  double hbm_bytes_per_cycle = 0;  // 0: unbounded
  double l2_bytes_per_cycle = 0;
  /// A written byte of HBM costs this many read ones.
  double hbm_write_cost = 1;
};

struct Demand {
  std::string resource{};   // "cube", "vector", "mte2", "hbm", "l2", ...
  std::int64_t cycles = 0;  // at full rate, spread evenly over all of its kind
  double busy = 0;          // share of the run
};

struct Roofline {
  std::string bound{};  // the resource with the largest demand
  std::int64_t ideal_cycles = 0;
  double fraction = 0;  // ideal / actual, at most 1
  std::vector<Demand> per_pipe{};
};

/// `stats` is closed. Ties go to the resource named first: cube, vector, mte2, mte3, mte1, fix,
/// hbm, l2.
[[nodiscard]] Roofline roofline(const Stats& stats, const Capacity& capacity);

}  // namespace dvmsim
