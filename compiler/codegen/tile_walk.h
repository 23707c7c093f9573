// The walk of a core over its share of a grid of tiles, in scalar registers: which tile comes next,
// where it lies in each dimension, how much of it is left at an edge.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <span>

#include "compiler/codegen/builder.h"

namespace dvmsim {

/// By dimension of the grid, outermost first.
template <class T>
using ByDim = boost::container::small_vector<T, 4>;

/// Registers of one iteration.
struct TilePosition {
  ByDim<Val> index{};          // in elements, or in units
  ByDim<std::int64_t> unit{};  // elements of an index; none: 1 each
  ByDim<Val> extent{};         // elements of the dimension covered by this tile
};

class TileWalk {
 public:
  /// A grid over `dims`, in tiles of `tile` elements. Contiguous shares over the launch's cores.
  TileWalk(Builder& builder, std::span<const std::int64_t> dims,
           std::span<const std::int64_t> tile);
  /// The same over `cores` walkers, of which this is number `core`. If their number is known, so is
  /// a share, and whether all are alike.
  TileWalk(Builder& builder, std::span<const std::int64_t> dims, std::span<const std::int64_t> tile,
           Val core, Val cores);

  /// Tiles of this core: the count of the loop.
  [[nodiscard]] Val count() const { return count_; }
  /// First in the loop's body: computes the position.
  [[nodiscard]] TilePosition begin() { return position(false); }
  /// The same with indices in tiles, which addresses can do with.
  [[nodiscard]] TilePosition begin_in_tiles() { return position(true); }
  /// Last in the loop's body.
  void end();

 private:
  [[nodiscard]] TilePosition position(bool in_tiles);

  Builder& builder_;
  ByDim<std::int64_t> dims_{}, tile_{};
  Reg current_{};
  Val count_{};
};

/// base + sum of index[i] * unit[i] * stride[i] * size, leaving out zero strides.
[[nodiscard]] Val address(Builder& builder, Val base, const TilePosition& position,
                          std::span<const std::int64_t> stride, std::int64_t size);

}  // namespace dvmsim
