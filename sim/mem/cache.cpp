#include "sim/mem/cache.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

Cache::Cache(const Machine& machine) : ways_(static_cast<std::size_t>(machine.l2.ways)) {
  const std::int64_t lines = machine.l2.size / machine.l2.line;
  sets_ = static_cast<std::uint64_t>(lines) / ways_;
  const auto places = sets_ * ways_;
  tags_.resize(places);
  used_.resize(places);
  free_.resize(places);
}

std::uint32_t Cache::tag_of(std::uint64_t line) const {
  const std::uint64_t tag = line / sets_ + 1;
  DVMSIM_ASSERT(tag < kDirty, "an L2 tag fits 31 bits");
  return static_cast<std::uint32_t>(tag);
}

std::size_t Cache::oldest_of(std::size_t base) const {
  std::size_t oldest = base;
  for (std::size_t i = base + 1; i < base + ways_; ++i) {
    if (used_[i] < used_[oldest]) oldest = i;
  }
  return oldest;
}

Cache::Access Cache::access(std::uint64_t line, bool write) {
  const std::uint64_t set = line % sets_;
  const std::uint32_t tag = tag_of(line);
  const std::size_t base = set * ways_;
  ++clock_;
  for (std::size_t i = base; i < base + ways_; ++i) {
    if ((tags_[i] & ~kDirty) != tag) continue;
    used_[i] = clock_;
    if (write) tags_[i] |= kDirty;
    return {true, false, 0, &free_[i]};
  }
  const std::size_t place = oldest_of(base);  // an empty place has age 0
  Access result{false, (tags_[place] & kDirty) != 0, 0, &free_[place]};
  if (result.evicted_dirty) result.victim = ((tags_[place] & ~kDirty) - 1) * sets_ + set;
  tags_[place] = write ? tag | kDirty : tag;
  used_[place] = clock_;
  free_[place] = Ticks{};
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
  std::fill(used_.begin(), used_.end(), 0u);
  std::fill(free_.begin(), free_.end(), Ticks{});
}

}  // namespace dvmsim
