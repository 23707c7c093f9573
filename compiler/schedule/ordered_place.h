// Where the values of a vector kernel lie in UB, in order of use: what is loaded, stored or lives
// across tiles has a buffer of its own, the others take the first that was given back and is large
// enough. Internal to this folder.
#pragma once

#include <boost/container/small_vector.hpp>
#include <limits>

#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

/// Lays out tiles of one kernel, which outlives it; what does not depend on the tile is found once.
class OrderedPlacer {
 public:
  explicit OrderedPlacer(const VectorKernel& kernel);

  [[nodiscard]] VectorSchedule place(VectorTile tile, std::int64_t begin) const;
  /// Only its ub_end; of one that is beyond `limit`, perhaps less, but beyond it.
  [[nodiscard]] std::int64_t end_of(VectorTile tile, std::int64_t begin,
                                    std::int64_t limit = kEndless) const;
  /// As VectorSchedule says it: only whole rows are cut.
  [[nodiscard]] std::int64_t piece(VectorTile tile) const {
    return tile.columns == kernel_.columns() ? pitch_.piece(tile) : 0;
  }
  /// No layout of the tile is longer.
  [[nodiscard]] static std::int64_t most_bytes(const VectorKernel& kernel, VectorTile tile);

 private:
  static constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();
  /// The order in which buffers are taken and given back: the same for every tile.
  struct Event {
    int value = 0;
    bool takes = true;
  };
  void find_events();
  /// Where the last buffer ends; `buffers` by value.
  template <class Buffers>
  std::int64_t lay_out(VectorTile tile, std::int64_t begin, std::int64_t limit,
                       Buffers& buffers) const;

  const VectorKernel& kernel_;
  RowPitch pitch_;
  boost::container::small_vector<Event, 64> events_{};
};

}  // namespace dvmsim
