// A vector kernel and its schedule become a program: a loop over tiles, loads, steps, stores, and
// the flags between them.
#pragma once

#include "compiler/schedule/vector.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments in order: one address per input, then one per output. `kind`: Vector, or Unified.
[[nodiscard]] Program emit_vector(const VectorKernel& kernel, const VectorSchedule& schedule,
                                  CoreKind kind);
/// The cores of a machine that run vector programs.
[[nodiscard]] inline CoreKind vector_kind(const Machine& machine) {
  return machine.cores.unified ? CoreKind::Unified : CoreKind::Vector;
}

}  // namespace dvmsim
