// What steps cost where their values lie: bank conflicts, which no estimate of a shape knows.
#pragma once

#include <span>

#include "compiler/schedule/vector.h"
#include "vm/isa/cost.h"

namespace dvmsim {

/// Cycles for which these steps hold the vector pipe on a whole tile.
[[nodiscard]] double vector_cycles(const CostModel& cost, const VectorKernel& kernel,
                                   std::span<const KernelStep> steps,
                                   const VectorSchedule& schedule);

}  // namespace dvmsim
