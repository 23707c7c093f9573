#include "vm/device/cross.h"

#include <algorithm>

namespace dvmsim {

CrossFlags::CrossFlags(const Machine& machine, int cube_cores, int vector_cores)
    : cube_(cube_cores),
      vector_(vector_cores),
      ratio_(std::max(1, machine.cores.per_group)),
      ids_(machine.xflag.ids) {
  slots_.resize(static_cast<std::size_t>((cube_ + vector_) * modes() * ids_));
}

CrossFlags::Range CrossFlags::sources(int core, isa::CrossMode mode) const {
  const bool is_cube = core < cube_;
  const int group = is_cube ? core : (core - cube_) / ratio_;
  const Range members = {cube_ + std::min(vector_, group * ratio_),
                         cube_ + std::min(vector_, (group + 1) * ratio_)};
  switch (mode) {
    case isa::CrossMode::All:
      return is_cube ? Range{0, cube_} : Range{cube_, cube_ + vector_};
    case isa::CrossMode::Pair:
      return is_cube ? Range{} : members;
    case isa::CrossMode::Group:
      if (is_cube) return members;
      return group < cube_ ? Range{group, group + 1} : Range{};
  }
  return {};
}

bool CrossFlags::ready(int core, isa::CrossMode mode, int id) const {
  const Range range = sources(core, mode);
  if (range.begin >= range.end) return false;
  const std::uint32_t taken = slot(core, mode, id).taken;
  for (int source = range.begin; source < range.end; ++source) {
    if (slot(source, mode, id).sets <= taken) return false;
  }
  return true;
}

}  // namespace dvmsim
