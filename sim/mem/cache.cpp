#include "sim/mem/cache.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "vm/base/error.h"

namespace dvmsim {

Cache::Cache(const Machine& machine) : ways_(static_cast<std::size_t>(machine.l2.ways)) {
  const std::int64_t lines = machine.l2.size / machine.l2.line;
  sets_ = static_cast<std::uint64_t>(lines) / ways_;
  const auto places = sets_ * ways_;
  tags_.resize(places);
  free_.resize(places);
}

std::uint32_t Cache::tag_of(std::uint64_t line) const {
  const std::uint64_t tag = line / sets_ + 1;
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  return static_cast<std::uint32_t>(tag);
}

static_assert(std::is_trivially_copyable_v<Ticks>);

void Cache::move_to_front(std::size_t base, std::size_t place) {
  const std::uint32_t tag = tags_[place];
  const Ticks free = free_[place];
  const std::size_t before = place - base;
  std::memmove(&tags_[base + 1], &tags_[base], before * sizeof(tag));
  std::memmove(&free_[base + 1], &free_[base], before * sizeof(free));
  tags_[base] = tag;
  free_[base] = free;
}

Cache::Access Cache::access(std::uint64_t line, bool write) {
  const std::uint64_t set = line % sets_;
  const std::uint32_t tag = tag_of(line);
  const std::size_t base = set * ways_;
  for (std::size_t i = base; i < base + ways_; ++i) {
    if ((tags_[i] & ~kDirty) != tag) continue;
    if (i != base) move_to_front(base, i);
    if (write) tags_[base] |= kDirty;
    return {true, false, 0, &free_[base]};
  }
  const std::size_t last = base + ways_ - 1;
  Access result{false, (tags_[last] & kDirty) != 0, 0, &free_[base]};
  if (result.evicted_dirty) result.victim = ((tags_[last] & ~kDirty) - 1) * sets_ + set;
  move_to_front(base, last);
  tags_[base] = write ? tag | kDirty : tag;
  free_[base] = Ticks{};
  return result;
}

bool Cache::contains(std::uint64_t line) const {
  const auto base = tags_.begin() + static_cast<std::ptrdiff_t>(line % sets_ * ways_);
  const std::uint32_t tag = tag_of(line);
  return std::any_of(base, base + static_cast<std::ptrdiff_t>(ways_),
                     [tag](std::uint32_t held) { return (held & ~kDirty) == tag; });
}

void Cache::clear() {
  std::fill(tags_.begin(), tags_.end(), 0u);
  std::fill(free_.begin(), free_.end(), Ticks{});
}

}  // namespace dvmsim
