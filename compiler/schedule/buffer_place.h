// Where the values of a vector kernel lie in UB, by best fit: what is loaded and stored has a place
// of its own, perhaps in copies that take turns; what is computed shares the rest while it lives,
// and takes the place of its source where it can. Internal to this folder.
#pragma once

#include <span>
#include <vector>

#include "compiler/schedule/ub_plan.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

class BufferPlacer {
 public:
  /// `stretches`: the steps that run one after another on tiles; values live inside one of them,
  /// but for those that are `kept` (by value). All outlive it.
  BufferPlacer(const VectorKernel& kernel, std::vector<std::span<const KernelStep>> stretches,
               std::vector<bool> kept);
  explicit BufferPlacer(const VectorKernel& kernel);
  /// Of a loop with these steps of the kernel; values that were made before it are `made`.
  BufferPlacer(const VectorKernel& kernel, std::span<const KernelStep> steps,
               const std::vector<bool>& made);

  /// The layout in each stretch. What is kept, loaded or stored has the same place in all of them,
  /// and all say the same ub_end.
  [[nodiscard]] std::vector<VectorSchedule> place(VectorTile tile, BufferDepth depth,
                                                  std::int64_t begin) const;
  /// Only its ub_end.
  [[nodiscard]] std::int64_t end_of(VectorTile tile, BufferDepth depth, std::int64_t begin) const;

 private:
  enum class Use : std::uint8_t { Computed, Kept, Made, Loaded, Stored };
  /// Values that follow one another in one place.
  struct Slot {
    int first = 0, last = 0;  // steps of the stretch
    std::vector<int> values{};
  };
  /// What no place changes.
  struct Tile {
    VectorTile tile{};
    std::int64_t pitch = 0, piece = 0;
  };
  [[nodiscard]] Tile sized(VectorTile tile) const;
  [[nodiscard]] std::int64_t bytes(const Tile& tile, int id) const;
  /// Calls for each value that is kept, loaded or stored, with its buffer; where they end.
  template <class Visit>
  std::int64_t place_kept(const Tile& tile, BufferDepth depth, std::int64_t begin,
                          const Visit& visit) const;
  [[nodiscard]] UbPlan plan_slots(const std::vector<Slot>& slots, const Tile& tile,
                                  std::int64_t begin) const;
  void find_moved();
  void find_slots(std::span<const KernelStep> steps);
  void find_sides(std::span<const KernelStep> steps);
  /// The slot of a source that ends here and whose place the result of step `at` can take; or -1.
  [[nodiscard]] int place_of_source(const KernelStep& step, int at, std::span<const int> slot_of,
                                    std::span<const int> last) const;
  [[nodiscard]] std::int64_t shift(int value) const;
  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }

  const VectorKernel& kernel_;
  std::vector<Use> use_{};                  // by value
  std::vector<int> input_of_{};             // by value; -1: not loaded
  std::vector<int> side_{};                 // by value: which half of a turn through the banks
  std::vector<std::vector<Slot>> slots_{};  // by stretch
};

}  // namespace dvmsim
