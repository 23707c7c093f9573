// Finding attention in a graph: the product of a softmax with values whose scores are a product of
// queries and keys. Looks only; pass/attention.cpp rewrites.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/pass.h"

namespace dvmsim {

/// An operand: a value read as four axes and then permuted.
struct AttentionOperand {
  ValueId base = kNoValue;
  Dims shape{};  // of the value, as four axes
  std::vector<std::int64_t> perm{0, 1, 2, 3};
  /// Axis i after the permutation.
  [[nodiscard]] const Dim& size(std::size_t i) const {
    return shape[static_cast<std::size_t>(perm[i])];
  }
};

struct AttentionMatch {
  AttentionOperand q{}, k{}, v{};
  ValueId mask = kNoValue;
  Dims mask_shape{};  // as at most four axes
  double scale = 1;
  std::optional<std::int64_t> reach{};
  Dims result_shape{};  // four axes
};

class AttentionMatcher {
 public:
  AttentionMatcher(const Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), users_(users_of(graph)) {}

  /// Is the node a product with a softmax on its left?
  [[nodiscard]] bool looks_like(const Node& product) const;
  /// `why` says what is not as it must be.
  [[nodiscard]] std::optional<AttentionMatch> match(const Node& product, std::string& why) const;
  /// Is the value read by one node only, and by nobody outside?
  [[nodiscard]] const Node* only_user(ValueId id) const;

 private:
  struct Scores {
    const Node* product = nullptr;
    ValueId mask = kNoValue;
    double scale = 1;
    std::optional<std::int64_t> reach{};
  };
  [[nodiscard]] const Node* producer(ValueId id) const;
  [[nodiscard]] ValueId softmax_input(ValueId id) const;
  [[nodiscard]] std::optional<Scores> scores_of(ValueId id, std::string& why) const;
  [[nodiscard]] std::optional<Scores> scaled(const Node& node, std::string& why) const;
  [[nodiscard]] std::optional<Scores> masked(const Node& node, std::string& why) const;
  [[nodiscard]] std::optional<Scores> selected(const Node& node, std::string& why) const;
  [[nodiscard]] bool leads_to_product(ValueId id) const;
  [[nodiscard]] std::optional<AttentionOperand> operand(ValueId id, bool turned,
                                                        std::string& why) const;
  [[nodiscard]] AttentionOperand looked_through(AttentionOperand operand) const;
  [[nodiscard]] const Dims& shape_of(ValueId id) const { return *graph_.value(id).type.shape; }
  [[nodiscard]] bool equal(const Dim& a, const Dim& b) const { return context_.equal(a, b); }
  [[nodiscard]] bool repeats_heads(const AttentionOperand& operand, const Dims& from,
                                   const Dims& to) const;
  [[nodiscard]] bool shares(const Dims& q, const Dims& kv) const;
  [[nodiscard]] bool place_mask(AttentionMatch& match, std::size_t rank) const;

  const Graph& graph_;
  const PassContext& context_;
  std::vector<std::vector<NodeId>> users_;
};

}  // namespace dvmsim
