// What padding at the end of symbolic dimensions does to an operator: whether its result is right
// before the padding, which axes it works along, and where the padding stays zero. Internal to
// mask_padding.cpp.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim::padding {

using Axes = std::vector<bool>;         // by axis: is what lies beyond the size zero?
using Zeros = std::map<ValueId, Axes>;  // of values; those that are not there: nothing is known

/// Inputs come padded with zeros.
[[nodiscard]] Zeros zeros_of_inputs(const Graph& graph);
/// Of the node's outputs.
[[nodiscard]] Axes zeros_after(const Graph& graph, const Node& node, const Zeros& zeros);

/// Why the result would be wrong before the padding whatever is masked; empty if it is right.
[[nodiscard]] std::string obstacle(const Graph& graph, const Node& node);

/// Sizes that meet in an elementwise node and are neither the same nor 1 for all symbols.
[[nodiscard]] std::vector<std::pair<Dim, Dim>> meeting_sizes(const Graph& graph, const Node& node);

/// Axes of input 0 that a Reduce* node reduces.
[[nodiscard]] std::vector<std::size_t> reduced_axes(const Graph& graph, const Node& node);
/// That of the attribute `axis`, in input 0.
[[nodiscard]] std::size_t axis_of(const Graph& graph, const Node& node);
/// The axes of a MatMul's factors that are summed over.
[[nodiscard]] std::pair<std::size_t, std::size_t> contracted_axes(const Graph& graph,
                                                                  const Node& node);
/// Axes of input 0 that windows move along.
[[nodiscard]] std::vector<std::size_t> window_axes(const Graph& graph, const Node& node);

}  // namespace dvmsim::padding
