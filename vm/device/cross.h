// Flags between the cores of a team, without time: who counts for whom in each mode.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// The cores of a team are numbered: cube (or unified) cores first, then vector cores.
class CrossFlags {
 public:
  struct Range {
    int begin = 0, end = 0;  // core numbers
  };

  CrossFlags(const Machine& machine, int cube_cores, int vector_cores);

  /// The cores whose k-th set together make the k-th token of `core`; empty: nobody sets it.
  [[nodiscard]] Range sources(int core, isa::CrossMode mode) const;
  void set(int core, isa::CrossMode mode, int id) { ++slot(core, mode, id).sets; }
  /// Is there a token for this core?
  [[nodiscard]] bool ready(int core, isa::CrossMode mode, int id) const;
  void take(int core, isa::CrossMode mode, int id) { ++slot(core, mode, id).taken; }
  /// How many tokens the core has taken.
  [[nodiscard]] std::uint32_t taken(int core, isa::CrossMode mode, int id) const {
    return slot(core, mode, id).taken;
  }
  [[nodiscard]] int cores() const { return cube_ + vector_; }
  [[nodiscard]] static constexpr int modes() { return 3; }
  [[nodiscard]] int ids() const { return ids_; }

 private:
  struct Slot {
    std::uint32_t sets = 0, taken = 0;
  };
  [[nodiscard]] const Slot& slot(int core, isa::CrossMode mode, int id) const {
    return slots_[static_cast<std::size_t>((core * modes() + static_cast<int>(mode)) * ids_ + id)];
  }
  [[nodiscard]] Slot& slot(int core, isa::CrossMode mode, int id) {
    return const_cast<Slot&>(static_cast<const CrossFlags&>(*this).slot(core, mode, id));
  }

  int cube_, vector_, ratio_, ids_;
  std::vector<Slot> slots_{};
};

}  // namespace dvmsim
