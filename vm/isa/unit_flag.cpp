#include "vm/isa/unit_flag.h"

#include "vm/base/rounding.h"
#include "vm/isa/footprint.h"

namespace dvmsim::isa {

Cycles unit_cycles(const Command& command, Cycles busy) {
  constexpr std::int64_t kGranule = 512;
  const Regions all = regions(command);
  std::int64_t granules = 1;
  for (int i = 0; i < all.count; ++i) {
    const Region& region = all.region[i];
    if (region.space == Space::L0C) {
      granules = std::max(granules, ceil_div(region.bytes(), kGranule));
    }
  }
  return Cycles(ceil_div(busy.count(), granules));
}

}  // namespace dvmsim::isa
