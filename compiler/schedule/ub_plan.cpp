#include "compiler/schedule/ub_plan.h"

#include <algorithm>
#include <limits>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

template <class T>
using Few = boost::container::small_vector<T, 24>;

/// An interval that has its place.
struct Placed {
  int first = 0, last = 0;
  std::int64_t begin = 0, end = 0;
};

/// Begin of the smallest gap that holds `size` bytes between those of `placed` (in order of
/// address) that live when `own` does.
std::int64_t best_fit(std::span<const Placed> placed, const UbInterval& own, std::int64_t begin,
                      std::int64_t size) {
  std::int64_t at = begin, best = -1, smallest = std::numeric_limits<std::int64_t>::max();
  for (const Placed& other : placed) {
    if (other.last < own.first || own.last < other.first) continue;
    const std::int64_t gap = other.begin - at;
    if (gap >= size && gap < smallest) {
      smallest = gap;
      best = at;
    }
    at = std::max(at, other.end);
  }
  return best >= 0 ? best : at;
}

/// Puts it behind the last of the first `count` that it does not come before, which are in order.
/// There is room for one more.
template <class T, class Before>
void insert(T* sorted, std::size_t count, const T& one, const Before& before) {
  std::size_t at = count;
  for (; at > 0 && before(one, sorted[at - 1]); --at) sorted[at] = sorted[at - 1];
  sorted[at] = one;
}

/// The largest first; of the same size, in order.
Few<std::size_t> order_of(std::span<const UbInterval> intervals) {
  Few<std::size_t> order(intervals.size(), boost::container::default_init);
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    insert(order.data(), i, i,
           [&](std::size_t a, std::size_t b) { return intervals[a].size > intervals[b].size; });
  }
  return order;
}

}  // namespace

UbPlan plan_ub(std::span<const UbInterval> intervals, std::int64_t begin, std::int64_t align) {
  UbPlan plan;
  plan.end = begin = round_up(begin, align);
  if (intervals.empty()) return plan;
  plan.base.resize(intervals.size(), boost::container::default_init);
  Few<Placed> placed(intervals.size(), boost::container::default_init);
  std::size_t count = 0;
  for (std::size_t i : order_of(intervals)) {
    const UbInterval& own = intervals[i];
    const std::int64_t size = round_up(own.size, align);
    const std::int64_t base = best_fit({placed.data(), count}, own, begin, size);
    insert(placed.data(), count++, {own.first, own.last, base, base + size},
           [](const Placed& a, const Placed& b) { return a.begin < b.begin; });
    plan.base[i] = base;
    plan.end = std::max(plan.end, base + size);
  }
  return plan;
}

}  // namespace dvmsim
