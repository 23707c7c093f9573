#include "compiler/schedule/ub_plan.h"

#include <algorithm>
#include <limits>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

struct Taken {
  std::int64_t begin = 0, end = 0;
};
template <class T>
using Few = boost::container::small_vector<T, 24>;

/// Puts it behind all that are not greater.
template <class T, class Less>
void insert(Few<T>& sorted, const T& one, const Less& less) {
  sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), one, less), one);
}

/// Begin of the smallest gap between `taken` (in order of address) that holds `size` bytes.
std::int64_t best_fit(const Few<Taken>& taken, std::int64_t begin, std::int64_t size) {
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
  Few<std::size_t> order;
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    insert(order, i,
           [&](std::size_t a, std::size_t b) { return intervals[a].size > intervals[b].size; });
  }
  Few<Taken> taken;
  for (std::size_t placed = 0; placed < order.size(); ++placed) {
    const UbInterval& own = intervals[order[placed]];
    const std::int64_t size = round_up(own.size, align);
    taken.clear();
    for (std::size_t i = 0; i < placed; ++i) {
      const UbInterval& other = intervals[order[i]];
      if (other.last < own.first || own.last < other.first) continue;
      const std::int64_t base = plan.base[order[i]];
      insert(taken, {base, base + round_up(other.size, align)},
             [](const Taken& a, const Taken& b) { return a.begin < b.begin; });
    }
    const std::int64_t base = best_fit(taken, begin, size);
    plan.base[order[placed]] = base;
    plan.end = std::max(plan.end, base + size);
  }
  return plan;
}

}  // namespace dvmsim
