// What bounds a run, as a roofline with a roof for every component: each pipe, cube cores and
// vector cores apart, and the shared memory. A component's *ceiling* is the time that what was
// asked of it takes at its best; how long it was *busy* is another number, and the difference
// between the two is its efficiency. Owns the verdict; amounts come from Stats and Demands.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "traces/demands.h"
#include "traces/stats.h"

namespace dvmsim {

/// What the machine could do at best. Cores a run may not use do not count.
struct Capacity {
  std::array<int, 3> cores{};      // by CoreKind
  double hbm_bytes_per_cycle = 0;  // 0: unbounded
  double l2_bytes_per_cycle = 0;   // read; 0: unbounded
  double l2_write_cost = 1;        // a written byte costs this many read ones, in L2 and in HBM
  double hbm_write_cost = 1;
};

struct Demand {
  std::string resource{};   // "cube", "vector", "mte2", "hbm", "l2", ...
  std::int64_t cycles = 0;  // at full rate, spread evenly over all of its kind
  double busy = 0;          // share of the run
};

/// Whom a shortage blames.
enum class Side : std::uint8_t { Compute, Memory };
[[nodiscard]] constexpr std::string_view name_of(Side side) {
  return side == Side::Compute ? "compute" : "memory";
}
struct Component {
  std::string name{};               // "cube", "cube.mte2", "vector.mte2", ..., "l2", "hbm"
  Side side{};                      // cube, vector and scalar compute
  std::int64_t ceiling_cycles = 0;  // least time of the run for it, spread evenly over its kind
  std::int64_t busy_cycles = 0;     // held by commands, waits for memory included; mean of its kind
  double reached = 0;               // of the ceiling: ceiling_cycles / cycles of the run, at most 1
  double busy = 0;                  // share of the run
};

/// From 80 % of a ceiling on, that bounds; below, the busiest pipe says whether the loss is between
/// pipes (none is busy for 80 %) or in one of them.
enum class Verdict : std::uint8_t { None, Compute, Memory, Latency, LowEfficiency };
inline constexpr double kBound = 0.8;
/// "compute bound", "memory bound", "latency bound", "low efficiency"; empty for None.
[[nodiscard]] std::string_view name_of(Verdict verdict);

struct Roofline {
  std::string bound{};            // the component with the highest ceiling time
  std::int64_t ideal_cycles = 0;  // that time: nothing can be faster on this machine
  double fraction = 0;            // ideal / actual, at most 1
  std::vector<Demand> per_pipe{};

  Verdict verdict{};
  std::string limiter{};  // bound, or the busiest pipe
  Side cause{};           // of Compute, Memory, LowEfficiency: whose
  /// Of the busiest pipe: shares of the run it did not work, largest first.
  std::vector<std::pair<Reason, double>> waits{};
  std::vector<Component> components{};
  double between_launches = 0;  // share of the run in which the device had none
};

/// `stats` is closed. Ties go to the component named first: cube, vector, mte2, mte3, mte1, fix,
/// scalar, hbm, l2, and of those cube cores before vector cores.
[[nodiscard]] Roofline roofline(const Stats& stats, const Demands& demands,
                                const Capacity& capacity);

/// The least time in cycles that shared memory needs for what the run moved.
struct MemoryFloors {
  std::int64_t hbm = 0, l2 = 0;
};
[[nodiscard]] MemoryFloors floors_of(const Roofline& roofline);

}  // namespace dvmsim
