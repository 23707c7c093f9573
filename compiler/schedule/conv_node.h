// A conv_last node as the conv macro's task, and as the product that vector cores finish.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/schedule/conv_tiles.h"
#include "compiler/schedule/product.h"

namespace dvmsim {

/// Shapes are known and no dimension is 0.
[[nodiscard]] ConvTask conv_task(const Graph& graph, const Node& node);
/// Two launches say that the vector cores cannot finish it: with groups, scales or a ReLU.
[[nodiscard]] Product conv_product(const Graph& graph, const Node& node, const Machine& machine);

}  // namespace dvmsim
