// Which moves become views: a transpose, slice, split or expansion that its readers read through by
// strides, a concatenation or transpose that its producers write through. A move folds if every
// kernel it touches can do so and gains by it: the estimates of these kernels and of the move, each
// with the cost of its launch, must sink by 5 % of the kernels that change, since so much may they
// err. The dearer launches are, the more folds.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/partition.h"
#include "compiler/schedule/view.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Why a move, or one of its inputs, did not fold.
struct FoldRemark {
  NodeId move = -1;
  ValueId input = kNoValue;  // kNoValue: all of it
  std::string text{};        // the kind of reason
  std::string detail{};      // its figures and names, if it has any
};

/// Marks the groups of moves that fold as views, those that do not as what they were. Every size is
/// a number. A hint to fuse a move with a neighbour folds it whatever the estimates say, and is an
/// Error if it cannot be; a hint to split them keeps it.
[[nodiscard]] Views fold_views(const Graph& graph, Partition& partition, const Machine& machine,
                               FusionHints hints = {}, std::vector<FoldRemark>* remarks = nullptr);

/// Groups whose kernels may depend on what folds: those next to a move, by number.
[[nodiscard]] std::vector<std::size_t> beside_moves(const Graph& graph, const Partition& partition);

}  // namespace dvmsim
