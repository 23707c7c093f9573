#include "sim/mem/cache.h"

#include <algorithm>

namespace dvmsim {

Cache::Cache(const Machine& machine) : ways_(static_cast<std::size_t>(machine.l2.ways)) {
  const std::int64_t lines = machine.l2.size / machine.l2.line;
  sets_ = static_cast<std::size_t>(lines) / ways_;
  by_sets_ = Divider(std::max<std::size_t>(1, sets_));
  pitch_ = (ways_ + kTogether - 1) / kTogether * kTogether;
  tags_.resize(sets_ * pitch_);
  free_ = std::make_unique_for_overwrite<Ticks[]>(sets_ * pitch_);
  order_.resize(sets_ * pitch_);
  latest_.resize(sets_);
  clear();
}

void Cache::clear() {
  std::fill(tags_.begin(), tags_.end(), 0u);
  std::fill(latest_.begin(), latest_.end(), std::uint16_t{0});
  std::vector<Link> ring(pitch_);
  for (std::size_t way = 0; way < ways_; ++way) {
    ring[way] = {static_cast<std::uint16_t>((way + 1) % ways_),
                 static_cast<std::uint16_t>((way + ways_ - 1) % ways_)};
  }
  for (std::size_t set = 0; set < sets_; ++set) {
    std::copy(ring.begin(), ring.end(), &order_[set * pitch_]);
  }
}

}  // namespace dvmsim
