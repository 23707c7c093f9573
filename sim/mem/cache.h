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

  struct Access {
    bool hit = false;
    bool evicted_dirty = false;
    std::uint64_t victim = 0;  // line number of the evicted dirty line
    Ticks* free = nullptr;     // when the next access of this line may begin; until the next access
  };
  /// Finds the line or puts it in the place of the set's least recently used one.
  Access access(std::uint64_t line, bool write);
  /// Is the line present? Changes nothing.
  [[nodiscard]] bool contains(std::uint64_t line) const;
  void clear();
  /// The line will be accessed soon: tells the host's own cache of the first of its set, and
  /// changes nothing.
  void prefetch(std::uint64_t line) const;
  /// False for a machine without L2; access is not called then.
  [[nodiscard]] bool exists() const { return sets_ != 0; }

 private:
  static constexpr std::uint32_t kDirty = 0x80000000u;
  static constexpr std::size_t kTogether = 4;  // tags that the host compares at once
  struct Place {
    std::size_t set = 0;
    std::uint32_t tag = 0;
  };
  [[nodiscard]] Place place_of(std::uint64_t line) const;
  /// The way of the set that holds the tag; kNone if none does.
  [[nodiscard]] std::size_t find(const std::uint32_t* tags, std::uint32_t tag) const;
  /// The way becomes the set's first in order of use.
  static std::uint64_t used(std::uint64_t order, std::size_t way);

  static constexpr std::size_t kNone = ~std::size_t{0};
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

DVMSIM_HOT Cache::Place Cache::place_of(std::uint64_t line) const {
  const std::uint64_t above = by_sets_.quotient(line), tag = above + 1;
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  return {line - above * sets_, static_cast<std::uint32_t>(tag)};
}

DVMSIM_HOT std::size_t Cache::find(const std::uint32_t* tags, std::uint32_t tag) const {
  using Tags = std::uint32_t __attribute__((vector_size(kTogether * sizeof(std::uint32_t))));
  using Halves = std::uint64_t __attribute__((vector_size(sizeof(Tags))));
  Tags found{}, number{1, 2, 3, 4};  // of the way that has the tag, counted from 1
  static_assert(kTogether == 4);
  const auto look = [&](std::size_t way) {
    Tags some;
    std::memcpy(&some, tags + way, sizeof(some));
    found |= static_cast<Tags>((some & ~kDirty) == tag) & number;
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
  return std::size_t{static_cast<std::uint32_t>(either | either >> 32)} - 1;
}

DVMSIM_HOT std::uint64_t Cache::used(std::uint64_t order, std::size_t way) {
  constexpr std::uint64_t kOnes = 0x1111111111111111u, kTops = 0x8888888888888888u;
  const std::uint64_t other = order ^ way * kOnes;  // a zero nibble where the way stands
  const int place = std::countr_zero((other - kOnes) & ~other & kTops) - 3;
  const std::uint64_t later = (std::uint64_t{1} << place) - 1;  // used after it
  return (order & ~(later << 4 | 15)) | (order & later) << 4 | way;
}

DVMSIM_HOT Cache::Access Cache::access(std::uint64_t line, bool write) {
  const auto [set, tag] = place_of(line);
  std::uint64_t& order = order_[set];
  std::uint32_t* const tags = &tags_[set * pitch_];
  const std::size_t found = find(tags, tag);
  if (found != kNone) {
    order = used(order, found);
    if (write) tags[found] |= kDirty;
    return {true, false, 0, &free_[set * pitch_ + found]};
  }
  const std::size_t way = order >> oldest_ & 15;
  order = (order & ~(std::uint64_t{15} << oldest_)) << 4 | way;
  const std::uint32_t old = tags[way];
  tags[way] = write ? tag | kDirty : tag;
  Access result{false, (old & kDirty) != 0, 0, &free_[set * pitch_ + way]};
  if (result.evicted_dirty) result.victim = ((old & ~kDirty) - 1) * sets_ + set;
  *result.free = Ticks{};
  return result;
}

inline bool Cache::contains(std::uint64_t line) const {
  const auto [set, tag] = place_of(line);
  return find(&tags_[set * pitch_], tag) != kNone;
}

DVMSIM_HOT void Cache::prefetch(std::uint64_t line) const {
  const std::size_t set = place_of(line).set;
  __builtin_prefetch(&tags_[set * pitch_], 1);
  __builtin_prefetch(&order_[set], 1);
}

}  // namespace dvmsim
