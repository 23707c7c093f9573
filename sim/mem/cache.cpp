#include "sim/mem/cache.h"

#include <algorithm>

namespace dvmsim {

Cache::Cache(const Machine& machine) : ways_(static_cast<std::size_t>(machine.l2.ways)) {
  const std::int64_t lines = machine.l2.size / machine.l2.line;
  sets_ = static_cast<std::size_t>(lines) / ways_;
  by_sets_ = Divider(std::max<std::size_t>(1, sets_));
  oldest_ = static_cast<unsigned>(4 * (ways_ - 1));
  pitch_ = (ways_ + kTogether - 1) / kTogether * kTogether;
  tags_.resize(sets_ * pitch_);
  free_ = std::make_unique_for_overwrite<Ticks[]>(sets_ * pitch_);
  order_.resize(sets_);
  clear();
}

void Cache::clear() {
  std::fill(tags_.begin(), tags_.end(), 0u);
  std::fill(order_.begin(), order_.end(),
            0xfedcba9876543210u & ~std::uint64_t{0} >> (60 - oldest_));
}

}  // namespace dvmsim
