// Reading a chain of nodes backwards from its result: a trail of the nodes that were taken, from
// which one can step back where a guess was wrong. Internal to the matchers of reroll.h.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/causal.h"
#include "compiler/pass/reroll.h"

namespace dvmsim {

class Trail {
 public:
  Trail(const MatchContext& context, NodeId last)
      : graph_(context.graph), context_(context), nodes_{last} {}

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const Node& last() const { return graph_.node(nodes_.front()); }

  /// The node that makes the value, taken, if it is one of these.
  const Node* take(ValueId id, std::initializer_list<Op> ops) {
    const NodeId producer = id == kNoValue ? -1 : graph_.value(id).producer;
    if (producer < 0) return nullptr;
    const Node& node = graph_.node(producer);
    if (std::find(ops.begin(), ops.end(), node.op) == ops.end()) return nullptr;
    nodes_.push_back(producer);
    return &node;
  }
  const Node* take(ValueId id, Op op) { return take(id, {op}); }

  /// What was cast from one float type to another to make the value, or the value itself.
  ValueId below_cast(ValueId id) {
    const std::size_t before = nodes_.size();
    const Node* cast = take(id, Op::Cast);
    if (cast != nullptr && is_float(dtype(cast->inputs[0])) && is_float(dtype(id))) {
      return cast->inputs[0];
    }
    nodes_.resize(before);
    return id;
  }

  /// Does `guess` hold? If not, whatever it took is forgotten.
  template <class Guess>
  bool attempt(Guess&& guess) {
    const std::size_t before = nodes_.size();
    if (guess()) return true;
    nodes_.resize(before);
    return false;
  }
  /// Does it hold for the two inputs of a node, this way or the other?
  template <class Guess>
  bool either(const Node& node, Guess&& guess) {
    return attempt([&] { return guess(node.inputs[0], node.inputs[1]); }) ||
           attempt([&] { return guess(node.inputs[1], node.inputs[0]); });
  }

  /// The number that all its elements are.
  [[nodiscard]] std::optional<double> number(ValueId id) const {
    return uniform_number(graph_, id);
  }
  /// Is it that number, as far as half precision can say it?
  [[nodiscard]] bool is_number(ValueId id, double expected) const {
    const auto found = number(id);
    return found && is_near(*found, expected);
  }
  [[nodiscard]] static bool is_near(double a, double b) {
    constexpr double kHalf = 1e-3;
    return std::max(a - b, b - a) <= kHalf * std::max(b, -b);
  }

  /// Do several nodes read it?
  [[nodiscard]] bool is_shared(ValueId id) const {
    return context_.users[static_cast<std::size_t>(id)].size() > 1;
  }
  [[nodiscard]] DType dtype(ValueId id) const { return graph_.value(id).type.dtype; }
  [[nodiscard]] const Dims& shape(ValueId id) const { return *graph_.value(id).type.shape; }
  [[nodiscard]] bool has_shape_of(ValueId a, ValueId b) const {
    return context_.pass.equal(shape(a), shape(b));
  }
  /// The axes of a reduction that keeps its dimensions, ascending.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> axes_of(const Node& reduction) const {
    const auto rank = static_cast<std::int64_t>(shape(reduction.inputs[0]).size());
    std::vector<std::int64_t> axes = reduction.ints_of("axes");
    if (reduction.find("axes") == nullptr) {
      for (std::int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
    }
    for (std::int64_t& axis : axes) axis += axis < 0 ? rank : 0;
    std::sort(axes.begin(), axes.end());
    const bool keeps = reduction.int_of("keepdims") != 0 || rank == 0;
    return keeps ? std::optional(axes) : std::nullopt;
  }

  /// What was taken, as an operator whose result is read; `also` are the other nodes that may be.
  [[nodiscard]] OperatorMatch match(std::string_view kind, std::vector<NodeId> also = {}) const {
    OperatorMatch made{kind, nodes_, std::move(also)};
    made.results.push_back(nodes_.front());
    std::sort(made.nodes.begin(), made.nodes.end());
    made.nodes.erase(std::unique(made.nodes.begin(), made.nodes.end()), made.nodes.end());
    return made;
  }

 private:
  const Graph& graph_;
  const MatchContext& context_;
  std::vector<NodeId> nodes_;
};

}  // namespace dvmsim
