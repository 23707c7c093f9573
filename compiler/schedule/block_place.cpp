#include "compiler/schedule/block_place.h"

#include "compiler/schedule/buffer_place.h"

namespace dvmsim {

std::optional<VectorSchedule> place_block(const VectorKernel& kernel, VectorTile tile,
                                          const Machine& machine, std::int64_t begin) {
  const BufferPlacer placer(kernel);
  for (const BufferDepth depth : {BufferDepth{2, 2}, BufferDepth{1, 1}}) {
    VectorSchedule placed = placer.place_one(tile, depth, begin);
    placed.packing = Packing::BestFit;
    if (placed.ub_end <= machine.ub.size.count()) return placed;
  }
  return std::nullopt;
}

}  // namespace dvmsim
