#include <algorithm>
#include <optional>

#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

bool empty(const Graph& graph, ValueId id, const PassContext& context) {
  if (id == kNoValue) return false;
  const Dims& shape = *graph.value(id).type.shape;
  return std::any_of(shape.begin(), shape.end(),
                     [&](const Dim& dim) { return context.equal(dim, 0); });
}

void become_constant(Value& value, double number) {
  value.kind = ValueKind::Constant;
  value.producer = -1;
  value.fill = Fill{Fill::Kind::Full, 0, number};
}

/// The value of all elements of a node that sums over nothing.
std::optional<double> identity_of(const Graph& graph, const Node& node,
                                  const PassContext& context) {
  const bool reduces = node.op == Op::ReduceSum || node.op == Op::ReduceProd;
  const bool multiplies = (node.op == Op::MatMul && node.input(2) == kNoValue) ||
                          (node.op == Op::GroupedMatMul && node.input(3) == kNoValue);
  if ((!reduces && !multiplies) || !empty(graph, node.inputs[0], context)) return std::nullopt;
  return node.op == Op::ReduceProd ? 1 : 0;
}

}  // namespace

Graph fold_empty(const Graph& graph, const PassContext& context) {
  Rewrite rewrite(graph);
  for (Node node : rewrite.nodes()) {
    Graph& current = rewrite.graph();
    const auto gone = [&](ValueId id) { return empty(current, id, context); };
    if (std::all_of(node.outputs.begin(), node.outputs.end(), gone)) {
      for (ValueId output : node.outputs) become_constant(current.value(output), 0);
      continue;
    }
    if (const auto number = identity_of(current, node, context)) {
      become_constant(current.value(node.outputs[0]), *number);
      continue;
    }
    const bool reads_nothing = !node.inputs.empty() && gone(node.inputs[0]);
    const Pattern pattern = info_of(node.op).pattern;
    if (reads_nothing && (pattern == Pattern::Reduction || pattern == Pattern::Contraction)) {
      throw Error(describe(current, node) +
                  ": reduces over no elements; give its dimensions sizes");
    }
    if (node.op == Op::Concat) std::erase_if(node.inputs, gone);
    rewrite.keep(std::move(node));
  }
  return rewrite.done();
}

}  // namespace dvmsim
