// The table of `bench compile` that has other compilers in it, each on the same fused kernels.
#pragma once

#include <vector>

#include "cli/compile_cases.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Prints it. False if what a compiler made computes something else than the evaluator.
[[nodiscard]] bool compare_with_peers(const std::vector<CompileCase>& cases,
                                      const Machine& machine);

}  // namespace dvmsim
