// What is known to have happened before a moment: for every pipe of every core of a launch, how
// many of its commands are visible by then.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "vm/base/space.h"

namespace dvmsim {

/// A moment on one core. Its own pipes are counted here; the other cores' in an entry of a
/// ClockStore, which moments share because they seldom learn of each other.
struct Clock {
  std::array<std::uint32_t, kPipes> local{};
  int remote = 0;  // entry of the store
};

class ClockStore {
 public:
  explicit ClockStore(int cores) : units_(static_cast<std::size_t>(cores) * kPipes) {
    entries_.emplace_back(units_, 0u);
  }

  /// What is known by either; both on one core.
  void join(Clock& clock, const Clock& other);
  /// An entry that holds what a moment of `core` knows, its own pipes too.
  [[nodiscard]] int entry_of(int core, const Clock& clock);
  /// An entry that holds what both hold.
  [[nodiscard]] int merge(int a, int b);
  /// Is the n-th command of that pipe visible at a moment of `core`?
  [[nodiscard]] bool covers(int core, const Clock& clock, int of_core, Pipe pipe,
                            std::uint32_t n) const {
    const auto at = static_cast<std::size_t>(pipe);
    if (core == of_core && clock.local[at] >= n) return true;
    const auto unit = static_cast<std::size_t>(of_core) * kPipes + at;
    return entries_[static_cast<std::size_t>(clock.remote)][unit] >= n;
  }

 private:
  using Entry = std::vector<std::uint32_t>;

  std::size_t units_;
  std::vector<Entry> entries_{};  // entry 0: nothing
  std::unordered_map<std::uint64_t, int> merged_{};
};

}  // namespace dvmsim
