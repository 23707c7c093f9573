// Random task tables: random programs (random_program.h) on teams that meet, each after some of
// those before it. Every task has buffers of its own.
#pragma once

#include "tests/support/random_program.h"

namespace dvmsim::testing {

[[nodiscard]] RandomProgram random_table(const Machine& machine, std::uint64_t seed,
                                         const RandomOptions& options = {});

}  // namespace dvmsim::testing
