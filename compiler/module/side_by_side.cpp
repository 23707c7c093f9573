#include "compiler/module/side_by_side.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "compiler/pass/prologue.h"

namespace dvmsim {
namespace {

/// Which groups need what a group makes, of the nodes up to a last one.
class Needs {
 public:
  explicit Needs(const PlannedGraph& planned) : graph_(planned.graph), users_(users_of(graph_)) {
    group_of_.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < planned.partition.groups.size(); ++i) {
      for (NodeId id : planned.partition.groups[i].nodes) {
        group_of_[static_cast<std::size_t>(id)] = i;
      }
    }
  }

  /// Is there a path from one group to another? No node after `last` is on it.
  [[nodiscard]] bool needs(const Group& from, std::size_t to, NodeId last) const {
    std::vector<NodeId> open = from.nodes;
    std::vector<NodeId> seen = open;
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      for (ValueId output : graph_.node(id).outputs) {
        for (NodeId user : users_[static_cast<std::size_t>(output)]) {
          if (user > last || std::find(seen.begin(), seen.end(), user) != seen.end()) continue;
          if (group_of_[static_cast<std::size_t>(user)] == to) return true;
          seen.push_back(user);
          open.push_back(user);
        }
      }
    }
    return false;
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<NodeId>> users_;
  std::vector<std::size_t> group_of_{};
};

}  // namespace

NodeId product_in(const Graph& graph, const Group& group) {
  if (group.kind != GroupKind::Cube || has_prologue(graph, group)) return -1;
  const auto found = std::find_if(group.nodes.begin(), group.nodes.end(),
                                  [&](NodeId id) { return graph.node(id).op == Op::MatMul; });
  return found == group.nodes.end() ? -1 : *found;
}

std::vector<std::vector<std::size_t>> products_beside(const PlannedGraph& planned) {
  const std::vector<Group>& groups = planned.partition.groups;
  std::map<ValueId, std::vector<std::size_t>> readers;  // products, by what they read as A
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const NodeId product = product_in(planned.graph, groups[i]);
    if (product >= 0) readers[planned.graph.node(product).inputs[0]].push_back(i);
  }
  std::erase_if(readers, [](const auto& each) { return each.second.size() < 2; });
  std::vector<std::vector<std::size_t>> sets;
  if (readers.empty()) return sets;
  const Needs graph(planned);
  for (const auto& [operand, all] : readers) {
    std::vector<std::size_t> set;
    for (const std::size_t group : all) {
      const NodeId last = groups[group].nodes.back();
      const bool waits = std::any_of(set.begin(), set.end(), [&](std::size_t before) {
        return graph.needs(groups[before], group, last);
      });
      if (!waits) set.push_back(group);
    }
    if (set.size() > 1) sets.push_back(std::move(set));
  }
  std::sort(sets.begin(), sets.end());
  return sets;
}

std::vector<int> shares_of(const std::vector<double>& work, int cores) {
  if (static_cast<int>(work.size()) > cores) return {};
  const double all = std::accumulate(work.begin(), work.end(), 0.0);
  std::vector<int> shares;
  for (const double each : work) {
    shares.push_back(std::max(1, static_cast<int>(each / all * cores + 1e-9)));
  }
  // Many small ones may have taken more than there are.
  while (std::accumulate(shares.begin(), shares.end(), 0) > cores) {
    --*std::max_element(shares.begin(), shares.end());
  }
  return shares;
}

}  // namespace dvmsim
