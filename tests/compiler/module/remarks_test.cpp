// Every edge of a lowered graph has one remark, whatever fuses it, and the remark is true.
#include "compiler/module/remarks.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"
#include "compiler/pass/pipeline.h"
#include "tests/support/random_graph.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr Fusion kFusions[] = {Fusion::PerOperator, Fusion::Pointwise, Fusion::Patterns,
                               Fusion::Captured};

const Machine& machine() {
  static const Machine made = default_machine();
  return made;
}

PlannedGraph planned(const Graph& graph, Fusion fusion, Features features = {}) {
  return plan_graph(run_passes(graph, {machine(), features}), machine(), fusion, features);
}

GraphRemarks remarks(const std::string& lines, Fusion fusion = Fusion::Patterns,
                     Features features = {}) {
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
  GraphRemarks found = remarks_of(planned(graph, fusion, features));
  note_attention(found, graph, {machine(), features});
  return found;
}

const EdgeRemark* edge(const GraphRemarks& all, const std::string& from, const std::string& to) {
  for (const EdgeRemark& each : all.edges) {
    if (each.from == from && each.to == to) return &each;
  }
  ADD_FAILURE() << "no edge from " << from << " to " << to << "\n" << to_text({all});
  return nullptr;
}

void expect_missed(const EdgeRemark* found, const std::string& text,
                   const std::string& detail = "") {
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->fate, EdgeFate::Missed);
  EXPECT_NE(found->text.find(text), std::string::npos) << found->text;
  EXPECT_NE(found->detail.find(detail), std::string::npos) << found->detail;
}

/// The law, on one plan.
void expect_each_edge_once(const PlannedGraph& plan, const std::string& which) {
  const Graph& graph = plan.graph;
  std::set<std::pair<ValueId, NodeId>> left;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) {
    for (ValueId input : graph.node(id).inputs) {
      if (input != kNoValue && graph.value(input).producer >= 0) left.insert({input, id});
    }
  }
  std::map<NodeId, const Group*> group;
  for (const Group& each : plan.partition.groups) {
    for (NodeId id : each.nodes) group[id] = &each;
  }
  const GraphRemarks all = remarks_of(plan);
  NodeId last = 0;
  for (const EdgeRemark& each : all.edges) {
    EXPECT_EQ(left.erase({each.value, each.consumer}), 1u) << which << each.from << each.to;
    EXPECT_EQ(graph.value(each.value).producer, each.producer);
    EXPECT_GE(each.consumer, last) << which << "in the graph's order";
    last = each.consumer;
    EXPECT_EQ(each.fate == EdgeFate::Fused, group[each.producer] == group[each.consumer]) << which;
    EXPECT_NE(each.text, "") << which << each.from << " " << each.to << name_of(each.fate);
    const bool moves = each.fate == EdgeFate::Missed ||
                       (each.fate == EdgeFate::View && each.text.starts_with("lies in"));
    EXPECT_TRUE(each.bytes == 0 || (each.bytes > 0 && each.fate != EdgeFate::Fused)) << which;
    EXPECT_TRUE(each.fate != EdgeFate::Missed || each.bytes > 0) << which;
    EXPECT_TRUE(moves || each.fate == EdgeFate::View || each.bytes == 0) << which;
  }
  EXPECT_TRUE(left.empty()) << which << left.size() << " edges without a remark";
  const RemarkSummary summary = summary_of({all});
  std::int64_t edges = 0, reasons = 0;
  for (const auto& [fate, share] : summary.fates) edges += share.edges;
  for (const auto& [reason, share] : summary.reasons) reasons += share.edges;
  EXPECT_EQ(edges, static_cast<std::int64_t>(all.edges.size()));
  EXPECT_EQ(reasons, summary.fates.at(EdgeFate::Missed).edges);
}

TEST(Remarks, say_one_thing_of_every_edge_of_random_graphs) {
  std::int64_t seen = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (const Graph& graph : {random_graph(seed).graph, random_moves(seed).graph}) {
      for (Fusion fusion : kFusions) {
        for (Features features : {Features{}, Features::all()}) {
          std::optional<PlannedGraph> plan;
          try {
            plan = planned(graph, fusion, features);
          } catch (const Error&) {  // not for this machine
            continue;
          }
          ++seen;
          expect_each_edge_once(*plan, "seed " + std::to_string(seed) + ": ");
        }
      }
    }
  }
  EXPECT_GT(seen, 400);
}

TEST(Remarks, name_the_kernel_of_a_fused_edge) {
  const GraphRemarks all = remarks("input x: f16[64]\na = exp(x)\nb = relu(a)\noutput b\n");
  const EdgeRemark* found = edge(all, "a:exp", "b:relu");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->fate, EdgeFate::Fused);
  EXPECT_EQ(found->text, "a, b");
}

TEST(Remarks, count_bytes_that_do_not_fit_and_name_the_feature_that_would_hold_them) {
  const GraphRemarks all = remarks("input x: f32[4, 30000]\ns = softmax(x)\noutput s\n");
  const RemarkSummary summary = summary_of({all});
  ASSERT_FALSE(summary.reasons.empty());
  bool said = false;
  for (const EdgeRemark& each : all.edges) {
    if (each.text.find("does not fit UB") == std::string::npos) continue;
    said = true;
    EXPECT_NE(each.detail.find("of 196608 bytes"), std::string::npos) << each.detail;
    EXPECT_NE(each.detail.find("feature long-reduce is not enabled"), std::string::npos)
        << each.detail;
  }
  EXPECT_TRUE(said) << to_text({all});
}

TEST(Remarks, name_what_would_wait_for_itself) {
  const GraphRemarks all =
      remarks("input x: f16[64, 64]\na = exp(x)\np = matmul(a, x)\nb = add(a, p)\noutput b\n");
  expect_missed(edge(all, "a:exp", "b:add"), "would wait for itself", "p");
  expect_missed(edge(all, "a:exp", "p:matmul"), "a product takes its operands from memory");
}

TEST(Remarks, count_a_tensor_written_once_and_read_by_each) {
  const GraphRemarks all =
      remarks("input x: f16[64, 64]\na = exp(x)\np = matmul(a, a)\nq = matmul(a, p)\noutput q\n");
  EXPECT_EQ(edge(all, "a:exp", "p:matmul")->bytes, 2 * 64 * 64 * 2);
  EXPECT_EQ(edge(all, "a:exp", "q:matmul")->bytes, 64 * 64 * 2);
  const GraphRemarks kept =
      remarks("input x: f16[64, 64]\na = exp(x)\np = matmul(a, a)\noutput p\noutput a\n");
  EXPECT_EQ(edge(kept, "a:exp", "p:matmul")->bytes, 64 * 64 * 2) << "it leaves the graph anyway";
}

TEST(Remarks, tell_views_and_names_from_copies) {
  const std::string lines =
      "input x: f16[128, 256]\na = exp(x)\nt = transpose(a) {perm=[1, 0]}\nr = reshape(t) "
      "{shape=[32768]}\nb = relu(r)\noutput b\n";
  const GraphRemarks apart = remarks(lines);
  const EdgeRemark* named = edge(apart, "t:transpose", "r:reshape");
  ASSERT_NE(named, nullptr);
  EXPECT_EQ(named->fate, EdgeFate::Alias);
  const GraphRemarks folded = remarks(
      "input x: f16[64, 512]\na = exp(x)\ns = slice(a) {starts=[0, 0], ends=[64, 256]}\n"
      "b = relu(s)\noutput b\n");
  EXPECT_EQ(edge(folded, "a:exp", "s:slice")->fate, EdgeFate::View);
  EXPECT_EQ(edge(folded, "s:slice", "b:relu")->fate, EdgeFate::View);
  EXPECT_EQ(edge(folded, "s:slice", "b:relu")->text, "lies in 'a'");
  const GraphRemarks alone = remarks(
      "input x: f16[64, 512]\na = exp(x)\ns = slice(a) {starts=[0, 0], ends=[64, 256]}\n"
      "b = relu(s)\noutput b\n",
      Fusion::PerOperator);
  expect_missed(edge(alone, "s:slice", "b:relu"), "one kernel per operator");
}

TEST(Remarks, say_why_a_move_stays_a_copy) {
  const GraphRemarks all = remarks(
      "input x: f16[64, 512]\na = exp(x)\ns = slice(a) {starts=[0, 0], ends=[64, 256]}\noutput "
      "s\n");
  expect_missed(edge(all, "a:exp", "s:slice"), "an output of the graph");
}

TEST(Remarks, name_the_attention_that_is_not_enabled) {
  const std::string lines =
      "input q: f16[1, 2, 64, 64]\ninput k: f16[1, 2, 64, 64]\ninput v: f16[1, 2, 64, 64]\n"
      "d = matmul(q, k) {trans_b=1}\np = softmax(d) {axis=-1}\no = matmul(p, v)\noutput o\n";
  bool said = false;
  for (const EdgeRemark& each : remarks(lines).edges) {
    said |= each.text == "feature attention is not enabled";
  }
  EXPECT_TRUE(said);
  EXPECT_TRUE(remarks(lines, Fusion::Patterns, Features::all()).edges.empty()) << "one program";
}

TEST(Remarks, rank_reasons_by_what_they_move) {
  const GraphRemarks all = remarks(
      "input x: f16[64, 64]\ninput y: f16[512, 512]\na = exp(x)\np = matmul(a, a)\n"
      "c = exp(y)\nd = reduce_sum(c) {axes=[0]}\ne = softmax(d)\noutput p\noutput e\n",
      Fusion::PerOperator);
  const RemarkSummary summary = summary_of({all});
  for (std::size_t i = 1; i < summary.reasons.size(); ++i) {
    EXPECT_GE(summary.reasons[i - 1].second.bytes, summary.reasons[i].second.bytes);
  }
  EXPECT_GE(summary.reasons.size(), 2u);
}

}  // namespace
}  // namespace dvmsim
