// max_pool, sum_pool and depthwise nodes as tasks of the vector cores.
#pragma once

#include "compiler/graph/graph.h"
#include "compiler/schedule/window.h"

namespace dvmsim {

/// Shapes are known and no dimension is 0; channels are last, at most three axes.
[[nodiscard]] WindowTask window_task(const Graph& graph, const Node& node);

}  // namespace dvmsim
