// Flags inside a core: a flag is a first-in first-out queue of time stamps, with one pipe that sets
// it and one that waits for it. Counting needs no other state. A stamp is the time of a handover,
// its hop included.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "vm/base/space.h"
#include "vm/base/strong.h"
#include "vm/isa/isa.h"
#include "vm/isa/unit_flag.h"

namespace dvmsim {

/// A ring that grows when full; the oldest entry is taken first.
template <class T>
class Fifo {
 public:
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] const T& front() const { return ring_[first_]; }
  [[nodiscard]] T& at(std::size_t place) { return ring_[(first_ + place) & (ring_.size() - 1)]; }

  void push(const T& value) {
    if (count_ == ring_.size()) grow();
    ring_[(first_ + count_++) & (ring_.size() - 1)] = value;
  }
  T pop() {
    const T value = ring_[first_];
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
    return value;
  }
  void clear() { first_ = count_ = 0; }

 private:
  void grow() {
    std::vector<T> larger(ring_.empty() ? 8 : 2 * ring_.size());
    for (std::size_t i = 0; i < count_; ++i) larger[i] = at(i);
    ring_.swap(larger);
    first_ = 0;
  }
  std::vector<T> ring_{};  // a power of two
  std::size_t first_ = 0, count_ = 0;
};

/// All flags of one core.
class FlagBoard {
 public:
  [[nodiscard]] Fifo<isa::Handover>& flag(Pipe from, Pipe to, int id) {
    return flags_[(static_cast<std::size_t>(from) * kPipes + static_cast<std::size_t>(to)) *
                      isa::kFlagIds +
                  static_cast<std::size_t>(id)];
  }
  void clear() {
    for (Fifo<isa::Handover>& flag : flags_) flag.clear();
  }

 private:
  std::array<Fifo<isa::Handover>, kPipes * kPipes * isa::kFlagIds> flags_{};
};

}  // namespace dvmsim
