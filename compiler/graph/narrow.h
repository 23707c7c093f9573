// The same model in another floating-point type: inputs, weights and everything computed from them.
#pragma once

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Every F32 of an Imported or Shaped graph becomes `type`; types of temporaries are to be deduced
/// again.
[[nodiscard]] Graph narrowed(const Graph& graph, DType type);

}  // namespace dvmsim
