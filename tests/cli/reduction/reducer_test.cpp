// A reduced graph is still interesting, as small as single cuts make it, and the same every time.
#include "cli/reduction/reducer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/reduction/edits.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "tests/support/random_graph.h"

namespace dvmsim {
namespace {

Graph graph_of(const std::string& lines) {
  return infer_shapes(parse_graph("graph g\n" + lines, "test.graph"));
}

struct Reduced {
  std::optional<ReductionCase> found{};
  Graph graph{};
  std::int64_t tries = 0, smaller = 0;
};

Reduced reduced(const Graph& graph, const Bindings& dims, const Reducer::Interesting& interesting,
                std::int64_t most = 10000) {
  Reduced result;
  Reducer reducer(
      interesting, [&](const Graph&, std::int64_t) { ++result.smaller; }, most);
  result.found = reducer.run(graph, dims);
  result.graph = reducer.graph();
  result.tries = reducer.tries();
  return result;
}

std::int64_t count_of(const Graph& graph, Op op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& node) { return node.op == op; });
}

Reducer::Interesting has(Op op, std::int64_t times = 1) {
  return [=](const ReductionCase& of) {
    return count_of(parse_graph(of.text, "candidate"), op) >= times;
  };
}

TEST(Reducer, is_left_with_the_node_that_matters) {
  const Graph graph = graph_of(
      "input x: f16[8, 64]\ninput y: f16[64, 32]\na = exp(x)\nb = matmul(a, y)\nc = relu(b)\n"
      "d = softmax(c)\ne = add(d, c)\nf = reduce_sum(e) {axes=[1]}\noutput f\noutput a\n");
  const Reduced result = reduced(graph, {}, has(Op::Softmax));
  ASSERT_TRUE(result.found);
  EXPECT_EQ(result.graph.nodes.size(), 1u) << result.found->text;
  EXPECT_EQ(result.graph.inputs.size(), 1u);
  EXPECT_EQ(elements_of(result.graph), 1);
  EXPECT_TRUE(has(Op::Softmax)(*result.found));
  EXPECT_GT(result.smaller, 0);
}

TEST(Reducer, keeps_two_nodes_that_must_meet) {
  const Graph graph = graph_of(
      "input x: f16[8, 64]\na = exp(x)\nb = relu(a)\nc = neg(b)\nd = sqrt(c)\ne = tanh(d)\n"
      "output e\n");
  const auto meets = [](const ReductionCase& of) {
    const Graph read = parse_graph(of.text, "candidate");
    return count_of(read, Op::Exp) == 1 && count_of(read, Op::Tanh) == 1 &&
           read.outputs.size() == 1;
  };
  const Reduced result = reduced(graph, {}, meets);
  ASSERT_TRUE(result.found);
  EXPECT_EQ(result.graph.nodes.size(), 2u) << "what lies between is bypassed\n"
                                           << result.found->text;
}

TEST(Reducer, stops_at_the_size_that_matters) {
  const Graph graph = graph_of("input x: f16[100, 37]\na = exp(x)\noutput a\n");
  const auto large = [](const ReductionCase& of) {
    return elements_of(infer_shapes(parse_graph(of.text, "candidate"))) >= 50;
  };
  const Reduced result = reduced(graph, {}, large);
  ASSERT_TRUE(result.found);
  EXPECT_LE(elements_of(result.graph), 51) << result.found->text;
}

TEST(Reducer, prefers_numbers_and_else_shrinks_symbols) {
  const Graph graph = graph_of("dim n\ninput x: f16[n, 8]\na = exp(x)\nb = exp(a)\noutput b\n");
  const Reduced bound = reduced(graph, {{"n", 40}}, has(Op::Exp));
  ASSERT_TRUE(bound.found);
  EXPECT_TRUE(bound.found->dims.empty()) << bound.found->text;
  const Reduced symbolic = reduced(graph, {{"n", 40}}, [](const ReductionCase& of) {
    return of.dims.contains("n") && of.dims.at("n") >= 7;
  });
  ASSERT_TRUE(symbolic.found);
  EXPECT_EQ(symbolic.found->dims.at("n"), 7);
  EXPECT_EQ(symbolic.graph.nodes.size(), 1u);
}

TEST(Reducer, frees_long_constants_and_crops_those_that_matter) {
  const Graph graph = graph_of(
      "input x: f32[4, 5]\nconst w: f32[4, 5] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "
      "15, "
      "16, 17, 18, 19, 20]\na = add(x, w)\noutput a\n");
  const Reduced freed = reduced(graph, {}, has(Op::Add));
  EXPECT_EQ(freed.found->text.find("const"), std::string::npos) << freed.found->text;
  const Reduced kept = reduced(graph, {}, [](const ReductionCase& of) {
    return of.text.find("const w") != std::string::npos && of.text.find("5]") != std::string::npos;
  });
  ASSERT_TRUE(kept.found);
  EXPECT_NE(kept.found->text.find("[1, 2, 3, 4, 5]"), std::string::npos) << kept.found->text;
}

TEST(Reducer, gives_up_what_was_not_interesting_at_first) {
  EXPECT_FALSE(
      reduced(graph_of("input x: f16[4]\na = exp(x)\noutput a\n"), {}, has(Op::Tanh)).found);
}

TEST(Reducer, asks_no_more_than_it_may) {
  const Graph graph = random_graph(3).graph;
  const Reduced result = reduced(
      graph, {}, [](const ReductionCase&) { return true; }, 5);
  EXPECT_LE(result.tries, 5);
  ASSERT_TRUE(result.found);
}

TEST(Reducer, leaves_one_node_of_random_graphs_and_repeats_itself) {
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const Graph graph = random_graph(seed).graph;
    const Op op = graph.nodes[graph.nodes.size() / 2].op;
    const Reduced once = reduced(graph, {}, has(op)), twice = reduced(graph, {}, has(op));
    ASSERT_TRUE(once.found) << "seed " << seed;
    EXPECT_EQ(once.graph.nodes.size(), 1u) << "seed " << seed << "\n" << once.found->text;
    EXPECT_EQ(once.found->text, twice.found->text);
    EXPECT_EQ(once.tries, twice.tries);
  }
}

TEST(Edits, cut_edges_between_kept_and_dropped_nodes) {
  const Graph graph = graph_of("input x: f16[4]\na = exp(x)\nb = relu(a)\nc = tanh(b)\noutput c\n");
  const auto cut = with_nodes(graph, {1});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->nodes.size(), 1u);
  EXPECT_EQ(cut->value(cut->inputs.at(0)).name, "a");
  EXPECT_EQ(cut->output_names, std::vector<std::string>{"b"});
  EXPECT_FALSE(with_nodes(graph, {}));
}

}  // namespace
}  // namespace dvmsim
