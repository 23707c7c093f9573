#include "compiler/pass/group_order.h"

#include <set>
#include <utility>

namespace dvmsim {

std::vector<Group> in_order(const Graph& graph, const std::vector<Group>& groups,
                            const std::vector<int>& group_of) {
  std::vector<Group> result;
  std::vector<std::set<int>> waits_for(groups.size());
  for (std::size_t id = 0; id < graph.nodes.size(); ++id) {
    for (ValueId input : graph.nodes[id].inputs) {
      if (input == kNoValue || graph.value(input).producer < 0) continue;
      const int from = group_of[static_cast<std::size_t>(graph.value(input).producer)];
      if (from != group_of[id]) waits_for[static_cast<std::size_t>(group_of[id])].insert(from);
    }
  }
  std::vector<std::vector<int>> feeds(groups.size());
  std::vector<std::size_t> left(groups.size());
  std::set<std::pair<NodeId, int>> ready;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    left[i] = waits_for[i].size();
    for (int from : waits_for[i])
      feeds[static_cast<std::size_t>(from)].push_back(static_cast<int>(i));
    if (left[i] == 0 && !groups[i].nodes.empty()) {
      ready.insert({groups[i].nodes.front(), static_cast<int>(i)});
    }
  }
  while (!ready.empty()) {
    const int next = ready.begin()->second;
    ready.erase(ready.begin());
    result.push_back(groups[static_cast<std::size_t>(next)]);
    for (int fed : feeds[static_cast<std::size_t>(next)]) {
      if (--left[static_cast<std::size_t>(fed)] == 0) {
        ready.insert({groups[static_cast<std::size_t>(fed)].nodes.front(), fed});
      }
    }
  }
  return result;
}

}  // namespace dvmsim
