#include "compiler/pass/reroll.h"

#include <algorithm>
#include <map>
#include <set>

namespace dvmsim {
namespace {

class Reroller {
 public:
  Reroller(const Graph& graph, const PassContext& context)
      : context_{graph, context, users_of(graph)}, result_(graph), taken_(graph.nodes.size()) {
    for (const Node& node : graph.nodes) ++sizes_[node.name];
  }

  /// The last node of an operator comes before those of what it may be a part of.
  Graph run() {
    for (auto last = static_cast<NodeId>(taken_.size()); last-- > 0;) {
      for (const auto match : {match_norm, match_softmax, match_cell, match_activation}) {
        if (taken_[static_cast<std::size_t>(last)]) break;
        std::optional<OperatorMatch> found = match(context_, last);
        if (found && is_closed(*found)) claim(std::move(*found));
      }
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] const Node& node(NodeId id) const { return context_.graph.node(id); }

  /// Does nobody outside read what is inside, and does it take whole operators?
  [[nodiscard]] bool is_closed(const OperatorMatch& match) const {
    std::map<std::string, int> counts;
    for (NodeId id : match.nodes) {
      if (taken_[static_cast<std::size_t>(id)]) return false;
      ++counts[node(id).name];
      const bool is_result =
          std::find(match.results.begin(), match.results.end(), id) != match.results.end();
      if (!is_result && !is_inner(id, match.nodes)) return false;
    }
    return std::all_of(counts.begin(), counts.end(),
                       [&](const auto& count) { return count.second == sizes_.at(count.first); });
  }
  [[nodiscard]] bool is_inner(NodeId id, const std::vector<NodeId>& nodes) const {
    const auto& outputs = context_.graph.outputs;
    return std::all_of(node(id).outputs.begin(), node(id).outputs.end(), [&](ValueId output) {
      if (std::find(outputs.begin(), outputs.end(), output) != outputs.end()) return false;
      const auto& users = context_.users[static_cast<std::size_t>(output)];
      return std::all_of(users.begin(), users.end(), [&](NodeId user) {
        return std::binary_search(nodes.begin(), nodes.end(), user);
      });
    });
  }

  void claim(OperatorMatch match) {
    const bool widens = match.kind != "lstm_cell" && match.kind != "gru_cell";
    if (widens) take_casts(match);
    std::set<std::string> written;
    for (NodeId id : match.nodes) {
      taken_[static_cast<std::size_t>(id)] = true;
      written.insert(node(id).name);
    }
    std::string name = node(match.nodes.back()).name + "." + std::string(match.kind);
    while (sizes_.contains(name)) name += "'";
    sizes_[name] = static_cast<int>(match.nodes.size());
    for (NodeId id : match.nodes) result_.node(id).name = name;
    context_.pass.rerolled->push_back({name, match.kind, static_cast<int>(written.size())});
  }

  /// Kernels of frameworks compute in f32 inside: a cast to it before and the one back are theirs.
  void take_casts(OperatorMatch& match) const {
    std::set<ValueId> reads;
    for (NodeId id : match.nodes) reads.insert(node(id).inputs.begin(), node(id).inputs.end());
    for (ValueId id : reads) {
      const NodeId cast = id == kNoValue ? -1 : context_.graph.value(id).producer;
      if (cast >= 0 && casts(cast, DType::F32)) try_taking(match, cast, match.results);
    }
    const ValueId result = node(match.nodes.back()).outputs[0];
    const auto& users = context_.users[static_cast<std::size_t>(result)];
    const bool narrows = users.size() == 1 && dtype(result) == DType::F32 &&
                         casts(users[0], DType::F16) | casts(users[0], DType::BF16);
    if (narrows) try_taking(match, users[0], {users[0]});
  }
  [[nodiscard]] DType dtype(ValueId id) const { return context_.graph.value(id).type.dtype; }
  [[nodiscard]] bool casts(NodeId id, DType to) const {
    return node(id).op == Op::Cast && dtype(node(id).outputs[0]) == to &&
           is_float(dtype(node(id).inputs[0]));
  }
  void try_taking(OperatorMatch& match, NodeId cast, std::vector<NodeId> results) const {
    OperatorMatch larger = match;
    larger.results = std::move(results);
    if (std::binary_search(match.nodes.begin(), match.nodes.end(), cast)) return;
    larger.nodes.insert(std::upper_bound(larger.nodes.begin(), larger.nodes.end(), cast), cast);
    if (is_closed(larger)) match = std::move(larger);
  }

  MatchContext context_;
  Graph result_;
  std::vector<bool> taken_;
  std::map<std::string, int> sizes_{};  // nodes of each operator
};

}  // namespace

Graph reroll(const Graph& graph, const PassContext& context) {
  return Reroller(graph, context).run();
}

}  // namespace dvmsim
