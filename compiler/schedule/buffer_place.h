// Where the values of a vector kernel lie in UB, by best fit: what is loaded and stored has a place
// of its own, perhaps in copies that take turns; what is computed shares the rest while it lives,
// and takes the place of its source where it can. Internal to this folder.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <span>
#include <vector>

#include "compiler/schedule/ub_plan.h"
#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

class BufferPlacer {
 public:
  /// `stretches`: the steps that run one after another on tiles; values live inside one of them,
  /// but for those that are `kept` and those that were `made` before (by value; none if it is
  /// empty). The kernel outlives it.
  BufferPlacer(const VectorKernel& kernel, std::span<const std::span<const KernelStep>> stretches,
               const std::vector<bool>& kept, const std::vector<bool>& made = {});
  explicit BufferPlacer(const VectorKernel& kernel);

  /// The layout in each stretch. What is kept, loaded or stored has the same place in all of them,
  /// and all say the same ub_end.
  [[nodiscard]] std::vector<VectorSchedule> place(VectorTile tile, BufferDepth depth,
                                                  std::int64_t begin) const;
  /// The same where there is one stretch.
  [[nodiscard]] VectorSchedule place_one(VectorTile tile, BufferDepth depth,
                                         std::int64_t begin) const;
  /// Only its ub_end.
  [[nodiscard]] std::int64_t end_of(VectorTile tile, BufferDepth depth, std::int64_t begin) const;

 private:
  template <class T>
  using Few = boost::container::small_vector<T, 24>;
  enum class Use : std::uint8_t { Computed, Kept, Made, Loaded, Stored };
  /// A place that values follow one another in; they have the size of the first.
  struct Slot {
    int first = 0, last = 0;  // steps of the stretch
    int value = 0;            // the first
  };
  struct Stretch {
    Few<Slot> slots{};
    Few<int> slot_of{};  // by value; -1: it has none
  };
  /// When is there one copy of a value, however many others have?
  enum class Single : std::uint8_t { Never, InWholeRows, Always };
  /// A value with a place of its own in all stretches.
  struct Lasting {
    int id = 0;
    Use use{};
    Single single{};
    KernelValue value{};
    std::int64_t shift = 0;
  };
  /// What no place changes.
  struct Tile {
    VectorTile tile{};
    std::int64_t pitch = 0, piece = 0;
  };
  [[nodiscard]] Tile sized(VectorTile tile) const {
    return {tile, pitch_.of(tile.columns), pitch_.piece(tile)};
  }
  [[nodiscard]] static std::int64_t bytes(const Tile& tile, const KernelValue& value) {
    return bytes_of(value, tile.tile, tile.pitch, tile.piece);
  }
  void find_lasting(const Few<Use>& use, bool kept);
  [[nodiscard]] Single single_of(int id, Use use) const;
  /// Calls for each value that lasts, with its buffer; where they end.
  template <class Visit>
  std::int64_t place_lasting(const Tile& tile, BufferDepth depth, std::int64_t begin,
                             const Visit& visit) const;
  /// Bytes from the first slot to the end of the last, in the stretch that takes most.
  [[nodiscard]] std::int64_t slot_bytes(const Tile& tile) const;
  [[nodiscard]] VectorSchedule lasting_of(const Tile& tile, BufferDepth depth,
                                          std::int64_t begin) const;
  /// Adds the stretch's buffers; where they end.
  std::int64_t add_slots(const Stretch& stretch, const Tile& tile, VectorSchedule& schedule) const;
  [[nodiscard]] UbPlan plan_slots(const Few<Slot>& slots, const Tile& tile,
                                  std::int64_t begin) const;
  void find_slots(std::span<const KernelStep> steps, const Few<Use>& use);
  void find_sides(std::span<const KernelStep> steps);
  /// The slot of a source that ends here and whose place the result of step `at` can take; or -1.
  [[nodiscard]] int place_of_source(const KernelStep& step, int at, const Few<int>& slot_of,
                                    const Few<int>& last) const;
  [[nodiscard]] std::int64_t shift(int value) const {
    return side_[static_cast<std::size_t>(value)] == 1 ? kBankTurn : 0;
  }
  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }

  const VectorKernel& kernel_;
  RowPitch pitch_;
  Few<int> side_{};         // by value: which half of a turn through the banks
  Few<Lasting> lasting_{};  // in order of place
  boost::container::small_vector<Stretch, 1> stretches_{};
  /// What slot_bytes() found, by tile: searches ask for the same tiles with other copies of what
  /// lasts, which slots do not depend on.
  struct Known {
    VectorTile tile{0, 0};
    std::int64_t bytes = 0;
  };
  mutable std::array<Known, 32> known_{};
};

}  // namespace dvmsim
