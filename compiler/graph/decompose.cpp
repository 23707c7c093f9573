#include "compiler/graph/decompose.h"

#include <utility>

#include "compiler/graph/parts.h"
#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Activations, means and normalisations.
class Composite : public Parts {
 public:
  Composite(Graph& to, const Node& node, const Value& first, const NumberOf& number)
      : Parts(to, node, first), number_of_(number) {}

  ValueId operator()() {
    switch (node_.op) {
      case Op::Gelu:
        return node_.string_of("approximate") == "tanh" ? gelu_tanh() : gelu();
      case Op::Silu:
        return mul(x(), op(Op::Sigmoid, x()));
      case Op::Softplus:
        return softplus();
      case Op::Softsign:
        return op(Op::Div, x(), add(op(Op::Abs, x()), number(1)));
      case Op::Mish:
        return mul(x(), op(Op::Tanh, softplus()));
      case Op::HardSigmoid:
        return clip01(add(mul(x(), given("alpha")), given("beta")));
      case Op::HardSwish:
        return mul(x(), clip01(add(mul(x(), number(1.0 / 6.0)), number(0.5))));
      case Op::LeakyRelu:
        return add(positive(), mul(negative(), given("alpha")));
      case Op::ThresholdedRelu:
        return to_.add(Op::Select, {op(Op::Gt, x(), given("alpha")), x(), number(0)}, {}, name());
      case Op::Elu:
        return elu(negative(), given("alpha"));
      case Op::Celu:
        return elu(op(Op::Div, negative(), given("alpha")), given("alpha"));
      case Op::Selu:
        return mul(elu(negative(), given("alpha")), given("gamma"));
      case Op::ReduceMean:
        return mean(x(), node_.attributes, axes());
      case Op::Softmax:
        return softmax(false);
      case Op::LogSoftmax:
        return softmax(true);
      case Op::LayerNorm:
        return layer_norm();
      case Op::RmsNorm:
        return normalised(x());
      default:
        DVMSIM_ASSERT(node_.op == Op::BatchNorm, "each composite has its parts");
    }
    return batch_norm();
  }

 private:
  ValueId given(const char* attribute) { return number(node_.float_of(attribute)); }
  ValueId positive() { return op(Op::Max, x(), number(0)); }
  ValueId negative() { return op(Op::Min, x(), number(0)); }
  ValueId clip01(ValueId a) { return op(Op::Min, op(Op::Max, a, number(0)), number(1)); }

  ValueId gelu() {
    const ValueId erf = op(Op::Erf, mul(x(), number(0.70710678118654752)));
    return mul(mul(x(), number(0.5)), add(erf, number(1)));
  }
  ValueId gelu_tanh() {
    const ValueId cube = mul(mul(x(), x()), mul(x(), number(0.044715)));
    const ValueId tanh = op(Op::Tanh, mul(add(x(), cube), number(0.79788456080286536)));
    return mul(mul(x(), number(0.5)), add(tanh, number(1)));
  }
  ValueId softplus() {  // max(x, 0) + log(1 + exp(-|x|)): no overflow
    const ValueId small = op(Op::Exp, op(Op::Neg, op(Op::Abs, x())));
    return add(positive(), op(Op::Log, add(small, number(1))));
  }
  ValueId elu(ValueId exponent, ValueId alpha) {
    const ValueId below = op(Op::Sub, op(Op::Exp, exponent), number(1));
    return add(positive(), mul(below, alpha));
  }

  [[nodiscard]] Dims axes() const {
    Dims result;
    if (node_.op == Op::ReduceMean) {
      for (std::int64_t axis : node_.ints_of("axes")) result.emplace_back(axis);
      if (node_.find("axes") != nullptr) return result;
    }
    const auto rank = static_cast<std::int64_t>(shape_.size());
    const bool all = node_.op == Op::ReduceMean;
    std::int64_t first = all ? 0 : node_.int_of("axis");
    if (first < 0) first += rank;
    const bool norm = node_.op == Op::LayerNorm || node_.op == Op::RmsNorm || all;
    for (std::int64_t axis = first; axis < (norm ? rank : first + 1); ++axis) {
      result.emplace_back(axis);
    }
    return result;
  }
  ValueId reduce(Op what, ValueId a) {
    return to_.add(what, {a}, {{"axes", axes()}, {"keepdims", std::int64_t{1}}}, name());
  }
  ValueId mean(ValueId a, const AttributeMap& attributes, const Dims& over) {
    Dim count = 1;
    for (const Dim& axis : over) {
      const std::int64_t at = axis.value();
      const auto rank = static_cast<std::int64_t>(shape_.size());
      count = count * shape_[static_cast<std::size_t>(at < 0 ? at + rank : at)];
    }
    if (count.is(0) || (!count.is_known() && !number_of_)) {
      return to_.add(Op::ReduceMean, {a}, attributes, name());
    }
    const ValueId sum = to_.add(Op::ReduceSum, {widened(a)}, attributes, name());
    return narrowed(is_float(dtype_) ? mul(sum, counted({count, true}))
                                     : op(Op::Div, sum, counted({count, false})));
  }
  ValueId counted(const Counted& of) {
    const bool known = of.count.is_known();
    const std::int64_t elements = known ? of.count.value() : number_of_(of.count);
    const ValueId id = to_.add_scalar(wide(), of.number(elements));
    if (!known) to_.value(id).counted = of;
    return id;
  }
  ValueId row_mean(ValueId a) {
    return mean(a, {{"axes", axes()}, {"keepdims", std::int64_t{1}}}, axes());
  }

  ValueId softmax(bool logarithm) {
    const ValueId shifted = op(Op::Sub, x(), reduce(Op::ReduceMax, x()));
    const ValueId exp = widened(op(Op::Exp, shifted));
    const ValueId sum = reduce(Op::ReduceSum, exp);
    if (logarithm) return op(Op::Sub, shifted, narrowed(op(Op::Log, sum)));
    return narrowed(op(Op::Div, exp, sum));
  }
  /// a / sqrt(mean(a*a) + epsilon), times the scale.
  ValueId normalised(ValueId a) {
    const ValueId variance = add(row_mean(mul(a, a)), given("epsilon"));
    const ValueId result = mul(a, op(Op::Rsqrt, variance));
    return node_.input(1) == kNoValue ? result : mul(result, node_.input(1));
  }
  ValueId layer_norm() {
    const ValueId result = normalised(op(Op::Sub, x(), row_mean(x())));
    return node_.input(2) == kNoValue ? result : add(result, node_.input(2));
  }
  /// One number per channel, shaped to broadcast along the other axes.
  ValueId per_channel(ValueId a) {
    Dims shape(shape_.size() - 1, 1);
    shape[0] = -1;
    return to_.add(Op::Reshape, {a}, {{"shape", shape}}, name());
  }
  ValueId batch_norm() {
    const ValueId variance = add(node_.inputs[4], given("epsilon"));
    const ValueId scale = mul(node_.inputs[1], op(Op::Rsqrt, variance));
    const ValueId shift = op(Op::Sub, node_.inputs[2], mul(node_.inputs[3], scale));
    return add(mul(x(), per_channel(scale)), per_channel(shift));
  }

  const NumberOf& number_of_;  // empty: what depends on symbols is left
};

ValueId parts_of(Graph& to, const Node& node, const Value& first, const NumberOf& number) {
  switch (node.op) {
    case Op::Tan:
    case Op::Asin:
    case Op::Acos:
    case Op::Sinh:
    case Op::Cosh:
    case Op::Asinh:
    case Op::Acosh:
    case Op::Atanh:
      return function_parts(to, node, first);
    case Op::ArgMax:
    case Op::ArgMin:
      return arg_parts(to, node, first);
    case Op::Resize:
      return resize_parts(to, node, first);
    default:
      return Composite(to, node, first, number)();
  }
}

}  // namespace

namespace {

using Wanted = bool (*)(const Node&);

Graph decompose(const Graph& graph, Wanted wanted, const NumberOf& number) {
  Graph result = graph;  // values keep their ids; nodes are written anew
  result.nodes.clear();
  for (Value& value : result.values) value.producer = -1;
  for (Node node : graph.nodes) {
    if (node.name.empty()) node.name = graph.value(node.outputs[0]).name;
    for (Graph& subgraph : node.subgraphs) subgraph = decompose(subgraph, wanted, number);
    ValueId replaced = kNoValue;
    if (info_of(node.op).composite && wanted(node)) {
      replaced = parts_of(result, node, graph.value(node.inputs[0]), number);
      Node& last = result.nodes.back();                   // writes the composite's own value
      result.value(replaced).kind = ValueKind::Constant;  // unused from here on; dropped below
      result.value(replaced).producer = -1;
      result.value(replaced).tensor = Tensor(DType::Bool, {0});
      last.outputs = node.outputs;
    } else {
      result.nodes.push_back(node);
    }
    for (ValueId id : node.outputs) {
      result.value(id).producer = static_cast<NodeId>(result.nodes.size()) - 1;
    }
  }
  return deduce_shapes(result);
}

}  // namespace

Graph decompose(const Graph& graph, bool (*wanted)(const Node&)) {
  return decompose(graph, wanted, {});
}

Graph decompose(const Graph& graph, const NumberOf& number) {
  return decompose(
      graph, [](const Node&) { return true; }, number);
}

}  // namespace dvmsim
