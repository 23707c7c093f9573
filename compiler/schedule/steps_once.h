// Steps of a vector kernel that make the same of the same for every tile, as the widened scale of a
// norm: done once on each core, before its first tile, where UB has room to keep what they make.
#pragma once

#include <vector>

#include "compiler/schedule/vector.h"

namespace dvmsim {

/// Numbers of the steps, ascending, that read nothing but what is loaded once and what such steps
/// make, and whose results stay in UB.
[[nodiscard]] std::vector<int> steps_once(const VectorKernel& kernel, VectorTile tile);

/// The steps of each tile of a schedule, or those done once.
[[nodiscard]] std::vector<KernelStep> steps_of(const VectorKernel& kernel,
                                               const VectorSchedule& schedule, bool once);

/// A tile's layout in UB with those steps before the loop.
[[nodiscard]] VectorSchedule place_once(const VectorKernel& kernel, VectorTile tile,
                                        BufferDepth depth, std::int64_t begin);
/// The schedule with such steps before its loop, perhaps with fewer copies, on as many rows of a
/// tile as fit then; as it is if there are none, or if the estimate gains nothing.
[[nodiscard]] VectorSchedule with_steps_once(VectorSchedule schedule, const VectorKernel& kernel,
                                             const Machine& machine, int cores,
                                             const VectorMeasure& measure,
                                             const VectorChoice& choice);

}  // namespace dvmsim
