#include <numeric>

#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"

namespace dvmsim {
namespace {

bool is_constant(const Graph& graph, ValueId id, double number) {
  const Value& value = graph.value(id);
  if (value.kind != ValueKind::Constant || !element_count(*value.type.shape).is(1)) return false;
  const Tensor tensor = constant_tensor(value);
  return is_float(tensor.dtype()) ? static_cast<double>(tensor.floats()[0]) == number
                                  : static_cast<double>(tensor.ints()[0]) == number;
}

/// The input that the node's output equals bit for bit, or kNoValue. x + 0 is not one: -0 + 0 is 0.
ValueId equal_input(const Graph& graph, const Node& node, const PassContext& context) {
  const auto same_type = [&](ValueId id) {
    const ValueType &from = graph.value(id).type, &to = graph.value(node.outputs[0]).type;
    return from.dtype == to.dtype && context.equal(*from.shape, *to.shape);
  };
  const auto pick = [&](std::size_t kept, std::size_t other, double number) {
    const bool equal =
        is_constant(graph, node.inputs[other], number) && same_type(node.inputs[kept]);
    return equal ? node.inputs[kept] : kNoValue;
  };
  switch (node.op) {
    case Op::Reshape:
      return same_type(node.inputs[0]) ? node.inputs[0] : kNoValue;
    case Op::Sub:
      return pick(0, 1, 0);
    case Op::Div:
      return pick(0, 1, 1);
    case Op::Mul:
      return pick(0, 1, 1) != kNoValue ? node.inputs[0] : pick(1, 0, 1);
    default:
      return kNoValue;
  }
}

}  // namespace

Graph remove_identities(const Graph& graph, const PassContext& context) {
  Rewrite rewrite(graph);
  std::vector<ValueId> same(graph.values.size());
  std::iota(same.begin(), same.end(), 0);
  for (Node node : rewrite.nodes()) {
    for (ValueId& input : node.inputs) {
      if (input != kNoValue) input = same[static_cast<std::size_t>(input)];
    }
    const ValueId equal = equal_input(rewrite.graph(), node, context);
    if (equal == kNoValue) {
      rewrite.keep(std::move(node));
    } else {
      same[static_cast<std::size_t>(node.outputs[0])] = equal;
    }
  }
  for (ValueId& output : rewrite.graph().outputs) output = same[static_cast<std::size_t>(output)];
  return rewrite.done();
}

}  // namespace dvmsim
