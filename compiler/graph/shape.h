// Shape deduction: element types and shapes of every value from those of the inputs, symbolically
// or with symbols bound. Small integer tensors (shapes being computed) are followed as symbolic
// contents, so that Shape -> Gather -> Concat -> Reshape chains vanish into Dims.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// The types of one node's outputs. Unknown inputs give unknown outputs; impossible ones an Error
/// that starts with describe(graph, node). Does not look into the graph but for names.
[[nodiscard]] std::vector<ValueType> deduce_node(const Graph& graph, const Node& node,
                                                 std::span<const ValueType> inputs);

/// The whole graph, Imported -> Shaped: fills every value's type; moves deduced numbers of reshape,
/// slice, split, expand and pad to attributes; replaces values whose contents are known by
/// constants where they are read as data; takes the branch of an If whose condition is known; drops
/// what is then dead. A value whose rank stays unknown is an Error.
[[nodiscard]] Graph deduce_shapes(const Graph& graph);

/// The same, but values may stay without shape.
[[nodiscard]] Graph infer_shapes(const Graph& graph);

/// The Shaped graph for one launch: symbols replaced by numbers, then deduced again. Impossible
/// shapes are an Error naming the node.
[[nodiscard]] Graph specialize(const Graph& graph, const Bindings& bindings);

/// The same, but other symbols may stay, and values may stay without shape.
[[nodiscard]] Graph bind_symbols(const Graph& graph, const Bindings& bindings);

/// The graph for launches in which the small integer input `name` (a mode, a length) is `value`:
/// what depends on it only is then known to deduction. The input stays.
[[nodiscard]] Graph assume_input(const Graph& graph, const std::string& name, const Tensor& value);

/// What a Slice of a Shaped graph takes along each axis of its input: elements start + i*step.
struct SliceAxis {
  Dim start;
  std::int64_t step = 1;
  Dim count;
};
[[nodiscard]] std::vector<SliceAxis> slice_axes(const Graph& graph, const Node& node);

/// Padding of a Pad of a Shaped graph before and after each axis of its input; negative cuts.
struct PadAxis {
  Dim before;
  Dim after;
};
[[nodiscard]] std::vector<PadAxis> pad_axes(const Graph& graph, const Node& node);

/// NumPy broadcasting of two shapes; nullopt when they cannot be.
[[nodiscard]] std::optional<Dims> broadcast(const Dims& a, const Dims& b);

/// The symbols' values, given in the order of graph.symbols.
[[nodiscard]] Bindings bindings_of(const Graph& graph, std::span<const std::int64_t> sizes);
/// The symbols' values from the shapes of actual inputs, in the order of graph.inputs. Shapes that
/// do not fit the declared ones are an Error naming the input.
[[nodiscard]] Bindings bindings_from(const Graph& graph,
                                     std::span<const std::vector<std::int64_t>> input_shapes);

}  // namespace dvmsim
