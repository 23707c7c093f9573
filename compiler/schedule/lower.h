// A group of elementwise, broadcast and reduction nodes becomes a vector kernel: dimensions that
// every value treats alike are merged, operators become instructions, types are made what the
// machine can do.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "compiler/graph/graph.h"
#include "compiler/schedule/vector_kernel.h"
#include "compiler/schedule/view.h"

namespace dvmsim {

/// A dimension of a graph value.
struct DimSource {
  ValueId value = kNoValue;
  std::size_t axis = 0;
};

/// A kernel and the graph values behind its arguments, in order.
struct LoweredKernel {
  VectorKernel kernel{};
  std::vector<ValueId> inputs{}, outputs{};
  /// For each dimension of the kernel those whose product it is.
  std::vector<std::vector<DimSource>> sizes{};
};

/// The result of a product that a kernel finishes: it is in the accumulators, F32 (I32), and the
/// kernel's dimensions are these of its shape: batch0, batch1, m, n.
struct ProductFrame {
  ValueId product = kNoValue;
  std::array<std::vector<std::size_t>, 4> dims{};
  DType accumulator = DType::F32;
  /// `product` is an operand instead, and the kernel makes it: nothing is in accumulators.
  bool operand = false;
};

/// Can the node be a step of a vector kernel at all?
[[nodiscard]] bool is_vector_node(const Node& node);

/// `nodes` are in graph order; every shape is known. `outputs`: the values that must reach GM.
/// Nullopt if the group has no common iteration domain or reduces over what a tile cannot hold
/// whole; `why` then says it. Values of `views` are read from, and written to, the tensors in which
/// they lie, which are then the kernel's arguments.
[[nodiscard]] std::optional<LoweredKernel> lower(const Graph& graph, std::span<const NodeId> nodes,
                                                 std::span<const ValueId> outputs,
                                                 std::string* why = nullptr,
                                                 const ProductFrame* frame = nullptr,
                                                 const Views& views = {});

/// Elements of a value whose shape is known, by dimension.
[[nodiscard]] std::vector<std::int64_t> known_shape(const Value& value);

}  // namespace dvmsim
