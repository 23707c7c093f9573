#include "cli/reduction/edits.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>

namespace dvmsim {
namespace {

/// Inputs that nothing reads go, and what no output needs.
Graph cleaned(Graph graph) {
  std::set<ValueId> read(graph.outputs.begin(), graph.outputs.end());
  graph = without_dead(graph);
  read.clear();
  for (const Node& node : graph.nodes) read.insert(node.inputs.begin(), node.inputs.end());
  read.insert(graph.outputs.begin(), graph.outputs.end());
  std::erase_if(graph.inputs, [&](ValueId id) { return !read.contains(id); });
  return without_dead(graph);
}

void replace_uses(Graph& graph, ValueId from, ValueId to) {
  for (Node& node : graph.nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(graph.outputs.begin(), graph.outputs.end(), from, to);
}

bool same_type(const Value& a, const Value& b) {
  return a.type.dtype == b.type.dtype && a.type.shape && a.type.shape == b.type.shape;
}

/// The leading corner of the tensor.
Tensor corner(const Tensor& tensor, const std::vector<std::int64_t>& shape) {
  Tensor cut(tensor.dtype(), shape);
  const auto size = static_cast<std::size_t>(size_of(tensor.dtype()));
  const std::span<std::byte> to = cut.mutable_bytes();
  const std::span<const std::byte> from = tensor.bytes();
  std::vector<std::int64_t> at(shape.size(), 0);
  for (std::int64_t i = 0; i < cut.count(); ++i) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      place = place * tensor.shape()[axis] + at[axis];
    }
    std::memcpy(to.data() + static_cast<std::size_t>(i) * size,
                from.data() + static_cast<std::size_t>(place) * size, size);
    for (std::size_t axis = at.size(); axis-- > 0;) {
      if (++at[axis] < shape[axis]) break;
      at[axis] = 0;
    }
  }
  return cut;
}

/// Whether a size was changed.
bool resize(Dims& dims, std::int64_t from, std::int64_t to) {
  bool changed = false;
  for (Dim& dim : dims) {
    if (!dim.is(from)) continue;
    dim = to;
    changed = true;
  }
  return changed;
}

void each_size(const Graph& graph, const std::function<void(const Dims&)>& see) {
  for (const Value& value : graph.values) {
    if (value.kind != ValueKind::Temp && value.type.shape) see(*value.type.shape);
  }
}

}  // namespace

Graph with_outputs(const Graph& graph, const std::vector<std::size_t>& outputs) {
  Graph cut = graph;
  cut.outputs.clear();
  cut.output_names.clear();
  for (std::size_t i : outputs) {
    cut.outputs.push_back(graph.outputs[i]);
    cut.output_names.push_back(graph.output_names[i]);
  }
  return cleaned(std::move(cut));
}

std::optional<Graph> with_nodes(const Graph& graph, const std::vector<NodeId>& nodes) {
  if (nodes.empty()) return std::nullopt;
  Graph cut = graph;
  cut.nodes.clear();
  for (Value& value : cut.values) value.producer = -1;
  std::set<ValueId> made, read;
  for (NodeId id : nodes) {
    const Node& node = graph.node(id);
    read.insert(node.inputs.begin(), node.inputs.end());
    for (ValueId output : node.outputs) {
      cut.value(output).producer = static_cast<NodeId>(cut.nodes.size());
      made.insert(output);
    }
    cut.nodes.push_back(node);
  }
  for (ValueId id : read) {
    if (id == kNoValue || made.contains(id) || graph.value(id).kind != ValueKind::Temp) continue;
    if (!graph.value(id).type.shape) return std::nullopt;
    cut.value(id).kind = ValueKind::Input;
    cut.inputs.push_back(id);
  }
  cut.outputs.clear();
  cut.output_names.clear();
  for (std::size_t i = 0; i < graph.outputs.size(); ++i) {
    if (!made.contains(graph.outputs[i])) continue;
    cut.outputs.push_back(graph.outputs[i]);
    cut.output_names.push_back(graph.output_names[i]);
  }
  const std::set<ValueId> leave(cut.outputs.begin(), cut.outputs.end());
  for (ValueId id : made) {
    if (read.contains(id) || leave.contains(id)) continue;
    cut.outputs.push_back(id);
    cut.output_names.push_back(cut.value(id).name);
  }
  return cleaned(std::move(cut));
}

std::optional<Graph> without_node(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || graph.nodes.size() == 1) return std::nullopt;
  const Value& output = graph.value(node.outputs[0]);
  for (ValueId input : node.inputs) {
    if (input == kNoValue || !same_type(graph.value(input), output)) continue;
    Graph cut = graph;
    replace_uses(cut, node.outputs[0], input);
    cut = cleaned(std::move(cut));
    if (!cut.nodes.empty()) return cut;
  }
  return std::nullopt;
}

Graph with_free_constant(const Graph& graph, ValueId constant) {
  Graph cut = graph;
  Value& value = cut.value(constant);
  value.kind = ValueKind::Input;
  value.tensor.reset();
  value.fill.reset();
  value.type.contents.reset();
  cut.inputs.push_back(constant);
  return cut;
}

std::optional<Graph> with_one_input(const Graph& graph, std::size_t from, std::size_t to) {
  const ValueId gone = graph.inputs[from], kept = graph.inputs[to];
  if (!same_type(graph.value(gone), graph.value(kept))) return std::nullopt;
  Graph cut = graph;
  replace_uses(cut, gone, kept);
  return cleaned(std::move(cut));
}

Graph with_size(const Graph& graph, std::int64_t from, std::int64_t to) {
  Graph cut = graph;
  for (Value& value : cut.values) {
    if (value.kind == ValueKind::Temp || !value.type.shape) continue;
    if (!resize(*value.type.shape, from, to) || !value.tensor) continue;
    std::vector<std::int64_t> shape;
    for (const Dim& dim : *value.type.shape) shape.push_back(dim.value());
    value.tensor = corner(*value.tensor, shape);
    value.type.contents.reset();
  }
  for (Node& node : cut.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      if (auto* dims = std::get_if<Dims>(&attribute)) (void)resize(*dims, from, to);
    }
  }
  return cut;
}

std::vector<std::int64_t> sizes_of(const Graph& graph) {
  std::set<std::int64_t, std::greater<>> sizes;
  each_size(graph, [&](const Dims& dims) {
    for (const Dim& dim : dims) {
      if (dim.is_known() && dim.value() > 1) sizes.insert(dim.value());
    }
  });
  return {sizes.begin(), sizes.end()};
}

std::int64_t elements_of(const Graph& graph) {
  std::int64_t all = 0;
  each_size(graph, [&](const Dims& dims) {
    std::int64_t count = 1;
    for (const Dim& dim : dims) count *= dim.is_known() ? dim.value() : 1;
    all += count;
  });
  return all;
}

}  // namespace dvmsim
