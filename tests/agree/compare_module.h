// The launches of a compiled module on the fast engine and on the oracle.
#pragma once

#include "compiler/module/module.h"
#include "tests/agree/compare.h"

namespace dvmsim::testing {

/// One verdict a launch, on buffers of its tensors' sizes. The module has no branches.
[[nodiscard]] std::vector<Verdict> compare(const Machine& machine, const Module& module);

}  // namespace dvmsim::testing
