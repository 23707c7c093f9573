#include "vm/device/clock.h"

#include <algorithm>

namespace dvmsim {

void ClockStore::join(Clock& clock, const Clock& other) {
  for (std::size_t i = 0; i < clock.local.size(); ++i) {
    clock.local[i] = std::max(clock.local[i], other.local[i]);
  }
  clock.remote = merge(clock.remote, other.remote);
}

int ClockStore::entry_of(int core, const Clock& clock) {
  Entry entry = entries_[static_cast<std::size_t>(clock.remote)];
  for (std::size_t i = 0; i < clock.local.size(); ++i) {
    std::uint32_t& known = entry[static_cast<std::size_t>(core) * kPipes + i];
    known = std::max(known, clock.local[i]);
  }
  entries_.push_back(std::move(entry));
  return static_cast<int>(entries_.size()) - 1;
}

int ClockStore::merge(int a, int b) {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (a > b) std::swap(a, b);
  const auto key = static_cast<std::uint64_t>(a) << 32 | static_cast<std::uint64_t>(b);
  const auto [found, is_new] = merged_.emplace(key, 0);
  if (!is_new) return found->second;
  const Entry& x = entries_[static_cast<std::size_t>(a)];
  const Entry& y = entries_[static_cast<std::size_t>(b)];
  Entry both(units_);
  for (std::size_t i = 0; i < units_; ++i) both[i] = std::max(x[i], y[i]);
  if (both == y) return found->second = b;
  if (both == x) return found->second = a;
  entries_.push_back(std::move(both));
  return found->second = static_cast<int>(entries_.size()) - 1;
}

}  // namespace dvmsim
