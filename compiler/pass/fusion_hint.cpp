#include "compiler/pass/fusion_hint.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/pass/partition.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

bool has_node(const Graph& graph, std::span<const NodeId> nodes, const std::string& name) {
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](NodeId id) { return graph.node(id).name == name; });
}

bool has_node(const Graph& graph, const std::string& name) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& node) { return node.name == name; });
}

bool is_of(const FusionHint& hint, const Node& a, const Node& b) {
  return (hint.a == a.name && hint.b == b.name) || (hint.a == b.name && hint.b == a.name);
}

/// The group of a node.
const Group& group_at(const Partition& partition, NodeId id) {
  return *std::find_if(partition.groups.begin(), partition.groups.end(), [&](const Group& group) {
    return std::binary_search(group.nodes.begin(), group.nodes.end(), id);
  });
}

void check_fused(const FusionHint& hint, const Partition& partition, NodeId producer,
                 NodeId consumer) {
  const Group &from = group_at(partition, producer), &to = group_at(partition, consumer);
  if (&from == &to || from.kind == GroupKind::Alias || to.kind == GroupKind::Alias) return;
  std::string why = fmt::format("its consumer is a {} kernel", name_of(to.kind));
  for (const Remark& remark : partition.remarks) {
    if (remark.producer != producer || remark.consumer != consumer) continue;
    why = remark.text + (remark.detail.empty() ? "" : " (" + remark.detail + ")");
  }
  throw Error(
      fmt::format("{}: '{}' and '{}' cannot be fused: {}", hint.where, hint.a, hint.b, why));
}

/// Is there an edge between nodes of the hint's names?
bool check_edges(const FusionHint& hint, const Graph& graph, const Partition& partition,
                 bool may_fold) {
  bool found = false;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    const Node& node = graph.node(id);
    for (ValueId input : node.inputs) {
      if (input == kNoValue || graph.value(input).producer < 0) continue;
      const NodeId producer = graph.value(input).producer;
      const Node& before = graph.node(producer);
      if (!is_of(hint, before, node)) continue;
      found = true;
      const bool folds = may_fold && (may_be_view(before.op) || may_be_view(node.op));
      if (hint.fuse && !folds) check_fused(hint, partition, producer, id);
    }
  }
  return found;
}

}  // namespace

bool has_hint(FusionHints hints, bool fuse, const Node& a, const Node& b) {
  return std::any_of(hints.begin(), hints.end(), [&](const FusionHint& hint) {
    return hint.fuse == fuse && is_of(hint, a, b);
  });
}

bool splits(FusionHints hints, const Graph& graph, std::span<const NodeId> a,
            std::span<const NodeId> b) {
  return std::any_of(hints.begin(), hints.end(), [&](const FusionHint& hint) {
    return !hint.fuse && ((has_node(graph, a, hint.a) && has_node(graph, b, hint.b)) ||
                          (has_node(graph, a, hint.b) && has_node(graph, b, hint.a)));
  });
}

void check_hints(FusionHints hints, const Graph& graph, const Partition& partition, bool may_fold) {
  for (FusionHint& hint : hints) {
    const bool both = has_node(graph, hint.a) && has_node(graph, hint.b);
    if (!check_edges(hint, graph, partition, may_fold) && both && hint.fuse) {
      throw Error(fmt::format("{}: no tensor goes between '{}' and '{}'; fuse neighbours",
                              hint.where, hint.a, hint.b));
    }
    hint.met |= both;
  }
}

bool may_be_view(Op op) {
  return op == Op::Transpose || op == Op::Slice || op == Op::Split || op == Op::Concat ||
         op == Op::Expand || op == Op::Reshape || op == Op::Identity;
}

}  // namespace dvmsim
