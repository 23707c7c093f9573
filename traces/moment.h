// A point in time of a run, and where that point would lie if one of the machine's resources were
// faster. All arithmetic on them is maximum and addition, as in the machine itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "vm/base/space.h"
#include "vm/base/strong.h"

namespace dvmsim {

/// What a run is tried with, each faster alone: the pipes (all cores together) and memory (L2 and
/// HBM, rates and latencies).
inline constexpr std::size_t kLanes = kPipes + 1;
inline constexpr std::size_t kMemoryLane = kPipes;
[[nodiscard]] constexpr std::size_t lane_of(Pipe pipe) {
  return static_cast<std::size_t>(pipe);
}
using Lanes = std::array<double, kLanes>;

/// Index of the stretch of a run that ends at a moment; 0: none.
using Stretch = std::uint32_t;

struct Moment {
  Cycles at{};
  Stretch after = 0;
  Lanes lane{};

  /// The same amount everywhere.
  void add(Cycles cycles) {
    at += cycles;
    for (double& time : lane) time += static_cast<double>(cycles.count());
  }
  /// Lanes alone: the later one in each.
  void raise(const Lanes& other) {
    for (std::size_t i = 0; i < kLanes; ++i) lane[i] = std::max(lane[i], other[i]);
  }
  /// Becomes the later of the two. True if the other one came strictly later.
  bool reach(const Moment& other) {
    raise(other.lane);
    if (other.at <= at) return false;
    at = other.at;
    after = other.after;
    return true;
  }
};

/// First in, first out; memory is that of the longest it ever was.
class MomentQueue {
 public:
  [[nodiscard]] bool empty() const { return first_ == all_.size(); }
  void push(const Moment& moment) {
    if (first_ > 64 && 2 * first_ > all_.size()) {
      all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
    }
    all_.push_back(moment);
  }
  Moment pop() {
    const Moment moment = all_[first_++];
    if (empty()) clear();
    return moment;
  }
  void clear() {
    all_.clear();
    first_ = 0;
  }

 private:
  std::vector<Moment> all_{};
  std::size_t first_ = 0;
};

}  // namespace dvmsim
