#include "compiler/graph/eval.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "compiler/graph/eval_ops.h"
#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace eval_ops {

Offsets strides_of(std::span<const std::int64_t> shape) {
  Offsets strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

Offsets strided(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  Offsets result = {0};
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    Offsets wider;
    wider.reserve(result.size() * static_cast<std::size_t>(shape[axis]));
    for (const std::int64_t base : result) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) wider.push_back(base + i * strides[axis]);
    }
    result = std::move(wider);
  }
  return result;
}

Offsets broadcast_offsets(std::span<const std::int64_t> from, std::span<const std::int64_t> to) {
  Offsets strides(to.size(), 0);
  const Offsets own = strides_of(from);
  const std::size_t lead = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) strides[lead + i] = own[i];
  }
  return strided(to, strides);
}

}  // namespace eval_ops

namespace {

using eval_ops::Call;

ValueType type_of(const Tensor& tensor) {
  ValueType type{tensor.dtype(), Dims(tensor.shape().begin(), tensor.shape().end()), std::nullopt};
  if (!is_float(tensor.dtype()) && tensor.count() <= shape_rules::kMaxContents) {
    const std::vector<std::int64_t> ints = tensor.ints();
    type.contents = Dims(ints.begin(), ints.end());
  }
  return type;
}

Node without_symbols(const Node& node, const Bindings& bindings) {
  Node result = node;
  for (auto& [name, attribute] : result.attributes) {
    Dims* dims = std::get_if<Dims>(&attribute);
    if (dims == nullptr) continue;
    for (Dim& dim : *dims) dim = resolve(dim, bindings);
  }
  return result;
}

Tensor range(const Call& call) {
  const DType dtype = call.in(0).dtype();
  if (!is_float(dtype)) {
    const std::int64_t start = call.in(0).ints()[0];
    const std::int64_t limit = call.in(1).ints()[0];
    const std::int64_t step = call.in(2).ints()[0];
    const std::int64_t count = std::max<std::int64_t>(
        0,
        resolve(ceil_div(step > 0 ? limit - start : start - limit, step > 0 ? step : -step), {}));
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < count; ++i) values.push_back(start + i * step);
    return Tensor::of_ints(dtype, {count}, values);
  }
  const float start = call.in(0).floats()[0];
  const float limit = call.in(1).floats()[0];
  const float step = call.in(2).floats()[0];
  const float count = std::ceil((limit - start) / step);
  constexpr float kMost = 0x1p28f;
  if (!(count <= kMost)) call.use().fail("has a step of 0, or more than 2^28 elements");
  std::vector<float> values;
  for (float i = 0; i < count; ++i) values.push_back(start + i * step);
  return Tensor::of_floats(dtype, {static_cast<std::int64_t>(values.size())}, values);
}

/// Runs a graph on tensors for its inputs, in order.
class Run {
 public:
  Run(const Graph& graph, Bindings bindings)
      : graph_(graph), bindings_(std::move(bindings)), tensors_(graph.values.size()) {}

  std::vector<Tensor> operator()(std::vector<Tensor> inputs) {
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      if (graph_.values[i].kind == ValueKind::Constant) {
        tensors_[i] = constant_tensor(graph_.values[i]);
      }
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) learn(graph_.inputs[i], std::move(inputs[i]));
    const std::vector<int> last = last_uses();
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      step(graph_.nodes[i]);
      for (ValueId id : graph_.nodes[i].inputs) {
        if (id != kNoValue && last[static_cast<std::size_t>(id)] == static_cast<int>(i)) {
          at(id).reset();
        }
      }
    }
    std::vector<Tensor> outputs;
    for (ValueId id : graph_.outputs) outputs.push_back(*at(id));
    return outputs;
  }

 private:
  std::optional<Tensor>& at(ValueId id) { return tensors_[static_cast<std::size_t>(id)]; }

  std::vector<int> last_uses() const {
    std::vector<int> last(graph_.values.size(), -1);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (ValueId id : graph_.nodes[i].inputs) {
        if (id != kNoValue) last[static_cast<std::size_t>(id)] = static_cast<int>(i);
      }
    }
    for (ValueId id : graph_.outputs) last[static_cast<std::size_t>(id)] = -1;
    return last;
  }

  void step(const Node& node) {
    std::vector<const Tensor*> inputs;
    for (ValueId id : node.inputs) inputs.push_back(id == kNoValue ? nullptr : &*at(id));
    std::vector<Tensor> outputs = evaluate_node(graph_, node, inputs, bindings_);
    for (std::size_t i = 0; i < outputs.size(); ++i) learn(node.outputs[i], std::move(outputs[i]));
  }

  /// A value exists: symbols that stand for its dimensions alone are known from now on.
  void learn(ValueId id, Tensor tensor) {
    const std::optional<Dims>& declared = graph_.value(id).type.shape;
    for (std::size_t i = 0; declared && i < declared->size(); ++i) {
      const std::optional<std::string> symbol = (*declared)[i].symbol_name();
      if (symbol && declared->size() == tensor.shape().size()) {
        bindings_.emplace(*symbol, tensor.shape()[i]);
      }
    }
    at(id) = std::move(tensor);
  }

  const Graph& graph_;
  Bindings bindings_;
  std::vector<std::optional<Tensor>> tensors_;
};

std::vector<Tensor> run_branch(const Node& node, std::span<const Tensor* const> inputs,
                               const Bindings& bindings) {
  const Tensor& condition = *inputs[0];
  if (condition.count() != 1) throw Error("node '" + node.name + "' (if): condition is no scalar");
  std::vector<Tensor> captured;
  for (const Tensor* tensor : inputs.subspan(1)) captured.push_back(*tensor);
  const Graph& branch = node.subgraphs[condition.ints()[0] != 0 ? 0 : 1];
  return Run(branch, bindings)(std::move(captured));
}

Tensor evaluate_one(const Call& call) {
  switch (call.node.op) {
    case Op::Cast:
      return eval_ops::cast(call);
    case Op::Select:
      return eval_ops::select(call);
    case Op::Softmax:
    case Op::LogSoftmax:
      return eval_ops::softmax(call);
    case Op::LayerNorm:
    case Op::RmsNorm:
      return eval_ops::layer_norm(call);
    case Op::BatchNorm:
      return eval_ops::batch_norm(call);
    case Op::MatMul:
      return eval_ops::matmul(call);
    case Op::GroupedMatMul:
      return eval_ops::grouped_matmul(call);
    case Op::Conv:
      return eval_ops::conv(call);
    case Op::Attention:
      return eval_ops::attention(call);
    case Op::ConvLast:
      return eval_ops::conv_last(call);
    case Op::ArgMax:
    case Op::ArgMin:
      return eval_ops::arg(call);
    case Op::CumSum:
      return eval_ops::cum_sum(call);
    case Op::Resize:
      return eval_ops::resize(call);
    case Op::ScatterRows:
      return eval_ops::scatter_rows(call);
    case Op::Range:
      return range(call);
    case Op::NonZero:
      return eval_ops::nonzero(call);
    case Op::NonMaxSuppression:
      return eval_ops::non_max_suppression(call);
    case Op::Shape:
      return Tensor::of_ints(DType::I64, call.out_shape(),
                             resolve(*call.output_types[0].contents, {}));
    default:
      break;
  }
  const OpInfo& info = info_of(call.node.op);
  if (info.pattern == Pattern::Reduction) return eval_ops::reduce(call);
  if (info.pattern == Pattern::Window) return eval_ops::window(call);
  return info.max_inputs == 1 ? eval_ops::unary(call) : eval_ops::binary(call);
}

}  // namespace

std::vector<Tensor> evaluate_node(const Graph& graph, const Node& node,
                                  std::span<const Tensor* const> inputs, const Bindings& bindings) {
  if (node.op == Op::If) return run_branch(node, inputs, bindings);
  if (node.op == Op::Loop) return eval_ops::loop(node, inputs, bindings);
  if (node.op == Op::Scan) return eval_ops::scan(node, inputs, bindings);
  if (node.op == Op::Refuse) throw Error(node.string_of("why"));
  std::vector<ValueType> types;
  for (const Tensor* tensor : inputs) types.push_back(tensor ? type_of(*tensor) : ValueType{});
  const Node bound = without_symbols(node, bindings);
  const std::vector<ValueType> outputs = shape_rules::apply_rule({graph, bound, types});
  if (!outputs[0].shape && node.op != Op::Range) {
    throw Error(describe(graph, node) + ": its shape is given by a tensor of more than " +
                std::to_string(shape_rules::kMaxContents) + " elements");
  }
  const Call call{graph, bound, inputs, types, outputs};
  const Pattern pattern = info_of(node.op).pattern;
  if (pattern == Pattern::Move || pattern == Pattern::Broadcast) return eval_ops::move(call);
  if (node.op == Op::TopK) return eval_ops::top_k(call);
  std::vector<Tensor> result;
  result.push_back(evaluate_one(call));
  return result;
}

std::vector<Tensor> eval_ops::run_graph(const Graph& graph, std::vector<Tensor> inputs,
                                        const Bindings& bindings) {
  return Run(graph, bindings)(std::move(inputs));
}

std::vector<Tensor> evaluate(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  std::vector<Tensor> ordered;
  std::vector<std::vector<std::int64_t>> shapes;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const auto found = inputs.find(value.name);
    if (found == inputs.end()) {
      throw Error("input '" + value.name + "' is missing; give --input " + value.name +
                  "=FILE.npy");
    }
    if (found->second.dtype() != value.type.dtype) {
      throw Error("input '" + value.name + "': is " + std::string(name_of(found->second.dtype())) +
                  ", but the model takes " + std::string(name_of(value.type.dtype)));
    }
    ordered.push_back(found->second);
    shapes.push_back(found->second.shape());
  }
  const Bindings bindings = bindings_from(graph, shapes);
  return Run(graph, bindings)(std::move(ordered));
}

}  // namespace dvmsim
