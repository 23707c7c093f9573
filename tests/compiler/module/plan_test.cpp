// A plan made with symbols gives, for every set of sizes it can be bound to, the module that
// compiling with these sizes written in gives: on cases, and on random graphs.
#include "compiler/module/plan.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/plan_check.h"
#include "tests/support/symbolic_graph.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using plan_check::all_but_parametric;
using plan_check::expect_other;
using plan_check::expect_reused;
using plan_check::graph_of;
using plan_check::machine;
using plan_check::only;
using plan_check::Sizes;
using plan_check::with;
using plan_check::written_in;

std::optional<Module> planned(const Graph& graph, const Sizes& sizes, Features features) {
  try {
    return Plan(graph, sizes, machine(), with(features)).compile();
  } catch (const Error&) {
    return std::nullopt;
  }
}

TEST(Plan, of_a_chain_serves_every_length) {
  expect_reused(
      "dim n\ninput x: f16[n, 48]\ninput b: f16[48]\ny = add(x, b)\nz = gelu(y)\noutput z\n",
      {{7}, {2}, {100}, {4097}, {1 << 20}});
}

TEST(Plan, of_a_softmax_serves_every_row_that_fits) {
  const char* lines = "dim n, m\ninput x: f16[n, m]\ny = softmax(x)\noutput y\n";
  expect_reused(lines, {{5, 100}, {6, 101}, {2000, 3}, {9, 4000}});
  expect_other(lines, {5, 100}, {5, 200000});
  expect_other(lines, {5, 100}, {5, 1});
  expect_other(lines, {5, 100}, {1, 100});
}

TEST(Plan, with_long_rows_serves_rows_of_a_tile_and_longer_ones) {
  const char* lines = "dim n, m\ninput x: f16[n, m]\ny = softmax(x)\noutput y\n";
  for (const Features features : {only(Feature::LongReduce), all_but_parametric()}) {
    expect_reused(lines, {{5, 100}, {9, 4000}, {64, 65536}, {5, 200000}, {2000, 3}}, features);
    expect_reused(lines, {{5, 200000}, {5, 100}}, features);
    expect_other(lines, {5, 100}, {1, 100}, features);
  }
}

TEST(Plan, with_buffers_in_copies_serves_every_length) {
  const char* lines =
      "dim n\ninput x: f16[n, 48]\ninput b: f16[48]\ny = add(x, b)\nz = gelu(y)\noutput z\n";
  expect_reused(lines, {{7}, {2}, {100}, {4097}, {1 << 20}}, only(Feature::Buffers));
  expect_other("dim n, m\ninput x: f16[n, m]\ny = softmax(x)\noutput y\n", {5, 100}, {5, 200000},
               only(Feature::Buffers));
}

TEST(Plan, of_a_product_with_an_epilogue_serves_every_number_of_rows) {
  expect_reused(
      "dim n\ninput x: f16[n, 256]\ninput w: f16[256, 512]\ninput y: f16[n, 512]\n"
      "a = matmul(x, w)\nb = add(a, y)\nc = abs(b)\noutput c\n",
      {{100}, {17}, {1000}, {2048}});
}

// Few rows are two products again: their weights are loaded for nothing else.
TEST(Plan, of_products_in_a_chain_serves_rows_for_which_they_are_one) {
  const char* lines =
      "dim n\ninput x: f16[n, 1024]\ninput a: f16[1024, 16]\ninput b: f16[16, 1024]\n"
      "c = matmul(x, a)\nd = matmul(c, b)\noutput d\n";
  const Features features = only(Feature::CubeFusion);
  expect_reused(lines, {{8192}, {5000}, {7777}}, features);
  expect_reused(lines, {{64}, {100}}, features);
  expect_other(lines, {8192}, {64}, features);
}

// Whether a tile holds the rows that are reduced depends on their length.
TEST(Plan, of_a_product_with_a_reduction_serves_rows_that_a_tile_holds) {
  const char* lines =
      "dim n, m\ninput x: f16[n, 48]\ninput w: f16[48, m]\n"
      "p = matmul(x, w)\ny = softmax(p)\noutput y\n";
  const Features features = only(Feature::CubeFusion);
  expect_reused(lines, {{100, 64}, {17, 256}, {1000, 99}}, features);
  expect_reused(lines, {{100, 300}, {17, 257}, {1000, 999}}, features);
  expect_other(lines, {100, 64}, {100, 257}, features);
  expect_other(lines, {100, 257}, {100, 64}, features);
}

TEST(Plan, of_moves_serves_every_size) {
  expect_reused(
      "dim b, s\ninput x: f16[b, s, 64]\nh = reshape(x) {shape=[b, s, 4, 16]}\n"
      "t = transpose(h) {perm=[0, 2, 1, 3]}\nr = relu(t)\noutput r\n",
      {{2, 9}, {3, 11}, {5, 100}});
}

TEST(Plan, of_splits_and_paddings_serves_every_size_they_allow) {
  const char* halves =
      "dim n\ninput x: f16[n, 96]\na, b = split(x) {axis=1, sizes=[32, 64]}\nc = exp(a)\n"
      "d = relu(b)\noutput c\noutput d\n";
  expect_reused(halves, {{7}, {100}, {4097}});
  const char* rows =
      "dim n\ninput x: f16[n, 48]\na, b = split(x) {axis=0, sizes=[4, 5]}\noutput a\noutput b\n";
  expect_other(rows, {9}, {10});
  const char* reflected =
      "dim n\ninput x: f32[n, 48]\ny = pad(x) {mode=reflect, pads=[3, 0, 3, 0]}\n"
      "z = exp(y)\noutput z\n";
  expect_reused(reflected, {{9}, {4}, {1000}});
  expect_other(reflected, {9}, {3});
}

TEST(Plan, of_views_serves_sizes_for_which_other_moves_fold) {
  const char* heads =
      "dim b, s\ninput x: f16[b, s, 768]\nr = reshape(x) {shape=[b, s, 3, 4, 64]}\n"
      "t = transpose(r) {perm=[2, 0, 3, 1, 4]}\nq = slice(t) {starts=[0], ends=[1], axes=[0]}\n"
      "k = slice(t) {starts=[1], ends=[2], axes=[0]}\nd = matmul(q, k) {trans_b=1}\n"
      "p = softmax(d)\nv = slice(t) {starts=[2], ends=[3], axes=[0]}\nm = matmul(p, v)\n"
      "o = transpose(m) {perm=[0, 1, 3, 2, 4]}\noutput o\n";
  expect_reused(heads, {{2, 9}, {6, 11}, {5, 100}, {7, 1000}});
  // Short rows: folded while tiles are few.
  const char* rows =
      "dim n, m\ninput x: f16[n, m, 12]\nt = transpose(x) {perm=[1, 0, 2]}\nr = gelu(t)\n"
      "c = concat(r, r) {axis=0}\ns = exp(t)\nd = concat(s, r) {axis=2}\noutput c\noutput d\n";
  expect_reused(rows, {{9, 5}, {2000, 8}, {100000, 7}, {20, 3}});
}

TEST(Plan, of_attention_serves_every_number_of_queries_and_keys) {
  const char* masked =
      "dim b, s, t\ninput q: f16[b, 8, s, 64]\ninput k: f16[b, 8, t, 64]\n"
      "input v: f16[b, 8, t, 64]\ninput m: f16[b, 1, 1, t]\nconst half: f16[1] = full(0.125)\n"
      "d = matmul(q, k) {trans_b=1}\ne = mul(d, half)\nf = add(e, m)\np = softmax(f)\n"
      "w = matmul(p, v)\no = transpose(w) {perm=[0, 2, 1, 3]}\noutput o\n";
  const char* shared =
      "dim s, t\ninput q: f16[2, 4, 3, s, 64]\ninput k: f16[2, 4, 1, t, 64]\n"
      "input v: f16[2, 4, 1, t, 64]\nd = matmul(q, k) {trans_b=1}\np = softmax(d)\n"
      "w = matmul(p, v)\noutput w\n";
  for (const Features features : {only(Feature::Attention), all_but_parametric()}) {
    expect_reused(masked, {{2, 9, 33}, {5, 100, 101}, {3, 513, 2048}, {7, 65, 4100}}, features);
    expect_other(masked, {2, 9, 33}, {1, 9, 33}, features);
    expect_reused(shared, {{9, 33}, {100, 101}, {513, 2048}}, features);
  }
}

/// What a pass makes is numbered, and constants that were folded count.
Module without_names(Module module) {
  for (ModuleTensor& tensor : module.tensors) tensor.name.clear();
  for (Program& program : module.programs) {
    for (Argument& argument : program.arguments) argument.name.clear();
  }
  return module;
}

TEST(Plan, of_causal_attention_serves_every_length_of_a_prompt) {
  const Graph graph = graph_of(
      "dim s\ninput q: f16[2, 8, s, 64]\ninput k: f16[2, 8, s, 64]\ninput v: f16[2, 8, s, 64]\n"
      "const zero: i64[1] = [0]\nconst one: i64[1] = [1]\nconst low: f16[1] = full(-60000)\n"
      "t = shape(q) {start=2, end=3}\nn = range(zero, t, one)\nr = reshape(n) {shape=[s, 1]}\n"
      "c = ge(r, n)\nd = matmul(q, k) {trans_b=1}\ne = select(c, d, low)\np = softmax(e)\n"
      "w = matmul(p, v)\noutput w\n");
  const Features features = only(Feature::Attention);
  Plan plan(graph, Sizes{100}, machine(), with(features));
  for (std::int64_t length : {9, 33, 512, 2047}) {
    ASSERT_TRUE(plan.bind(Sizes{length})) << length;
    const std::optional<Module> wanted = written_in(graph, {length}, features);
    ASSERT_TRUE(wanted);
    EXPECT_EQ(without_names(plan.compile()), without_names(*wanted)) << length;
  }
  EXPECT_FALSE(plan.bind(Sizes{1}));
  EXPECT_FALSE(Plan(graph, Sizes{100}, machine(), {}).symbolic());  // who would count?
}

TEST(Plan, of_attention_whose_heads_have_no_program_is_for_these_sizes) {
  const char* lines =
      "dim s, d\ninput q: f16[2, 8, s, d]\ninput k: f16[2, 8, s, d]\ninput v: f16[2, 8, s, d]\n"
      "e = matmul(q, k) {trans_b=1}\np = softmax(e)\nw = matmul(p, v)\noutput w\n";
  const Features features = only(Feature::Attention);
  expect_reused(lines, {{100, 64}, {333, 128}, {9, 32}}, features);
  expect_other(lines, {100, 64}, {100, 72}, features);
  expect_reused(lines, {{100, 72}}, features);
  expect_other(lines, {100, 72}, {100, 64}, features);
}

TEST(Plan, is_another_where_dimensions_become_one_or_none) {
  const char* lines =
      "dim n, m\ninput x: f16[n, 64]\ninput y: f16[m, 64]\na = relu(x)\nb = relu(y)\n"
      "output a\noutput b\n";
  expect_reused(lines, {{5, 7}, {7, 7}, {64, 9}});
  expect_other(lines, {5, 7}, {5, 1});
  expect_other(lines, {5, 7}, {5, 0});
}

// A sum of rows and what it is added to have one domain if their rows are as long.
TEST(Plan, is_another_where_dimensions_that_meet_become_equal) {
  const char* lines =
      "dim n, m\ninput x: f16[n, 64]\ninput y: f16[n, m]\n"
      "r = reduce_sum(x) {axes=[1], keepdims=1}\na = add(r, y)\noutput a\n";
  expect_reused(lines, {{5, 47}, {64, 99}, {99, 99}});
  expect_other(lines, {5, 47}, {5, 64});
  expect_other(lines, {5, 64}, {5, 47});
}

TEST(Plan, refuses_what_specializing_refuses) {
  const Graph graph =
      graph_of("dim n, m\ninput x: f16[n, 64]\ninput y: f16[m, 64]\na = add(x, y)\noutput a\n");
  EXPECT_THROW(Plan(graph, Sizes{5, 7}, machine(), {}), Error);
  Plan plan(graph, Sizes{7, 7}, machine(), {});
  EXPECT_FALSE(plan.bind(Sizes{5, 7}));
  EXPECT_TRUE(plan.bind(Sizes{9, 9}));
}

TEST(Plan, of_what_needs_numbers_serves_its_own_sizes_only) {
  const Graph graph = graph_of("dim n\ninput x: f32[64, n]\ny = arg_max(x) {axis=1}\noutput y\n");
  Plan plan(graph, Sizes{9}, machine(), {});
  EXPECT_FALSE(plan.symbolic());
  EXPECT_EQ(plan.compile(), written_in(graph, {9}));
}

/// Plans of graphs with symbols are bound to other sizes, and give what these give written in.
void expect_plans_alike(std::uint64_t seeds, Features features,
                        RandomGraph (*make)(std::uint64_t) = random_graph) {
  int symbolic = 0, reused = 0;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    SymbolicGraph made(seed, make(seed));
    const std::optional<Graph> graph = made.graph();
    if (!graph) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print_graph(*graph));
    const std::optional<Module> wanted = written_in(*graph, made.sizes(), features);
    ASSERT_EQ(planned(*graph, made.sizes(), features), wanted);
    if (!wanted) continue;
    Plan plan(*graph, made.sizes(), machine(), with(features));
    if (!plan.symbolic()) continue;
    ++symbolic;
    for (int i = 0; i < 4; ++i) {
      const Sizes sizes = made.other_sizes();
      SCOPED_TRACE(testing::PrintToString(sizes));
      const std::optional<Module> other = written_in(*graph, sizes, features);
      if (!plan.bind(sizes)) continue;
      ++reused;
      ASSERT_EQ(plan.compile(), other);
    }
  }
  EXPECT_GT(symbolic, static_cast<int>(seeds / 10));
  EXPECT_GT(reused, static_cast<int>(seeds / 15));
}

TEST(Plan, of_random_graphs_gives_what_written_in_sizes_give) {
  expect_plans_alike(600, {});
}

TEST(Plan, of_random_moves_gives_it_whatever_folds) {
  expect_plans_alike(600, {}, random_moves);
}

TEST(Plan, of_random_graphs_gives_it_with_every_feature) {
  expect_plans_alike(200, all_but_parametric());
}

/// What a plan made for other sizes knows of schedules changes nothing but the work.
void expect_patched_is_fresh(std::uint64_t seeds, Features features,
                             RandomGraph (*make)(std::uint64_t) = random_graph) {
  int reused = 0;
  CompileWork work;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    SymbolicGraph made(seed, make(seed));
    const std::optional<Graph> graph = made.graph();
    if (!graph || !planned(*graph, made.sizes(), features)) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print_graph(*graph));
    Plan plan(*graph, made.sizes(), machine(), with(features));
    if (!plan.symbolic()) continue;
    (void)plan.compile();
    for (int i = 0; i < 6; ++i) {
      const Sizes sizes = made.other_sizes();
      SCOPED_TRACE(testing::PrintToString(sizes));
      if (!plan.bind(sizes)) continue;
      ++reused;
      ASSERT_EQ(plan.compile(&work), planned(*graph, sizes, features));
    }
  }
  EXPECT_GT(reused, static_cast<int>(seeds / 15));
  EXPECT_GT(work.alike, 0);
}

TEST(Plan, that_is_parametric_patches_random_graphs_to_what_is_made_afresh) {
  expect_patched_is_fresh(400, only(Feature::Parametric));
  expect_patched_is_fresh(200, Features::all());
}

TEST(Plan, that_is_parametric_patches_random_moves_to_what_is_made_afresh) {
  expect_patched_is_fresh(400, only(Feature::Parametric), random_moves);
}

TEST(Plan, that_is_parametric_ranks_no_tiles_for_sizes_like_known_ones) {
  for (const char* lines :
       {"dim n\ninput x: f16[n, 1024]\ny = softmax(x)\noutput y\n",
        "dim n\ninput x: f16[n, 256]\ninput w: f16[256, 512]\na = matmul(x, w)\noutput a\n",
        "dim n\ninput x: f16[n, 251]\ninput w: f16[251, 513]\ninput y: f16[n, 513]\n"
        "a = matmul(x, w)\nb = add(a, y)\nc = abs(b)\noutput c\n"}) {
    SCOPED_TRACE(lines);
    const Graph graph = graph_of(lines);
    Plan plan(graph, Sizes{1000}, machine(), with(only(Feature::Parametric)));
    CompileWork first, second, third;
    const Module thousand = plan.compile(&first);
    EXPECT_GT(first.tiles, 0);
    ASSERT_TRUE(plan.bind(Sizes{1001}));
    EXPECT_NE(plan.compile(&second), thousand);
    EXPECT_GT(second.alike, 0);
    EXPECT_LT(second.tiles, first.tiles);
    ASSERT_TRUE(plan.bind(Sizes{2000}));
    (void)plan.compile(&third);
    EXPECT_EQ(third.tiles, first.tiles) << "sizes unlike those are ranked";
  }
}

}  // namespace
}  // namespace dvmsim
