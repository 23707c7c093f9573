#include "compiler/schedule/alike.h"

#include <algorithm>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/matmul_legal.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/steps_once.h"
#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

MatmulSpec alike(const MatmulSpec& spec) {
  MatmulSpec other = spec;
  if (!spec.trans_a) other.m = alike(spec.m);
  if (spec.trans_b && !spec.whole_rows) {
    other.n = alike(spec.n);
    other.c_stride = other.n * size_of(spec.out);
  }
  for (std::int64_t* stride : {&other.a_batch0, &other.a_batch1, &other.b_batch0, &other.b_batch1,
                               &other.c_batch0, &other.c_batch1}) {
    *stride = *stride == 0 ? 0 : 1;
  }
  return other;
}

MatmulSchedule cut_alike(const MatmulSpec& spec, const MatmulSpec& other, MatmulSchedule schedule) {
  const auto even = [](std::int64_t whole, std::int64_t tiles) {
    return round_up(ceil_div(whole, tiles), kFractal);
  };
  const std::int64_t rows = tiles_m(other, schedule), columns = tiles_n(other, schedule);
  if (spec.m != other.m) schedule.tile_m = std::min(schedule.tile_m, even(spec.m, rows));
  if (spec.n != other.n) schedule.tile_n = std::min(schedule.tile_n, even(spec.n, columns));
  if (schedule.shared > 0) schedule.shared = left_over(spec, schedule);
  if (schedule.shared > 0) return schedule;
  schedule.cores =
      static_cast<int>(std::min<std::int64_t>(schedule.cores, tiles_of(spec, schedule)));
  return schedule;
}

AttentionSpec alike(AttentionSpec spec) {
  const bool dense = has_dense_queries(spec);
  spec.name.clear();
  // Sizes that are cut in whole tiles are cut otherwise than those with a rest.
  for (std::int64_t* size : {&spec.m, &spec.n}) {
    const std::int64_t largest = alike(*size);
    if (largest != *size) *size = largest - 1;
  }
  // Of strides between heads and batches it matters only whether queries follow one another.
  spec.q.head = dense ? spec.m * spec.q.row : 0;
  spec.q.batch = spec.heads * spec.q.head;
  for (AttentionStrides* strides : {&spec.k, &spec.v, &spec.out, &spec.mask_strides}) {
    strides->head = strides->batch = 0;
  }
  if (spec.mask && spec.mask_strides.row != 0) spec.mask_strides.row = spec.n * size_of(*spec.mask);
  return spec;
}

AttentionSchedule cut_alike(const AttentionSpec& spec, AttentionSchedule schedule,
                            const Machine& machine, int cores) {
  schedule.tile_m = std::min(schedule.tile_m, round_up(spec.m, kFractal));
  schedule = specialised(spec, schedule, machine);
  schedule.cores = static_cast<int>(std::min<std::int64_t>(cores, items_of(spec, schedule)));
  return schedule;
}

VectorCut cut_of(const VectorKernel& kernel, const VectorSchedule& schedule) {
  return {ceil_div(kernel.rows(), schedule.tile.rows),
          ceil_div(kernel.columns(), schedule.tile.columns),
          schedule.packing,
          schedule.depth,
          schedule.cores,
          !schedule.once.empty()};
}

std::optional<VectorSchedule> schedule_alike(const VectorKernel& kernel, const VectorCut& cut,
                                             const Machine& machine) {
  VectorTile tile{ceil_div(kernel.rows(), cut.rows), kernel.columns()};
  if (cut.columns > 1) {
    tile.columns =
        std::min(tile.columns, round_up(ceil_div(kernel.columns(), cut.columns), kBlock));
  }
  const std::int64_t begin = ub_begin(kernel, machine);
  VectorSchedule schedule = cut.packing == Packing::InOrder ? place(kernel, tile, begin)
                            : cut.once ? place_once(kernel, tile, cut.depth, begin)
                                       : BufferPlacer(kernel).place_one(tile, cut.depth, begin);
  if (schedule.ub_end > machine.ub.size.count()) return std::nullopt;
  const std::int64_t tiles = kernel.outer() * ceil_div(kernel.rows(), tile.rows) *
                             ceil_div(kernel.columns(), tile.columns);
  schedule.estimate.tiles = tiles;
  schedule.estimate.per_core = ceil_div(tiles, std::min<std::int64_t>(cut.cores, tiles));
  schedule.cores = static_cast<int>(ceil_div(tiles, schedule.estimate.per_core));
  schedule.packing = cut.packing;
  return schedule;
}

}  // namespace dvmsim
