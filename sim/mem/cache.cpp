#include "sim/mem/cache.h"

#include <algorithm>
#include <cstring>

#include "vm/base/error.h"

namespace dvmsim {

Cache::Cache(const Machine& machine) : ways_(static_cast<std::size_t>(machine.l2.ways)) {
  const std::int64_t lines = machine.l2.size / machine.l2.line;
  sets_ = static_cast<std::uint64_t>(lines) / ways_;
  const auto places = sets_ * ways_;
  tags_.resize(places);
  free_.resize(places);
  order_.resize(places);
  clear();
}

Cache::Place Cache::place_of(std::uint64_t line) const {
  // Most line numbers fit 32 bits, where the host divides twice as fast.
  std::uint64_t tag = 0, set = 0;
  if ((line | sets_) >> 32 == 0) {
    const auto narrow = static_cast<std::uint32_t>(line), sets = static_cast<std::uint32_t>(sets_);
    tag = narrow / sets + 1;
    set = narrow % sets;
  } else {
    tag = line / sets_ + 1;
    set = line % sets_;
  }
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  return {set, static_cast<std::uint32_t>(tag)};
}

std::size_t Cache::find(std::size_t base, std::uint32_t tag) const {
  const std::uint32_t* const tags = &tags_[base];
  // No early way out: the host compares several tags at a time.
  std::size_t found = ways_;
  for (std::size_t way = 0; way < ways_; ++way) {
    found = (tags[way] & ~kDirty) == tag ? way : found;
  }
  return found;
}

void Cache::use(std::uint64_t set, std::size_t way) {
  std::uint16_t* const order = &order_[set * ways_];
  const auto mine = static_cast<std::uint16_t>(way);
  if (order[0] == mine) return;
  std::size_t at = ways_ - 1;  // a miss moves the last one
  if (order[at] != mine) {
    for (at = 1; order[at] != mine;) ++at;
  }
  std::memmove(order + 1, order, at * sizeof(mine));
  order[0] = mine;
}

Cache::Access Cache::access(std::uint64_t line, bool write) {
  const auto [set, tag] = place_of(line);
  const std::size_t base = set * ways_;
  const std::size_t found = find(base, tag);
  if (found != ways_) {
    use(set, found);
    if (write) tags_[base + found] |= kDirty;
    return {true, false, 0, &free_[base + found]};
  }
  const std::size_t last = order_[base + ways_ - 1];
  const std::uint32_t old = tags_[base + last];
  Access result{false, (old & kDirty) != 0, 0, &free_[base + last]};
  if (result.evicted_dirty) result.victim = ((old & ~kDirty) - 1) * sets_ + set;
  use(set, last);
  tags_[base + last] = write ? tag | kDirty : tag;
  free_[base + last] = Ticks{};
  return result;
}

bool Cache::contains(std::uint64_t line) const {
  const auto [set, tag] = place_of(line);
  return find(set * ways_, tag) != ways_;
}

void Cache::prefetch(std::uint64_t line) const {
  constexpr std::size_t kHostLine = 64;
  const auto fetch = [](const auto* first, std::size_t count) {
    const auto* bytes = reinterpret_cast<const char*>(first);
    for (std::size_t at = 0; at < count * sizeof(*first); at += kHostLine) {
      __builtin_prefetch(bytes + at, 1);
    }
  };
  const std::size_t base = place_of(line).set * ways_;
  fetch(&tags_[base], ways_);
  fetch(&order_[base], ways_);
  fetch(&free_[base], ways_);
}

void Cache::clear() {
  std::fill(tags_.begin(), tags_.end(), 0u);
  std::fill(free_.begin(), free_.end(), Ticks{});
  for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint16_t>(i % ways_);
}

}  // namespace dvmsim
