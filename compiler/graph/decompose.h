// Composites in terms of simpler operators: what `gelu` or `layer_norm` is to a machine without it.
#pragma once

#include "compiler/graph/graph.h"

namespace dvmsim {

/// The Shaped graph with the composites for which `wanted` says yes replaced by primitives. Values
/// keep their names; new ones are named after the node. A mean over a symbolic count stays
/// reduce_mean.
[[nodiscard]] Graph decompose(const Graph& graph, bool (*wanted)(const Node&));
/// All of them.
[[nodiscard]] Graph decompose(const Graph& graph);

}  // namespace dvmsim
