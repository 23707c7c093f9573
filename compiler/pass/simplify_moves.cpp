#include <algorithm>

#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"

namespace dvmsim {
namespace {

/// A transpose that keeps the order of all dimensions with more than one element.
bool keeps_order(const Node& node, const Dims& shape, const PassContext& context) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  std::int64_t last = -1;
  for (std::int64_t i = 0; i < rank; ++i) {
    const auto perm = node.ints_of("perm");
    const std::int64_t from = perm.empty() ? rank - 1 - i : perm[static_cast<std::size_t>(i)];
    if (context.equal(shape[static_cast<std::size_t>(from)], 1)) continue;
    if (from < last) return false;
    last = from;
  }
  return true;
}

/// A move whose output is its (only tensor) input's bytes.
bool moves_nothing(const Graph& graph, const Node& node, const PassContext& context) {
  if (node.op == Op::Identity || node.op == Op::Reshape) return true;
  if (node.outputs.size() != 1) return false;
  const auto& input = graph.value(node.inputs[0]).type;
  const auto& output = graph.value(node.outputs[0]).type;
  if (node.op == Op::Transpose) return keeps_order(node, *input.shape, context);
  if (node.op == Op::Cast) return input.dtype == output.dtype;
  if (node.op == Op::Expand || node.op == Op::Pad) {
    return context.equal(*input.shape, *output.shape);
  }
  if (node.op == Op::Slice) {
    const auto steps = node.ints_of("steps");
    const bool forward = std::all_of(steps.begin(), steps.end(), [](auto s) { return s == 1; });
    return forward && context.equal(*input.shape, *output.shape);
  }
  if (node.op == Op::Concat) return node.inputs.size() == 1;
  if (node.op == Op::Split) return true;  // into one
  return false;
}

}  // namespace

Graph simplify_moves(const Graph& graph, const PassContext& context) {
  Rewrite rewrite(graph);
  for (const Node& node : rewrite.nodes()) {
    if (!moves_nothing(rewrite.graph(), node, context)) {
      rewrite.keep(node);
      continue;
    }
    const ValueId result = node.outputs[0];
    rewrite.make(result, Op::Reshape, {node.inputs[0]},
                 {{"shape", *rewrite.graph().value(result).type.shape}}, node.name);
  }
  return rewrite.done();
}

}  // namespace dvmsim
