#include <map>

#include "compiler/pass/pass.h"

namespace dvmsim {

Graph name_nodes(const Graph& graph, const PassContext& context) {
  Graph named = graph;
  std::map<std::string, int> seen;
  for (Node& node : named.nodes) {
    if (context.rerolled != nullptr && !node.name.empty()) continue;
    if (node.name.empty()) node.name = std::string(name_of(node.op));
    const int count = ++seen[node.name];
    if (count > 1) node.name += "#" + std::to_string(count);
  }
  return named;
}

}  // namespace dvmsim
