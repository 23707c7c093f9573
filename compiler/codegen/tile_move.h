// A tile of a tensor between GM and UB.
#pragma once

#include "compiler/codegen/tile_walk.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

/// What is moved: the part of the kernel's domain at the position, laid out by the schedule.
struct MovedTile {
  const VectorKernel& kernel;
  const VectorSchedule& schedule;
  const TilePosition& position;
};
/// `ub`: where it is there; `base`: of the tensor. In: into UB.
void move_tile(Builder& builder, const MovedTile& tile, const KernelTensor& tensor, Val ub,
               Val base, bool in);

}  // namespace dvmsim
