// A tile of a tensor between GM and UB.
#pragma once

#include <boost/container/small_vector.hpp>

#include "compiler/codegen/tile_walk.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

/// What is moved: the part of the kernel's domain at the position, laid out by the schedule.
struct MovedTile {
  const VectorKernel& kernel;
  const VectorSchedule& schedule;
  const TilePosition& position;
};

/// What scalar registers hold about the tensors of one tile, for others that lie alike.
struct KnownPlaces {
  struct Place {
    const KernelTensor* tensor = nullptr;
    Val offset{}, length{};  // bytes from the tensor's first element; of a burst
  };
  boost::container::small_vector<Place, 4> places{};
};

/// `ub`: where it is there; `base`: of the tensor. In: into UB. `known`: of the same tile, in the
/// same turn of a loop; its registers stay taken.
void move_tile(Builder& builder, const MovedTile& tile, const KernelTensor& tensor, Val ub,
               Val base, bool in, KnownPlaces* known = nullptr);

}  // namespace dvmsim
