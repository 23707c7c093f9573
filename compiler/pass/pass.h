// Passes: free functions from a graph to a graph, one file each. pipeline.cpp is the list of them
// and the only caller. All of them take and give Shaped graphs. Dimensions are numbers, or symbols
// about which a pass asks.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/graph/guards.h"
#include "compiler/pass/feature.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct Rerolled;

/// What a pass may look at besides the graph.
struct PassContext {
  const Machine& machine;
  Features features{};
  Guards* guards = nullptr;        // remembers what was asked about symbols; null: there are none
  std::string* remarks = nullptr;  // text for people: what a pass did not do, and why
  /// Not null: what the model writes as several operators and its framework runs as one is to be
  /// named as one (reroll.h), and is told here.
  std::vector<Rerolled>* rerolled = nullptr;

  [[nodiscard]] bool equal(const Dim& a, const Dim& b) const {
    return a == b || (guards != nullptr && guards->equal(a, b));
  }
  [[nodiscard]] bool equal(const Dims& a, const Dims& b) const {
    return a == b || (guards != nullptr && guards->equal(a, b));
  }
  [[nodiscard]] bool at_most(const Dim& a, std::int64_t limit) const {
    return guards != nullptr ? guards->at_most(a, limit) : a.value() <= limit;
  }
  /// The number now, not to decide by.
  [[nodiscard]] std::int64_t number(const Dim& a) const {
    return guards != nullptr ? guards->number(a) : a.value();
  }
  [[nodiscard]] std::int64_t value(const Dim& a) const {
    return guards != nullptr ? guards->value(a) : a.value();
  }
};

/// Every node has a name of its own: that of its source, numbered if it repeats; where operators
/// are re-rolled, the nodes that came from one keep its name.
[[nodiscard]] Graph name_nodes(const Graph& graph, const PassContext& context);
/// Nodes that together are one operator of a framework have one name. Asked for by `rerolled`.
[[nodiscard]] Graph reroll(const Graph& graph, const PassContext& context);
/// Asked for by its feature: two products with a softmax between them become one attention node,
/// with the scale, the mask, heads that share keys and the transposes around them.
[[nodiscard]] Graph attention(const Graph& graph, const PassContext& context);
/// Composites become primitives; each keeps the name of the operator it came from.
[[nodiscard]] Graph decompose_composites(const Graph& graph, const PassContext& context);
/// Nodes without elements to compute, and sums of none, become constants.
[[nodiscard]] Graph fold_empty(const Graph& graph, const PassContext& context);
/// Convolutions and pools take maps with channels last, as do the operators between them.
[[nodiscard]] Graph channels_last(const Graph& graph, const PassContext& context);
/// The bias of a convolution becomes an addition, which fuses with what follows.
[[nodiscard]] Graph split_conv_bias(const Graph& graph, const PassContext& context);
/// What works along an axis (numbers along it, its largest elements, running sums) works along the
/// last one, in rows that UB holds.
[[nodiscard]] Graph last_axes(const Graph& graph, const PassContext& context);
/// Asked for by its feature: reductions along a last axis of a few elements, of what broadcasting
/// makes, become elementwise work on each of them.
[[nodiscard]] Graph short_axes(const Graph& graph, const PassContext& context);
/// Reductions keep their dimensions and reduce one run of adjacent dimensions that a tile holds
/// (any run, if long reductions stay in one kernel): others become chains of such reductions.
[[nodiscard]] Graph split_reductions(const Graph& graph, const PassContext& context);
/// Nodes whose output is one of their inputs bit for bit (x - 0, x * 1, a reshape to the same
/// shape) go.
[[nodiscard]] Graph remove_identities(const Graph& graph, const PassContext& context);
/// Moves that move nothing become reshapes; constants that nodes only reshape are reshaped here.
[[nodiscard]] Graph simplify_moves(const Graph& graph, const PassContext& context);

}  // namespace dvmsim
