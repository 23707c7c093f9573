// How far results are from what they should be.
#pragma once

#include <vector>

#include "compiler/graph/tensor.h"
#include "traces/report.h"

namespace dvmsim {

/// Floating point passes element by element if the error is within the type's share of the expected
/// value plus the same share of 1 (f32 1e-4, f16 2e-2, bf16 8e-2): a compiled graph rounds
/// elsewhere than the definition. NaN equals NaN; everything else must be equal. max_rel_err is
/// the largest error over the largest magnitude expected, tensor by tensor.
[[nodiscard]] RunReport::Check check_values(const std::vector<Tensor>& actual,
                                            const std::vector<Tensor>& expected);

}  // namespace dvmsim
