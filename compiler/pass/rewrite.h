// Rebuilding a graph node by node while the ids of its values stay: what every rewriting pass does.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

class Rewrite {
 public:
  explicit Rewrite(const Graph& graph) : graph_(graph), nodes_(std::move(graph_.nodes)) {
    graph_.nodes.clear();
  }

  /// The nodes as they were, in order.
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  [[nodiscard]] Graph& graph() { return graph_; }

  /// Appends a node as it is.
  void keep(Node node) {
    for (ValueId output : node.outputs) {
      graph_.value(output).producer = static_cast<NodeId>(graph_.nodes.size());
    }
    graph_.nodes.push_back(std::move(node));
  }
  /// Appends a node that makes `output`.
  void make(ValueId output, Op op, std::vector<ValueId> inputs, AttributeMap attributes,
            const std::string& name) {
    Node node{op, std::move(inputs), {output}, {}, name, {}};
    for (auto& [attribute, value] : attributes) node.set(attribute, std::move(value));
    keep(std::move(node));
  }
  /// Appends a node that makes a new value of this type.
  ValueId make(DType dtype, const std::vector<std::int64_t>& shape, Op op,
               std::vector<ValueId> inputs, AttributeMap attributes, const std::string& name) {
    return make(dtype, as_dims(shape), op, std::move(inputs), std::move(attributes), name);
  }
  ValueId make(DType dtype, Dims shape, Op op, std::vector<ValueId> inputs, AttributeMap attributes,
               const std::string& name) {
    const auto id = static_cast<ValueId>(graph_.values.size());
    Value value;
    value.name = name + "." + std::to_string(id);
    value.type.dtype = dtype;
    value.type.shape = std::move(shape);
    graph_.values.push_back(std::move(value));
    make(id, op, std::move(inputs), std::move(attributes), name);
    return id;
  }
  /// The last node makes `output` instead of its own new value.
  void rename_last(ValueId output) {
    graph_.nodes.back().outputs[0] = output;
    graph_.value(output).producer = static_cast<NodeId>(graph_.nodes.size()) - 1;
  }
  [[nodiscard]] Graph done() { return without_dead(graph_); }

 private:
  Graph graph_;
  std::vector<Node> nodes_;
};

}  // namespace dvmsim
