// A grouped_matmul node as the sizes and strides of its products.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/schedule/grouped.h"

namespace dvmsim {

/// Of a node whose operands lie densely and have no dimension of 0.
[[nodiscard]] GroupedSpec grouped_of(const Graph& graph, const Node& node);

}  // namespace dvmsim
