// A vector kernel and its schedule become a program: a loop over tiles, loads, steps, stores, and
// the flags between them.
#pragma once

#include "compiler/schedule/vector.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments in order: one address per input, then one per output.
[[nodiscard]] Program emit_vector(const VectorKernel& kernel, const VectorSchedule& schedule);

}  // namespace dvmsim
