// An order in which groups of nodes can run.
#pragma once

#include <vector>

#include "compiler/pass/partition.h"

namespace dvmsim {

/// Those that have nodes, producers first; of those ready, the one with the first node.
/// `group_of`: of every node its group. Groups do not wait for one another in a circle.
[[nodiscard]] std::vector<Group> in_order(const Graph& graph, const std::vector<Group>& groups,
                                          const std::vector<int>& group_of);

}  // namespace dvmsim
