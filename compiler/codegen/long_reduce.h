// A kernel in phases and its schedule become a program: a loop over tiles; in it a loop over the
// pieces of each phase, and between phases what is computed once, or joined across cores.
#pragma once

#include "compiler/schedule/long_reduce.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments in order: one address per input, then one per output, then the workspace if the
/// schedule has one. `kind`: Vector, or Unified.
[[nodiscard]] Program emit_long(const PhasedKernel& phased, const LongSchedule& schedule,
                                CoreKind kind);

}  // namespace dvmsim
