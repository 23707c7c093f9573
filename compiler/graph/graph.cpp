#include "compiler/graph/graph.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

auto position(auto& attributes, std::string_view name) {
  return std::lower_bound(
      attributes.begin(), attributes.end(), name,
      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
}

std::string_view default_of(const Node& node, std::string_view attribute) {
  const AttributeInfo* info = find_attribute(node.op, attribute);
  DVMSIM_ASSERT(info != nullptr, "only attributes of the operator's row are asked for");
  if (info->default_text.empty()) {
    throw Error("node '" + node.name + "' (" + std::string(name_of(node.op)) + "): attribute '" +
                std::string(attribute) + "' is missing");
  }
  return info->default_text;
}

template <class T>
const T& typed(const Node& node, std::string_view name, const Attribute& attribute) {
  if (const T* value = std::get_if<T>(&attribute)) return *value;
  throw Error("node '" + node.name + "' (" + std::string(name_of(node.op)) + "): attribute '" +
              std::string(name) + "' has the wrong type");
}

std::string unique_name(const Graph& graph, std::string name) {
  if (name.empty()) name = "v";
  const auto taken = [&](const std::string& wanted) {
    return std::any_of(graph.values.begin(), graph.values.end(),
                       [&](const Value& value) { return value.name == wanted; });
  };
  if (!taken(name)) return name;
  // Numbered by position, so that the first guess is nearly always free.
  for (std::size_t number = graph.values.size();; ++number) {
    std::string numbered = name + "_" + std::to_string(number);
    if (!taken(numbered)) return numbered;
  }
}

ValueId append_value(Graph& graph, Value value) {
  value.name = unique_name(graph, std::move(value.name));
  graph.values.push_back(std::move(value));
  return static_cast<ValueId>(graph.values.size()) - 1;
}

Dims known(const std::vector<std::int64_t>& shape) {
  return Dims(shape.begin(), shape.end());
}

/// Copies the live part of one graph into another, renumbering.
class Compactor {
 public:
  explicit Compactor(const Graph& from) : from_(from), ids_(from.values.size(), kNoValue) {
    to_.name = from.name;
    to_.symbols = from.symbols;
    to_.output_names = from.output_names;
  }

  Graph run() {
    mark_live();
    for (ValueId id : from_.inputs) to_.inputs.push_back(moved(id));
    for (std::size_t i = 0; i < from_.nodes.size(); ++i) {
      if (live_[i]) copy_node(from_.nodes[i]);
    }
    for (ValueId id : from_.outputs) to_.outputs.push_back(moved(id));
    return std::move(to_);
  }

 private:
  void mark_live() {
    live_.assign(from_.nodes.size(), false);
    std::vector<NodeId> todo;
    const auto need = [&](ValueId id) {
      if (id == kNoValue) return;
      const NodeId producer = from_.value(id).producer;
      if (producer < 0 || live_[static_cast<std::size_t>(producer)]) return;
      live_[static_cast<std::size_t>(producer)] = true;
      todo.push_back(producer);
    };
    for (ValueId id : from_.outputs) need(id);
    while (!todo.empty()) {
      const Node& node = from_.node(todo.back());
      todo.pop_back();
      for (ValueId id : node.inputs) need(id);
    }
  }

  ValueId moved(ValueId id) {
    if (id == kNoValue) return kNoValue;
    ValueId& to = ids_[static_cast<std::size_t>(id)];
    if (to == kNoValue) {
      to = static_cast<ValueId>(to_.values.size());
      to_.values.push_back(from_.value(id));
    }
    return to;
  }

  void copy_node(const Node& node) {
    Node copy = node;
    for (ValueId& id : copy.inputs) id = moved(id);
    for (ValueId& id : copy.outputs) {
      id = moved(id);
      to_.value(id).producer = static_cast<NodeId>(to_.nodes.size());
    }
    to_.nodes.push_back(std::move(copy));
  }

  const Graph& from_;
  Graph to_;
  std::vector<ValueId> ids_;
  std::vector<bool> live_;
};

}  // namespace

void Node::set(std::string_view attribute, Attribute value) {
  const auto at = position(attributes, attribute);
  if (at != attributes.end() && at->first == attribute) {
    at->second = std::move(value);
  } else {
    attributes.emplace(at, std::string(attribute), std::move(value));
  }
}

void Node::erase(std::string_view attribute) {
  const auto at = position(attributes, attribute);
  if (at != attributes.end() && at->first == attribute) attributes.erase(at);
}

const Attribute* Node::find(std::string_view attribute) const {
  const auto at = position(attributes, attribute);
  return at != attributes.end() && at->first == attribute ? &at->second : nullptr;
}

std::int64_t Node::int_of(std::string_view attribute) const {
  if (const Attribute* found = find(attribute)) {
    return typed<std::int64_t>(*this, attribute, *found);
  }
  return std::stoll(std::string(default_of(*this, attribute)));
}

double Node::float_of(std::string_view attribute) const {
  if (const Attribute* found = find(attribute)) return typed<double>(*this, attribute, *found);
  return std::stod(std::string(default_of(*this, attribute)));
}

std::string Node::string_of(std::string_view attribute) const {
  if (const Attribute* found = find(attribute)) {
    return typed<std::string>(*this, attribute, *found);
  }
  return std::string(default_of(*this, attribute));
}

DType Node::dtype_of(std::string_view attribute) const {
  if (const Attribute* found = find(attribute)) return typed<DType>(*this, attribute, *found);
  const std::optional<DType> dtype = parse_dtype(default_of(*this, attribute));
  DVMSIM_ASSERT(dtype.has_value(), "a default element type of ops.def has a name");
  return *dtype;
}

const Dims* Node::dims_of(std::string_view attribute) const {
  const Attribute* found = find(attribute);
  return found == nullptr ? nullptr : &typed<Dims>(*this, attribute, *found);
}

std::vector<std::int64_t> Node::ints_of(std::string_view attribute,
                                        std::vector<std::int64_t> fallback) const {
  const Dims* dims = dims_of(attribute);
  if (dims == nullptr) return fallback;
  std::vector<std::int64_t> result;
  for (const Dim& dim : *dims) {
    if (!dim.is_known()) {
      throw Error("node '" + name + "' (" + std::string(name_of(op)) + "): attribute '" +
                  std::string(attribute) + "' must be numbers, not " + to_text(dim));
    }
    result.push_back(dim.value());
  }
  return result;
}

std::vector<double> Node::floats_of(std::string_view attribute) const {
  const Attribute* found = find(attribute);
  if (found == nullptr) return {};
  return typed<std::vector<double>>(*this, attribute, *found);
}

ValueId Node::input(int index) const {
  return index < static_cast<int>(inputs.size()) ? inputs[static_cast<std::size_t>(index)]
                                                 : kNoValue;
}

ValueId Graph::add_input(const std::string& value_name, DType dtype, Dims shape) {
  std::set<std::string> names;
  for (const Dim& dim : shape) {
    names.clear();
    collect_symbols(dim, names);
    for (const std::string& symbol : names) {
      if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) {
        symbols.push_back(symbol);
      }
    }
  }
  Value value;
  value.name = value_name;
  value.kind = ValueKind::Input;
  value.type = {dtype, std::move(shape), std::nullopt};
  inputs.push_back(append_value(*this, std::move(value)));
  return inputs.back();
}

ValueId Graph::add_constant(const std::string& value_name, Tensor tensor) {
  Value value;
  value.name = value_name;
  value.kind = ValueKind::Constant;
  value.type = {tensor.dtype(), known(tensor.shape()), std::nullopt};
  value.tensor = std::move(tensor);
  return append_value(*this, std::move(value));
}

ValueId Graph::add_constant(const std::string& value_name, DType dtype,
                            std::vector<std::int64_t> shape, Fill fill) {
  Value value;
  value.name = value_name;
  value.kind = ValueKind::Constant;
  value.type = {dtype, known(shape), std::nullopt};
  value.fill = fill;
  return append_value(*this, std::move(value));
}

ValueId Graph::add_scalar(DType dtype, double number) {
  return add_constant("c", Tensor::of(dtype, {}, std::span(&number, 1)));
}

NodeId Graph::add_node(Op op, std::vector<ValueId> node_inputs,
                       std::vector<std::string> output_value_names, AttributeMap attributes,
                       std::string node_name) {
  Node node;
  node.op = op;
  node.inputs = std::move(node_inputs);
  node.name = std::move(node_name);
  for (auto& [key, value] : attributes) node.set(key, std::move(value));
  const auto id = static_cast<NodeId>(nodes.size());
  for (std::string& output : output_value_names) {
    Value value;
    value.name = std::move(output);
    value.producer = id;
    node.outputs.push_back(append_value(*this, std::move(value)));
  }
  nodes.push_back(std::move(node));
  return id;
}

ValueId Graph::add(Op op, std::vector<ValueId> node_inputs, AttributeMap attributes,
                   std::string node_name) {
  std::string output = node_name.empty() ? std::string(name_of(op)) : node_name;
  const NodeId id = add_node(op, std::move(node_inputs), {std::move(output)}, std::move(attributes),
                             std::move(node_name));
  return node(id).outputs[0];
}

void Graph::add_output(ValueId id, std::string output_name) {
  outputs.push_back(id);
  output_names.push_back(output_name.empty() ? value(id).name : std::move(output_name));
}

std::string describe(const Graph& graph, const Node& node) {
  std::string name = node.name;
  if (name.empty() && !node.outputs.empty()) name = graph.value(node.outputs[0]).name;
  return "node '" + name + "' (" + std::string(name_of(node.op)) + ")";
}

Tensor constant_tensor(const Value& value) {
  DVMSIM_ASSERT(value.kind == ValueKind::Constant, "only constants have bytes");
  if (value.tensor) return *value.tensor;
  DVMSIM_ASSERT(value.fill && value.type.shape, "a constant has bytes, or a rule and a shape");
  return filled(value.type.dtype, resolve(*value.type.shape, {}), *value.fill);
}

std::vector<std::vector<NodeId>> users_of(const Graph& graph) {
  std::vector<std::vector<NodeId>> users(graph.values.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId id : graph.nodes[i].inputs) {
      if (id == kNoValue) continue;
      std::vector<NodeId>& list = users[static_cast<std::size_t>(id)];
      if (list.empty() || list.back() != static_cast<NodeId>(i)) {
        list.push_back(static_cast<NodeId>(i));
      }
    }
  }
  return users;
}

Graph without_dead(const Graph& graph) {
  return Compactor(graph).run();
}

}  // namespace dvmsim
