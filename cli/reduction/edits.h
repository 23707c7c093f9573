// Smaller graphs from a graph, each by one kind of cut: pure functions that a reducer tries out.
// What they give need not make sense; whether it does is found by reading its text again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Only these outputs (by position), and what they need.
[[nodiscard]] Graph with_outputs(const Graph& graph, const std::vector<std::size_t>& outputs);
/// Only these nodes, in order: what they read from others becomes an input, what nobody reads any
/// more an output. Nullopt if the shape of such an input is not known, or no node is left.
[[nodiscard]] std::optional<Graph> with_nodes(const Graph& graph, const std::vector<NodeId>& nodes);
/// Readers of the node's output read its first input of the same type instead. Nullopt if it has
/// none, or several outputs, or if no node would be left.
[[nodiscard]] std::optional<Graph> without_node(const Graph& graph, NodeId node);
/// The constant becomes an input.
[[nodiscard]] Graph with_free_constant(const Graph& graph, ValueId constant);
/// Readers of input `from` read input `to`; both are positions. Nullopt if their types differ.
[[nodiscard]] std::optional<Graph> with_one_input(const Graph& graph, std::size_t from,
                                                  std::size_t to);
/// Every size `from` of inputs, constants and attributes becomes `to`, which is less; constants
/// lose what lies behind.
[[nodiscard]] Graph with_size(const Graph& graph, std::int64_t from, std::int64_t to);
/// Sizes above 1 of inputs and constants, the largest first.
[[nodiscard]] std::vector<std::int64_t> sizes_of(const Graph& graph);
/// Elements of inputs and constants whose sizes are numbers.
[[nodiscard]] std::int64_t elements_of(const Graph& graph);

}  // namespace dvmsim
