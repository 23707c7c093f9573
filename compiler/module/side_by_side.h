// Products that read one operand and do not wait for one another, such as the projections of an
// attention: as tasks of one launch they may run on some of the cores each, at the same time.
#pragma once

#include <cstddef>
#include <vector>

#include "compiler/module/plan.h"

namespace dvmsim {

/// The product of a group that has one and no prologue, perhaps with what follows it; -1: another
/// kind of group.
[[nodiscard]] NodeId product_in(const Graph& graph, const Group& group);

/// Groups of the partition, in order, two or more in each set.
[[nodiscard]] std::vector<std::vector<std::size_t>> products_beside(const PlannedGraph& planned);

/// Of `cores` as many for each as its work is of all, at least one; empty if there are too few.
[[nodiscard]] std::vector<int> shares_of(const std::vector<double>& work, int cores);

}  // namespace dvmsim
