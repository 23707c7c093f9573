#include "vm/isa/unit_flag.h"

#include "vm/isa/footprint.h"

namespace dvmsim::isa {

Cycles unit_cycles(const Command& command, Cycles busy) {
  constexpr std::int64_t kGranule = 512;
  const Regions all = regions(command);
  std::int64_t granules = 1;
  for (int i = 0; i < all.count; ++i) {
    const Region& region = all.region[i];
    if (region.space == Space::L0C) {
      granules = std::max(granules, (region.bytes() + kGranule - 1) / kGranule);
    }
  }
  return Cycles((busy.count() + granules - 1) / granules);
}

}  // namespace dvmsim::isa
