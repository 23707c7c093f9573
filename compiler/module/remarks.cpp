#include "compiler/module/remarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compiler/graph/shape.h"
#include "compiler/module/plan.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

constexpr EdgeFate kFates[] = {EdgeFate::Fused, EdgeFate::Alias, EdgeFate::View, EdgeFate::Missed};

std::string label_of(const Node& node) {
  return fmt::format("{}:{}", node.name, name_of(node.op));
}

class Explainer {
 public:
  explicit Explainer(const PlannedGraph& planned)
      : planned_(planned), graph_(planned.graph), group_of_(graph_.nodes.size(), 0) {
    const auto& groups = planned.partition.groups;
    for (std::size_t i = 0; i < groups.size(); ++i) {
      for (NodeId id : groups[i].nodes) group_of_[static_cast<std::size_t>(id)] = i;
    }
    for (const Remark& remark : planned.partition.remarks) {
      tried_[{remark.producer, remark.consumer}] = &remark;  // the last one counts
    }
  }

  GraphRemarks run() {
    GraphRemarks all{graph_.name, {}};
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes.size()); ++id) {
      std::set<ValueId> seen;
      for (ValueId input : graph_.node(id).inputs) {
        if (input == kNoValue || graph_.value(input).producer < 0) continue;
        if (seen.insert(input).second) all.edges.push_back(edge(input, id));
      }
    }
    return all;
  }

 private:
  [[nodiscard]] const Group& group_at(NodeId id) const {
    return planned_.partition.groups[group_of_[static_cast<std::size_t>(id)]];
  }

  EdgeRemark edge(ValueId value, NodeId consumer) {
    const NodeId producer = graph_.value(value).producer;
    EdgeRemark remark{producer, consumer, value};
    remark.from = label_of(graph_.node(producer));
    remark.to = label_of(graph_.node(consumer));
    remark.tensor = graph_.value(value).name;
    explain(remark);
    const bool reads = remark.fate == EdgeFate::Missed ||
                       (remark.fate == EdgeFate::View && is_kernel(group_at(consumer).kind));
    if (reads) remark.bytes = bytes_of(value) + first_write(value);
    return remark;
  }

  static bool is_kernel(GroupKind kind) {
    return kind != GroupKind::View && kind != GroupKind::Alias;
  }

  void explain(EdgeRemark& remark) const {
    const Group &from = group_at(remark.producer), &to = group_at(remark.consumer);
    const bool view = from.kind == GroupKind::View || to.kind == GroupKind::View ||
                      planned_.views.find(remark.value) != nullptr;
    if (&from == &to) {
      remark.fate = EdgeFate::Fused;
      remark.text = dvmsim::label_of(graph_, to);
    } else if (to.kind == GroupKind::Alias) {
      remark.fate = EdgeFate::Alias;
      remark.text = "its consumer only names it anew";
    } else if (view) {
      remark.fate = EdgeFate::View;
      remark.text = view_text(remark, from, to);
    } else {
      explain_missed(remark, from, to);
    }
  }

  [[nodiscard]] std::string view_text(const EdgeRemark& remark, const Group& from,
                                      const Group& to) const {
    const ValueId base = planned_.views.base_of(remark.value);
    if (base != remark.value) return fmt::format("lies in '{}'", graph_.value(base).name);
    if (to.kind == GroupKind::View) return "readers of its consumer step through it";
    return from.kind == GroupKind::View ? "its parts were written where they belong" : "";
  }

  void explain_missed(EdgeRemark& remark, const Group& from, const Group& to) const {
    remark.fate = EdgeFate::Missed;
    if (explain_move(remark, remark.consumer, remark.value)) return;
    if (explain_move(remark, remark.producer, kNoValue)) return;
    const auto tried = tried_.find({remark.producer, remark.consumer});
    if (from.kind == GroupKind::Alias && tried != tried_.end()) {
      remark.text = "a reshape lies between";
    } else if (tried != tried_.end()) {
      remark.text = tried->second->text;
      remark.detail = tried->second->detail;
    } else if (to.kind == GroupKind::Cube) {
      remark.text = "a product takes its operands from memory";
    } else {
      const char* article = to.kind == GroupKind::Attention ? "an" : "a";
      remark.text = fmt::format("its consumer is {} {} kernel", article, name_of(to.kind));
    }
  }

  /// A move says why it is none of its neighbours', if it was asked.
  bool explain_move(EdgeRemark& remark, NodeId move, ValueId input) const {
    const FoldRemark* found = nullptr;
    for (const FoldRemark& fold : planned_.folds) {
      if (fold.move != move || group_at(move).nodes.size() != 1) continue;
      if (fold.input == kNoValue || fold.input == input) found = &fold;
    }
    if (found == nullptr) return false;
    remark.text = fmt::format("a {} of its own: {}", name_of(graph_.node(move).op), found->text);
    remark.detail = found->detail;
    return true;
  }

  [[nodiscard]] std::int64_t bytes_of(ValueId id) const {
    std::int64_t bytes = size_of(graph_.value(id).type.dtype);
    for (std::int64_t dim : known_shape(graph_.value(id))) bytes *= dim;
    return bytes;
  }

  /// Bytes that somebody writes because of this edge: the first that reads them, unless they leave
  /// the graph anyway.
  std::int64_t first_write(ValueId value) {
    ValueId base = planned_.views.base_of(value);
    while (graph_.value(base).producer >= 0 &&
           group_at(graph_.value(base).producer).kind == GroupKind::Alias) {
      base = planned_.views.base_of(graph_.node(graph_.value(base).producer).inputs[0]);
    }
    if (graph_.value(base).producer < 0 || !written_.insert(base).second) return 0;
    const bool leaves =
        std::find(graph_.outputs.begin(), graph_.outputs.end(), base) != graph_.outputs.end();
    return leaves ? 0 : bytes_of(base);
  }

  const PlannedGraph& planned_;
  const Graph& graph_;
  std::vector<std::size_t> group_of_;
  std::map<std::pair<NodeId, NodeId>, const Remark*> tried_{};
  std::set<ValueId> written_{};
};

std::set<std::string> names_in(const Graph& graph) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes) names.insert(node.name);
  return names;
}

std::string amount(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.2f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.2f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::string text_of(const EdgeRemark& edge) {
  std::string text = fmt::format("{} -> {} '{}': ", edge.from, edge.to, edge.tensor);
  switch (edge.fate) {
    case EdgeFate::Fused:
      text += fmt::format("fused into '{}'", edge.text);
      break;
    case EdgeFate::Alias:
      text += fmt::format("stays in the tensor: {}", edge.text);
      break;
    case EdgeFate::View:
      text += fmt::format("folded as a view: {}", edge.text);
      break;
    case EdgeFate::Missed:
      text += fmt::format("missed: {}", edge.text);
      break;
  }
  if (!edge.detail.empty()) text += fmt::format(" ({})", edge.detail);
  if (edge.bytes > 0) text += fmt::format(", {}", amount(edge.bytes));
  return text + "\n";
}

std::string to_text(const RemarkSummary& summary) {
  const auto share = [&](EdgeFate fate) {
    const auto found = summary.fates.find(fate);
    return found == summary.fates.end() ? RemarkSummary::Share{} : found->second;
  };
  const auto missed = share(EdgeFate::Missed), views = share(EdgeFate::View);
  std::string text = fmt::format(
      "{} edges: {} fused, {} in the tensor, {} views ({}), {} missed ({} through memory)\n",
      summary.edges, share(EdgeFate::Fused).edges, share(EdgeFate::Alias).edges, views.edges,
      amount(views.bytes), missed.edges, amount(missed.bytes));
  for (const auto& [reason, of] : summary.reasons) {
    text += fmt::format("  {:>12} {:>4} {}  {}\n", amount(of.bytes), of.edges,
                        of.edges == 1 ? "edge " : "edges", reason);
  }
  return text;
}

}  // namespace

std::string_view name_of(EdgeFate fate) {
  constexpr std::string_view kNames[] = {"fused", "alias", "view", "missed"};
  return kNames[static_cast<int>(fate)];
}

GraphRemarks remarks_of(const PlannedGraph& planned) {
  return Explainer(planned).run();
}

void note_attention(GraphRemarks& remarks, const Graph& graph, const PassContext& context) {
  if (context.features.has(Feature::Attention)) return;
  PassContext with = context;
  with.features.set(Feature::Attention, true);
  with.remarks = nullptr;
  const Graph fused = run_passes(graph, with);
  std::set<std::string> programs;
  for (const Node& node : fused.nodes) {
    if (node.op == Op::Attention) programs.insert(node.name);
  }
  if (programs.empty()) return;
  const std::set<std::string> left = names_in(fused);
  const auto origin = [](const std::string& label) { return label.substr(0, label.rfind(':')); };
  const auto taken_in = [&](const std::string& label) {
    return !left.contains(origin(label)) || programs.contains(origin(label));
  };
  for (EdgeRemark& edge : remarks.edges) {
    if (edge.fate != EdgeFate::Missed || !taken_in(edge.from) || !taken_in(edge.to)) continue;
    edge.detail = edge.text + (edge.detail.empty() ? "" : ": " + edge.detail);
    edge.text = "feature attention is not enabled";
  }
}

RemarkSummary summary_of(const std::vector<GraphRemarks>& remarks) {
  RemarkSummary summary;
  for (EdgeFate fate : kFates) summary.fates[fate] = {};
  std::map<std::string, RemarkSummary::Share> reasons;
  for (const GraphRemarks& graph : remarks) {
    for (const EdgeRemark& edge : graph.edges) {
      ++summary.edges;
      for (auto* share : {&summary.fates[edge.fate],
                          edge.fate == EdgeFate::Missed ? &reasons[edge.text] : nullptr}) {
        if (share == nullptr) continue;
        ++share->edges;
        share->bytes += edge.bytes;
      }
    }
  }
  summary.reasons.assign(reasons.begin(), reasons.end());
  std::stable_sort(summary.reasons.begin(), summary.reasons.end(),
                   [](const auto& a, const auto& b) { return a.second.bytes > b.second.bytes; });
  return summary;
}

std::string to_text(const std::vector<GraphRemarks>& remarks) {
  std::string text;
  for (const GraphRemarks& graph : remarks) {
    if (remarks.size() > 1) text += fmt::format("graph {}\n", graph.graph);
    for (const EdgeRemark& edge : graph.edges) text += text_of(edge);
  }
  return text + to_text(summary_of(remarks));
}

}  // namespace dvmsim
