// Re-rolling: a model often writes as several operators what its framework runs as one. Exporters
// spell out softmax, norms, activations and the cells of recurrent layers; a strategy that launches
// one kernel for each operator of the framework would otherwise be charged for the exporter's
// habits. Owns what such a chain of nodes looks like; values stay what they were, since nodes are
// only named anew: nodes of one name are one operator.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/pass.h"

namespace dvmsim {

/// An operator of the framework that the model writes as several.
struct Rerolled {
  std::string name{};       // of its nodes
  std::string_view kind{};  // "softmax"
  int written = 0;          // operators in the model
};

/// Nodes that together are one operator.
struct OperatorMatch {
  std::string_view kind{};
  std::vector<NodeId> nodes{};    // in order
  std::vector<NodeId> results{};  // of them, those whose outputs others may read
};

/// Where operators are looked for.
struct MatchContext {
  const Graph& graph;
  const PassContext& pass;
  std::vector<std::vector<NodeId>> users{};  // users_of(graph)
};

/// The operator that ends in the node, judged by what its nodes compute; that nobody else reads
/// what lies between them is for the caller to see. One function a family.
[[nodiscard]] std::optional<OperatorMatch> match_softmax(const MatchContext& context, NodeId last);
[[nodiscard]] std::optional<OperatorMatch> match_norm(const MatchContext& context, NodeId last);
[[nodiscard]] std::optional<OperatorMatch> match_activation(const MatchContext& context,
                                                            NodeId last);
[[nodiscard]] std::optional<OperatorMatch> match_cell(const MatchContext& context, NodeId last);

}  // namespace dvmsim
