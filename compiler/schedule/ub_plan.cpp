#include "compiler/schedule/ub_plan.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

struct Taken {
  std::int64_t begin = 0, end = 0;
};

/// Begin of the smallest gap between `taken` (in order of address) that holds `size` bytes.
std::int64_t best_fit(const std::vector<Taken>& taken, std::int64_t begin, std::int64_t size) {
  std::int64_t at = begin, best = -1, smallest = std::numeric_limits<std::int64_t>::max();
  for (const Taken& other : taken) {
    const std::int64_t gap = other.begin - at;
    if (gap >= size && gap < smallest) {
      smallest = gap;
      best = at;
    }
    at = std::max(at, other.end);
  }
  return best >= 0 ? best : at;
}

}  // namespace

UbPlan plan_ub(std::span<const UbInterval> intervals, std::int64_t begin, std::int64_t align) {
  UbPlan plan;
  plan.base.assign(intervals.size(), -1);
  plan.end = begin = round_up(begin, align);
  std::vector<std::size_t> order(intervals.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return intervals[a].size > intervals[b].size;
  });
  std::vector<Taken> taken;
  for (std::size_t placed = 0; placed < order.size(); ++placed) {
    const UbInterval& own = intervals[order[placed]];
    const std::int64_t size = round_up(own.size, align);
    taken.clear();
    for (std::size_t i = 0; i < placed; ++i) {
      const UbInterval& other = intervals[order[i]];
      if (other.last < own.first || own.last < other.first) continue;
      const std::int64_t base = plan.base[order[i]];
      taken.push_back({base, base + round_up(other.size, align)});
    }
    std::sort(taken.begin(), taken.end(), [](Taken a, Taken b) { return a.begin < b.begin; });
    const std::int64_t base = best_fit(taken, begin, size);
    plan.base[order[placed]] = base;
    plan.end = std::max(plan.end, base + size);
  }
  return plan;
}

}  // namespace dvmsim
