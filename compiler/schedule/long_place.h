// Where the values of a kernel in phases lie in UB; internal to this folder. Short values, loads
// and stores keep a place of their own; what a phase computes shares the rest by best fit.
#pragma once

#include <vector>

#include "compiler/schedule/phases.h"
#include "compiler/schedule/ub_plan.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

class LongPlacer {
 public:
  /// Outlived by the kernel.
  explicit LongPlacer(const PhasedKernel& phased);

  /// The layout in each phase, with `copies` of what is loaded and stored. What is kept has the
  /// same place in all of them, and all say the same ub_end.
  [[nodiscard]] std::vector<VectorSchedule> place(VectorTile tile, int copies,
                                                  std::int64_t begin) const;

 private:
  /// Values that follow one another in one place.
  struct Slot {
    int first = 0, last = 0;  // steps of the phase
    std::vector<int> values{};
  };
  [[nodiscard]] VectorSchedule place_kept(VectorTile tile, int copies, std::int64_t begin) const;
  void find_kept();
  void find_slots(const Phase& phase);
  void find_sides(const Phase& phase);
  [[nodiscard]] std::int64_t shift(int value) const;
  [[nodiscard]] bool is_kept(int value) const { return kept_[static_cast<std::size_t>(value)]; }

  const PhasedKernel& phased_;
  std::vector<bool> kept_{};                // by value: has a place of its own
  std::vector<bool> moved_{};               // by value: long, and loaded or stored
  std::vector<int> side_{};                 // by value: which half of a turn through the banks
  std::vector<std::vector<Slot>> slots_{};  // by phase
};

}  // namespace dvmsim
