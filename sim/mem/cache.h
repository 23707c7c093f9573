// The directory of L2: which lines are present, which are dirty, which was used longest ago. Owns
// no data and no rates; each line carries one time stamp for the server.
#pragma once

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
  /// The line will be accessed soon: tells the host's own cache, and changes nothing.
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
  /// The ways of a set in a ring by time of use: `next` was used before this one.
  struct Link {
    std::uint16_t next = 0, previous = 0;
  };
  [[nodiscard]] Place place_of(std::uint64_t line) const;
  /// The way of the set that holds the tag; kNone if none does.
  [[nodiscard]] std::size_t find(std::size_t set, std::uint32_t tag) const;
  /// The way becomes the set's first in order of use.
  void use(std::size_t set, std::size_t way);

  static constexpr std::size_t kNone = ~std::size_t{0};
  static constexpr std::size_t kHostLine = 64;
  template <class T>
  using HostLines = boost::alignment::aligned_allocator<T, kHostLine>;  // a set begins with one
  std::size_t sets_ = 0, ways_ = 0;
  Divider by_sets_{1};
  std::size_t pitch_ = 0;  // places of a set: its ways, filled up to a whole comparison
  // By set and way. A line stays in its way; the order of use is kept apart, so that a set costs
  // few bytes of the host's cache.
  std::vector<std::uint32_t, HostLines<std::uint32_t>>
      tags_{};                       // line / sets + 1, 0: empty; top bit: dirty
  std::unique_ptr<Ticks[]> free_{};  // of lines that are there
  std::vector<Link, HostLines<Link>> order_{};
  std::vector<std::uint16_t> latest_{};  // by set: the way used last
};

DVMSIM_HOT Cache::Place Cache::place_of(std::uint64_t line) const {
  const std::uint64_t above = by_sets_.quotient(line), tag = above + 1;
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  return {line - above * sets_, static_cast<std::uint32_t>(tag)};
}

DVMSIM_HOT std::size_t Cache::find(std::size_t set, std::uint32_t tag) const {
  using Tags = std::uint32_t __attribute__((vector_size(kTogether * sizeof(std::uint32_t))));
  using Found = std::uint64_t __attribute__((vector_size(sizeof(Tags))));
  const std::uint32_t* const first = &tags_[set * pitch_];
  Found any{};  // most lines are not there: one look at the end
  for (std::size_t way = 0; way < ways_; way += kTogether) {
    Tags tags;
    std::memcpy(&tags, first + way, sizeof(tags));
    any |= reinterpret_cast<Found>((tags & ~kDirty) == tag);
  }
  if ((any[0] | any[1]) == 0) return kNone;
  std::size_t way = 0;
  while ((first[way] & ~kDirty) != tag) ++way;
  return way;
}

DVMSIM_HOT void Cache::use(std::size_t set, std::size_t way) {
  std::uint16_t& latest = latest_[set];
  if (latest == way) return;
  Link* const order = &order_[set * pitch_];
  const auto mine = static_cast<std::uint16_t>(way);
  if (order[latest].previous != mine) {  // else the ring only turns: the oldest is the first again
    const auto [next, previous] = order[mine];
    order[previous].next = next;
    order[next].previous = previous;
    const std::uint16_t oldest = order[latest].previous;
    order[mine] = {latest, oldest};
    order[oldest].next = order[latest].previous = mine;
  }
  latest = mine;
}

DVMSIM_HOT Cache::Access Cache::access(std::uint64_t line, bool write) {
  const auto [set, tag] = place_of(line);
  const std::size_t found = find(set, tag);
  const std::size_t way = found != kNone ? found : order_[set * pitch_ + latest_[set]].previous;
  use(set, way);
  const std::size_t place = set * pitch_ + way;
  if (found != kNone) {
    if (write) tags_[place] |= kDirty;
    return {true, false, 0, &free_[place]};
  }
  const std::uint32_t old = tags_[place];
  Access result{false, (old & kDirty) != 0, 0, &free_[place]};
  if (result.evicted_dirty) result.victim = ((old & ~kDirty) - 1) * sets_ + set;
  tags_[place] = write ? tag | kDirty : tag;
  free_[place] = Ticks{};
  return result;
}

inline bool Cache::contains(std::uint64_t line) const {
  const auto [set, tag] = place_of(line);
  return find(set, tag) != kNone;
}

inline void Cache::prefetch(std::uint64_t line) const {
  const auto fetch = [](const auto* first, std::size_t count) {
    const auto* bytes = reinterpret_cast<const char*>(first);
    for (std::size_t at = 0; at < count * sizeof(*first); at += kHostLine) {
      __builtin_prefetch(bytes + at, 1);
    }
  };
  const std::size_t base = place_of(line).set * pitch_;
  fetch(&tags_[base], ways_);
  fetch(&order_[base], ways_);
  fetch(&free_[base], ways_);
}

}  // namespace dvmsim
