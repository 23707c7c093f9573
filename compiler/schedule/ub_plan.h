// Where values lie in UB: intervals of time with a size, by best fit. Two that overlap in time do
// not overlap in UB.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <span>

namespace dvmsim {

/// A value from the step that makes it to the last that reads it, both included.
struct UbInterval {
  int first = 0, last = 0;
  std::int64_t size = 0;
};

struct UbPlan {
  boost::container::small_vector<std::int64_t, 24> base{};  // by interval
  std::int64_t end = 0;
};

/// The largest first, each into the smallest gap that holds it; addresses from `begin` on are
/// multiples of `align`.
[[nodiscard]] UbPlan plan_ub(std::span<const UbInterval> intervals, std::int64_t begin,
                             std::int64_t align);

}  // namespace dvmsim
