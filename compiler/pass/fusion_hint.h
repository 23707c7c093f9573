// What a user wants fused or apart, by names of nodes. Owns how hints are matched and the errors of
// those that cannot be followed; partition.cpp and module/fold_views.cpp follow them.
#pragma once

#include <span>
#include <string>

#include "compiler/graph/graph.h"

namespace dvmsim {

struct Partition;

/// One launch for two nodes, or two. Passes may make several nodes of one; all of them are meant.
struct FusionHint {
  bool fuse = true;  // else split
  std::string a{}, b{};
  std::string where{};  // "file:line", for errors
  bool met = false;     // by a graph that has both
};
using FusionHints = std::span<FusionHint>;

/// Is there a hint to fuse (or split) the two nodes?
[[nodiscard]] bool has_hint(FusionHints hints, bool fuse, const Node& a, const Node& b);
/// Does a hint want a node of one list and a node of the other apart?
[[nodiscard]] bool splits(FusionHints hints, const Graph& graph, std::span<const NodeId> a,
                          std::span<const NodeId> b);
/// Notes which hints the graph has met. Throws Error for one to fuse what no edge joins, or what
/// was not fused, with the reason. If moves `may_fold`, they are not looked at.
void check_hints(FusionHints hints, const Graph& graph, const Partition& partition, bool may_fold);

/// Can the operator be done by strides of its readers or writers, or by nothing at all?
[[nodiscard]] bool may_be_view(Op op);

}  // namespace dvmsim
