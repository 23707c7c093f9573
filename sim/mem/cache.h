// The directory of L2: which lines are present, which are dirty, which was used longest ago. Owns
// no data and no rates; each line carries one time stamp for the server.
#pragma once

#include <bit>
#include <boost/align/aligned_allocator.hpp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "sim/mem/hot.h"
#include "sim/mem/ticks.h"
#include "vm/base/divider.h"
#include "vm/base/error.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class Cache {
 public:
  explicit Cache(const Machine& machine);

  /// Where a line is, or that it is not there; good until the cache changes.
  class Place {
   public:
    [[nodiscard]] bool present() const { return way_ != kNone; }

   private:
    friend Cache;
    static constexpr std::size_t kNone = ~std::size_t{0};
    std::size_t set_ = 0, way_ = kNone;
    std::uint32_t tag_ = 0;
  };
  [[nodiscard]] Place find(std::uint64_t line) const;
  /// The line is there and is used: when its next access may begin, until that is set anew.
  Ticks& use(const Place& place, bool write);
  struct Victim {
    bool dirty = false;
    std::uint64_t line = 0;  // of a dirty one
  };
  /// The line is not there: it takes the place of the set's least recently used one. The caller
  /// sets when its next access may begin.
  Ticks& replace(const Place& place, bool write, Victim& victim);
  void clear();
  /// The line will be accessed soon: tells the host's own cache of the first of its set, and
  /// changes nothing.
  void prefetch(std::uint64_t line) const;
  /// False for a machine without L2; nothing else is called then.
  [[nodiscard]] bool exists() const { return sets_ != 0; }

 private:
  static constexpr std::uint32_t kDirty = 0x80000000u;
  static constexpr std::size_t kTogether = 4;  // tags that the host compares at once
  /// The place of a line that is not there.
  [[nodiscard]] Place absent(std::uint64_t line) const;
  /// The order after the way was used.
  static std::uint64_t used(std::uint64_t order, std::size_t way);

  static constexpr std::size_t kHostLine = 64;
  template <class T>
  using HostLines = boost::alignment::aligned_allocator<T, kHostLine>;  // a set begins with one
  std::size_t sets_ = 0, ways_ = 0;
  Divider by_sets_{1};
  unsigned oldest_ = 0;    // place of the way used longest ago in an order
  std::size_t pitch_ = 0;  // places of a set: its ways, filled up to a whole comparison
  // By set and way. A line stays in its way; the order of use is kept apart, so that a set costs
  // few bytes of the host's cache.
  std::vector<std::uint32_t, HostLines<std::uint32_t>>
      tags_{};                          // line / sets + 1, 0: empty; top bit: dirty
  std::unique_ptr<Ticks[]> free_{};     // of lines that are there
  std::vector<std::uint64_t> order_{};  // by set: a nibble a way, the one used last is the lowest
};

DVMSIM_HOT Cache::Place Cache::absent(std::uint64_t line) const {
  const std::uint64_t above = by_sets_.quotient(line), tag = above + 1;
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  Place place;
  place.set_ = line - above * sets_;
  place.tag_ = static_cast<std::uint32_t>(tag);
  return place;
}

DVMSIM_HOT Cache::Place Cache::find(std::uint64_t line) const {
  using Tags = std::uint32_t __attribute__((vector_size(kTogether * sizeof(std::uint32_t))));
  using Halves = std::uint64_t __attribute__((vector_size(sizeof(Tags))));
  Place place = absent(line);
  const std::uint32_t* const tags = &tags_[place.set_ * pitch_];
  Tags found{}, number{1, 2, 3, 4};  // of the way that has the tag, counted from 1
  static_assert(kTogether == 4);
  const auto look = [&](std::size_t way) {
    Tags some;
    std::memcpy(&some, tags + way, sizeof(some));
    found |= static_cast<Tags>((some & ~kDirty) == place.tag_) & number;
    number += kTogether;
  };
  look(0);
  if (pitch_ == 4 * kTogether) {  // as most machines have it: without a loop
    look(kTogether), look(2 * kTogether), look(3 * kTogether);
  } else {
    for (std::size_t way = kTogether; way < pitch_; way += kTogether) look(way);
  }
  const auto halves = reinterpret_cast<Halves>(found);
  const std::uint64_t either = halves[0] | halves[1];
  place.way_ = std::size_t{static_cast<std::uint32_t>(either | either >> 32)} - 1;
  return place;
}

DVMSIM_HOT std::uint64_t Cache::used(std::uint64_t order, std::size_t way) {
  constexpr std::uint64_t kOnes = 0x1111111111111111u, kTops = 0x8888888888888888u;
  const std::uint64_t other = order ^ way * kOnes;  // a zero nibble where the way stands
  const int bit = std::countr_zero((other - kOnes) & ~other & kTops) - 3;
  const std::uint64_t later = (std::uint64_t{1} << bit) - 1;  // used after it
  return (order & ~(later << 4 | 15)) | (order & later) << 4 | way;
}

DVMSIM_HOT Ticks& Cache::use(const Place& place, bool write) {
  order_[place.set_] = used(order_[place.set_], place.way_);
  const std::size_t at = place.set_ * pitch_ + place.way_;
  if (write) tags_[at] |= kDirty;
  return free_[at];
}

DVMSIM_HOT Ticks& Cache::replace(const Place& place, bool write, Victim& victim) {
  std::uint64_t& order = order_[place.set_];
  const std::uint64_t way = order >> oldest_ & 15;
  order = (order & ~(std::uint64_t{15} << oldest_)) << 4 | way;
  const std::size_t at = place.set_ * pitch_ + way;
  const std::uint32_t old = tags_[at];
  tags_[at] = write ? place.tag_ | kDirty : place.tag_;
  victim.dirty = (old & kDirty) != 0;
  if (victim.dirty) victim.line = ((old & ~kDirty) - 1) * sets_ + place.set_;
  return free_[at];
}

DVMSIM_HOT void Cache::prefetch(std::uint64_t line) const {
  const std::size_t set = absent(line).set_;
  __builtin_prefetch(&tags_[set * pitch_], 1);
  __builtin_prefetch(&order_[set], 1);
}

}  // namespace dvmsim
