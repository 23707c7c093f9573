// Composites in terms of simpler operators: what `gelu` or `layer_norm` is to a machine without it.
#pragma once

#include <cstdint>
#include <functional>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// The Shaped graph with the composites for which `wanted` says yes replaced by primitives. Values
/// keep their names; new ones are named after the node. A mean over a symbolic count stays
/// reduce_mean.
[[nodiscard]] Graph decompose(const Graph& graph, bool (*wanted)(const Node&));
/// The number of a Dim in the launch at hand.
using NumberOf = std::function<std::int64_t(const Dim&)>;
/// All of them; with `number`, a mean over a symbolic count too: its divisor is a counted constant.
[[nodiscard]] Graph decompose(const Graph& graph, const NumberOf& number = {});

}  // namespace dvmsim
