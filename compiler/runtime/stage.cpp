#include "compiler/runtime/stage.h"

#include <algorithm>
#include <set>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

bool known(const ValueType& type) {
  return type.shape && std::all_of(type.shape->begin(), type.shape->end(),
                                   [](const Dim& dim) { return dim.is_known(); });
}

/// Some of the graph's nodes as a graph, whose inputs are values of the other one.
Graph part_of(const Graph& graph, const std::vector<NodeId>& nodes,
              const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs) {
  Graph part = graph;
  part.nodes.clear();
  for (Value& value : part.values) value.producer = -1;
  for (NodeId id : nodes) {
    for (ValueId output : graph.node(id).outputs) {
      part.value(output).producer = static_cast<NodeId>(part.nodes.size());
    }
    part.nodes.push_back(graph.node(id));
  }
  for (ValueId id : inputs) part.value(id).kind = ValueKind::Input;
  part.inputs = inputs;
  part.outputs = outputs;
  part.output_names.clear();
  for (ValueId id : outputs) part.output_names.push_back(part.value(id).name);
  return without_dead(part);
}

class Planner {
 public:
  explicit Planner(const Graph& graph) : graph_(graph), ready_(graph.values.size(), false) {}

  StagePlan run() {
    sort_nodes();
    if (host_.empty() && later_.empty()) {
      plan_.whole = true;
      plan_.device = graph_;
      for (ValueId id : graph_.outputs) plan_.device_outputs.push_back(graph_.value(id).name);
      return std::move(plan_);
    }
    if (host_.empty() && reads_.empty()) {
      throw Error(describe(graph_, graph_.node(later_.front())) +
                  ": its shape depends on data in a way that no value tells; change the model");
    }
    make_device();
    for (NodeId id : host_) plan_.host.push_back(host_node(graph_.node(id)));
    for (ValueId id : reads_) plan_.reads.push_back(graph_.value(id).name);
    make_rest();
    return std::move(plan_);
  }

 private:
  [[nodiscard]] const Value& value(ValueId id) const { return graph_.value(id); }
  [[nodiscard]] bool is_ready(ValueId id) const {
    return id == kNoValue || value(id).kind != ValueKind::Temp ||
           ready_[static_cast<std::size_t>(id)];
  }

  void sort_nodes() {
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes.size()); ++id) {
      const Node& node = graph_.node(id);
      const bool can_run = std::all_of(node.inputs.begin(), node.inputs.end(),
                                       [&](ValueId input) { return is_ready(input); });
      const bool sized = std::all_of(node.outputs.begin(), node.outputs.end(),
                                     [&](ValueId output) { return known(value(output).type); });
      if (can_run && is_host_driven(graph_, node)) {
        host_.push_back(id);
      } else if (can_run && sized) {
        device_.push_back(id);
        for (ValueId output : node.outputs) ready_[static_cast<std::size_t>(output)] = true;
      } else {
        if (can_run) need_to_know(node);
        later_.push_back(id);
      }
    }
  }

  /// What would tell the shape of a node that has everything else.
  void need_to_know(const Node& node) {
    for (std::size_t i = node.op == Op::Range ? 0 : 1; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || value(id).type.contents || is_float(value(id).type.dtype)) continue;
      if (std::find(reads_.begin(), reads_.end(), id) == reads_.end()) reads_.push_back(id);
    }
  }

  /// Temporaries and graph inputs that these nodes read, in order of the values.
  [[nodiscard]] std::set<ValueId> read_by(const std::vector<NodeId>& nodes) const {
    std::set<ValueId> reads;
    for (NodeId id : nodes) {
      for (ValueId input : graph_.node(id).inputs) {
        if (input != kNoValue && value(input).kind != ValueKind::Constant) reads.insert(input);
      }
    }
    return reads;
  }

  void make_device() {
    std::set<ValueId> wanted = read_by(host_);
    wanted.merge(read_by(later_));
    wanted.insert(reads_.begin(), reads_.end());
    wanted.insert(graph_.outputs.begin(), graph_.outputs.end());
    std::vector<ValueId> inputs, outputs;
    const std::set<ValueId> reads = read_by(device_);
    for (ValueId id : graph_.inputs) {
      if (reads.contains(id)) inputs.push_back(id);
    }
    for (ValueId id : wanted) {
      if (value(id).kind == ValueKind::Temp && is_ready(id)) outputs.push_back(id);
    }
    plan_.device = part_of(graph_, device_, inputs, outputs);
    for (ValueId id : outputs) plan_.device_outputs.push_back(value(id).name);
  }

  [[nodiscard]] HostNode host_node(const Node& node) const {
    HostNode host{node, {}, {}, {}, describe(graph_, node)};
    for (ValueId id : node.inputs) {
      const bool constant = id != kNoValue && value(id).kind == ValueKind::Constant;
      host.inputs.push_back(id == kNoValue || constant ? "" : value(id).name);
      host.constants.emplace_back();
      if (constant) host.constants.back() = value(id);
    }
    for (ValueId id : node.outputs) host.outputs.push_back(value(id).name);
    return host;
  }

  void make_rest() {
    std::set<ValueId> made;
    for (NodeId id : later_) {
      made.insert(graph_.node(id).outputs.begin(), graph_.node(id).outputs.end());
    }
    std::vector<ValueId> inputs, outputs;
    for (ValueId id : read_by(later_)) {
      if (!made.contains(id)) inputs.push_back(id);
    }
    for (ValueId id : graph_.outputs) {
      OutputSource source;
      if (made.contains(id)) {
        source.rest = static_cast<int>(outputs.size());
        outputs.push_back(id);
      } else if (value(id).kind == ValueKind::Constant) {
        source.constant = value(id);
      } else {
        source.name = value(id).name;
      }
      plan_.outputs.push_back(std::move(source));
    }
    if (!outputs.empty()) plan_.rest = part_of(graph_, later_, inputs, outputs);
  }

  const Graph& graph_;
  std::vector<bool> ready_;
  std::vector<NodeId> device_{}, host_{}, later_{};
  std::vector<ValueId> reads_{};
  StagePlan plan_{};
};

}  // namespace

bool is_host_driven(const Graph& graph, const Node& node) {
  if (node.op == Op::Loop || node.op == Op::Scan || node.op == Op::NonZero ||
      node.op == Op::NonMaxSuppression || node.op == Op::Refuse) {
    return true;
  }
  if (node.op == Op::Range) return is_float(graph.value(node.inputs[0]).type.dtype);
  if (node.op != Op::If) return false;
  for (const Graph& branch : node.subgraphs) {
    for (const Node& inner : branch.nodes) {
      if (is_host_driven(branch, inner)) return true;
      for (ValueId id : inner.outputs) {
        if (!known(branch.value(id).type)) return true;
      }
    }
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    const auto shape_in = [&](std::size_t which) -> const std::optional<Dims>& {
      const Graph& branch = node.subgraphs[which];
      return branch.value(branch.outputs[i]).type.shape;
    };
    if (!shape_in(0) || shape_in(0) != shape_in(1)) return true;
  }
  return false;
}

std::string driven_by(const StagePlan& plan) {
  return plan.host.empty() ? "value '" + plan.reads.front() + "'" : plan.host.front().label;
}

StagePlan plan_stage(const Graph& graph) {
  return Planner(graph).run();
}

}  // namespace dvmsim
