#include "compiler/graph/shape.h"

#include <algorithm>
#include <utility>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape_rules.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using shape_rules::kMaxContents;

/// Elements of a range that is made on the host: it depends on shapes alone.
constexpr std::int64_t kMostOfRange = 1 << 22;

bool all_known(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_known(); });
}

bool is_shape_like(const Tensor& tensor) {
  return !is_float(tensor.dtype()) && tensor.count() <= kMaxContents;
}

Dims contents_of(const Tensor& tensor) {
  const std::vector<std::int64_t> ints = tensor.ints();
  return Dims(ints.begin(), ints.end());
}

/// The constant that a value with known contents is.
std::optional<Tensor> as_tensor(const ValueType& type) {
  if (!type.contents || !type.shape || !all_known(*type.contents) || !all_known(*type.shape)) {
    return std::nullopt;
  }
  return Tensor::of_ints(type.dtype, resolve(*type.shape, {}), resolve(*type.contents, {}));
}

/// Which attribute takes over which input once its contents are known.
struct Takeover {
  Op op;
  int input;
  const char* attribute;
};
constexpr Takeover kTakeovers[] = {
    {Op::Reshape, 1, "shape"}, {Op::Expand, 1, "shape"}, {Op::Split, 1, "sizes"},
    {Op::Slice, 1, "starts"},  {Op::Slice, 2, "ends"},   {Op::Slice, 3, "axes"},
    {Op::Slice, 4, "steps"},   {Op::Pad, 1, "pads"},     {Op::Pad, 3, "axes"},
    {Op::TopK, 1, "k"},        {Op::Resize, 1, "sizes"}};

/// Copies a graph node by node into a new one whose values have their types.
class Deducer {
 public:
  explicit Deducer(const Graph& from) : from_(from) {
    to_.name = from.name;
    to_.symbols = from.symbols;
    to_.output_names = from.output_names;
  }

  Graph run() {
    std::vector<ValueId> ids(from_.values.size(), kNoValue);
    for (ValueId id : from_.inputs) {
      ids[static_cast<std::size_t>(id)] = static_cast<ValueId>(to_.values.size());
      to_.inputs.push_back(ids[static_cast<std::size_t>(id)]);
      to_.values.push_back(from_.value(id));
    }
    to_.outputs = copy(from_, ids);
    return without_dead(to_);
  }

 private:
  /// Copies constants and nodes of `graph`, whose inputs are in `ids` already; its outputs' new
  /// ids.
  std::vector<ValueId> copy(const Graph& graph, std::vector<ValueId>& ids) {
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      const Value& value = graph.values[i];
      if (value.kind != ValueKind::Constant || ids[i] != kNoValue) continue;
      ids[i] = value.tensor ? to_.add_constant(value.name, *value.tensor)
                            : to_.add_constant(value.name, value.type.dtype,
                                               resolve(*value.type.shape, {}), *value.fill);
      Value& copied = to_.value(ids[i]);
      copied.counted = value.counted;
      if (value.tensor && is_shape_like(*value.tensor)) {
        copied.type.contents = contents_of(*value.tensor);
      }
    }
    for (const Node& node : graph.nodes) copy_node(graph, node, ids);
    std::vector<ValueId> outputs;
    for (ValueId id : graph.outputs) outputs.push_back(ids[static_cast<std::size_t>(id)]);
    return outputs;
  }

  void copy_node(const Graph& graph, Node node, std::vector<ValueId>& ids) {
    const std::vector<ValueId> old_outputs = node.outputs;
    std::vector<ValueType> types;
    for (ValueId& id : node.inputs) {
      if (id != kNoValue) id = ids[static_cast<std::size_t>(id)];
      types.push_back(id == kNoValue ? ValueType{} : to_.value(id).type);
    }
    if (node.name.empty()) node.name = graph.value(old_outputs[0]).name;
    if (node.op == Op::If && types[0].contents && types[0].contents->front().is_known()) {
      take_branch(graph, node, types[0].contents->front().is(0) ? 1 : 0, old_outputs, ids);
      return;
    }
    take_over_inputs(node, types);
    std::vector<ValueType> deduced = deduce_node(to_, node, types);
    if (!node.subgraphs.empty()) node.subgraphs = shape_rules::typed_subgraphs({to_, node, types});
    if (fold(graph, node, deduced, old_outputs, ids)) return;
    const auto id = static_cast<NodeId>(to_.nodes.size());
    node.outputs.clear();
    for (std::size_t i = 0; i < old_outputs.size(); ++i) {
      Value value = graph.value(old_outputs[i]);
      value.type = std::move(deduced[i]);
      value.producer = id;
      node.outputs.push_back(append(std::move(value)));
      ids[static_cast<std::size_t>(old_outputs[i])] = node.outputs.back();
    }
    to_.nodes.push_back(std::move(node));
  }

  /// A value of the main graph keeps its name; one of a branch may clash with it.
  ValueId append(Value value) {
    const auto clashes = [&] {
      return std::any_of(to_.values.begin(), to_.values.end(),
                         [&](const Value& other) { return other.name == value.name; });
    };
    if (inlined_ > 0) {
      while (clashes()) value.name += "_" + std::to_string(inlined_);
    }
    to_.values.push_back(std::move(value));
    return static_cast<ValueId>(to_.values.size()) - 1;
  }

  void take_branch(const Graph& graph, const Node& node, std::size_t branch,
                   const std::vector<ValueId>& old_outputs, std::vector<ValueId>& ids) {
    ++inlined_;
    (void)graph;
    const Graph& subgraph = node.subgraphs[branch];
    std::vector<ValueId> inner(subgraph.values.size(), kNoValue);
    for (std::size_t i = 0; i < subgraph.inputs.size(); ++i) {
      inner[static_cast<std::size_t>(subgraph.inputs[i])] = node.inputs[i + 1];
    }
    const std::vector<ValueId> outputs = copy(subgraph, inner);
    for (std::size_t i = 0; i < old_outputs.size(); ++i) {
      ids[static_cast<std::size_t>(old_outputs[i])] = outputs[i];
    }
  }

  static void take_over_inputs(Node& node, std::vector<ValueType>& types) {
    for (const Takeover& row : kTakeovers) {
      if (row.op != node.op || node.input(row.input) == kNoValue) continue;
      const auto at = static_cast<std::size_t>(row.input);
      if (!types[at].contents) continue;
      node.set(row.attribute, *types[at].contents);
      node.inputs[at] = kNoValue;
      types[at] = ValueType{};
    }
    while (!node.inputs.empty() && node.inputs.back() == kNoValue) {
      node.inputs.pop_back();
      types.pop_back();
    }
  }

  /// Makes constants of the outputs if they are known: by contents, or by computing from constants.
  bool fold(const Graph& graph, const Node& node, const std::vector<ValueType>& deduced,
            const std::vector<ValueId>& old_outputs, std::vector<ValueId>& ids) {
    std::vector<Tensor> tensors;
    for (const ValueType& type : deduced) {
      if (std::optional<Tensor> tensor = as_tensor(type)) tensors.push_back(*std::move(tensor));
    }
    if (tensors.size() != deduced.size()) {
      if (stays_small(graph, node, old_outputs)) return false;
      tensors = computed(node, deduced);
      if (tensors.empty()) return false;
    }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Value& old = graph.value(old_outputs[i]);
      Value value;
      value.name = old.name;
      value.kind = ValueKind::Constant;
      value.type = {tensors[i].dtype(), Dims(tensors[i].shape().begin(), tensors[i].shape().end()),
                    std::nullopt};
      if (is_shape_like(tensors[i])) value.type.contents = contents_of(tensors[i]);
      value.tensor = std::move(tensors[i]);
      ids[static_cast<std::size_t>(old_outputs[i])] = append(std::move(value));
    }
    return true;
  }

  /// Is it a matrix of bytes that only products read once it is numbers? Such weights stay as small
  /// in memory as they are: whoever multiplies by them makes numbers of them each time.
  bool stays_small(const Graph& graph, const Node& node,
                   const std::vector<ValueId>& old_outputs) const {
    if (node.op != Op::Cast) return false;
    const ValueType& given = to_.value(node.inputs[0]).type;
    const bool bytes = given.dtype == DType::I8 || given.dtype == DType::U8;
    if (!bytes || given.shape->size() != 2 || !is_float(node.dtype_of("to"))) return false;
    return feeds_products(graph, users_of(graph), old_outputs[0]);
  }
  static bool feeds_products(const Graph& graph, const std::vector<std::vector<NodeId>>& users,
                             ValueId id) {
    const std::vector<NodeId>& readers = users[static_cast<std::size_t>(id)];
    return !readers.empty() && std::all_of(readers.begin(), readers.end(), [&](NodeId reader) {
      const Node& node = graph.node(reader);
      if (node.op == Op::MatMul) return true;
      const bool passes =
          info_of(node.op).pattern == Pattern::Elementwise || node.op == Op::Transpose;
      return passes && feeds_products(graph, users, node.outputs[0]);
    });
  }

  /// Empty unless all inputs are constants with bytes and the outputs are not much larger.
  std::vector<Tensor> computed(const Node& node, const std::vector<ValueType>& deduced) const {
    if (info_of(node.op).pattern == Pattern::Control || node.op == Op::MatMul ||
        node.op == Op::Conv || node.op == Op::ConvLast || node.op == Op::Refuse) {
      return {};
    }
    std::vector<const Tensor*> inputs;
    std::int64_t size = node.op == Op::Range ? kMostOfRange : 1024;
    for (ValueId id : node.inputs) {
      inputs.push_back(nullptr);
      if (id == kNoValue) continue;
      const Value& value = to_.value(id);
      if (!value.tensor) return {};
      inputs.back() = &*value.tensor;
      size += value.tensor->count();
    }
    for (const ValueType& type : deduced) {
      if (!type.shape) continue;
      const Dim count = element_count(*type.shape);
      if (!count.is_known() || count.value() > size) return {};
    }
    return evaluate_node(to_, node, inputs);
  }

  const Graph& from_;
  Graph to_;
  int inlined_ = 0;
};

void require_shapes(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.outputs) {
      if (graph.value(id).type.shape) continue;
      throw Error(describe(graph, node) + ": the shape of '" + graph.value(id).name +
                  "' depends on data; give sizes with --dim or --shape, or change the model");
    }
  }
}

void substitute_all(Dims& dims, const Bindings& bindings) {
  for (Dim& dim : dims) dim = substitute(dim, bindings);
}

void substitute_all(Graph& graph, const Bindings& bindings) {
  for (Value& value : graph.values) {
    if (value.type.shape) substitute_all(*value.type.shape, bindings);
    if (value.type.contents) substitute_all(*value.type.contents, bindings);
  }
  for (Node& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      if (Dims* dims = std::get_if<Dims>(&attribute)) substitute_all(*dims, bindings);
    }
    for (Graph& subgraph : node.subgraphs) substitute_all(subgraph, bindings);
  }
  std::erase_if(graph.symbols, [&](const std::string& name) { return bindings.contains(name); });
}

}  // namespace

Graph infer_shapes(const Graph& graph) {
  return Deducer(graph).run();
}

Graph deduce_shapes(const Graph& graph) {
  Graph result = infer_shapes(graph);
  require_shapes(result);
  return result;
}

Graph bind_symbols(const Graph& graph, const Bindings& bindings) {
  Graph bound = graph;
  substitute_all(bound, bindings);
  return infer_shapes(bound);
}

Graph specialize(const Graph& graph, const Bindings& bindings) {
  Graph result = bind_symbols(graph, bindings);
  require_shapes(result);
  return result;
}

Graph assume_input(const Graph& graph, const std::string& name, const Tensor& value) {
  Graph result = graph;
  for (ValueId id : result.inputs) {
    Value& input = result.value(id);
    if (input.name != name) continue;
    if (!is_shape_like(value) || value.dtype() != input.type.dtype) {
      throw Error("input '" + name + "': only a small " + std::string(name_of(input.type.dtype)) +
                  " tensor can be assumed");
    }
    input.type.shape = Dims(value.shape().begin(), value.shape().end());
    input.type.contents = contents_of(value);
    return result;
  }
  throw Error("the model has no input '" + name + "'");
}

Bindings bindings_of(const Graph& graph, std::span<const std::int64_t> sizes) {
  Bindings bindings;
  for (std::size_t i = 0; i < graph.symbols.size(); ++i) bindings[graph.symbols[i]] = sizes[i];
  return bindings;
}

Bindings bindings_from(const Graph& graph,
                       std::span<const std::vector<std::int64_t>> input_shapes) {
  DVMSIM_ASSERT(input_shapes.size() == graph.inputs.size(), "each input has a shape");
  Bindings bindings;
  const auto fail = [&](std::size_t i) {
    const Dims& declared = *graph.value(graph.inputs[i]).type.shape;
    throw Error("input '" + graph.value(graph.inputs[i]).name + "': shape " +
                to_text(Dims(input_shapes[i].begin(), input_shapes[i].end())) +
                " does not fit the model's " + to_text(declared));
  };
  for (std::size_t i = 0; i < input_shapes.size(); ++i) {
    const std::optional<Dims>& declared = graph.value(graph.inputs[i]).type.shape;
    if (!declared) continue;
    if (declared->size() != input_shapes[i].size()) fail(i);
    for (std::size_t d = 0; d < declared->size(); ++d) {
      if (input_shapes[i][d] < 0) fail(i);
      if (const std::optional<std::string> name = (*declared)[d].symbol_name()) {
        bindings.emplace(*name, input_shapes[i][d]);
      }
    }
  }
  for (std::size_t i = 0; i < input_shapes.size(); ++i) {
    const std::optional<Dims>& declared = graph.value(graph.inputs[i]).type.shape;
    if (declared && resolve(*declared, bindings) != input_shapes[i]) fail(i);
  }
  return bindings;
}

}  // namespace dvmsim
