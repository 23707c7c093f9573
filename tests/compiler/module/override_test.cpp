// What a user decides is done or refused; what the compiler had decided anyway changes nothing.
#include "compiler/module/override.h"

#include <gtest/gtest.h>

#include "tests/compiler/module/overridden.h"
#include "tests/support/random_graph.h"

namespace dvmsim::testing {
namespace {

const char* const kChain =
    "input x: f16[64, 256]\na = exp(x)\nb = relu(a)\nc = add(b, x)\noutput c\n";
const char* const kProduct =
    "input x: f16[512, 1024]\ninput y: f16[1024, 512]\n"
    "p = matmul(x, y)\noutput p\n";

KernelOverride vector_entry(const std::string& kernel, VectorChoice choice) {
  return said(kernel, choice).kernels.front();
}
KernelOverride matmul_entry(const std::string& kernel, MatmulChoice choice) {
  return said(kernel, choice).kernels.front();
}

TEST(Override, that_repeats_the_compiler_gives_its_module) {
  int compared = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Graph graph = (seed % 3 == 0 ? random_moves(seed) : random_graph(seed)).graph;
    for (Fusion fusion : {Fusion::Patterns, Fusion::PerOperator}) {
      for (Features features : {Features{}, Features::all()}) {
        CompileOptions options;
        options.fusion = fusion;
        options.features = features;
        ScheduleOverrides none;
        Compiled plain;
        try {
          plain = compiled(graph, none, options);
        } catch (const Error&) {  // not for this machine
          continue;
        }
        ScheduleOverrides own = as_overrides(plain.decisions);
        const Compiled again = compiled(graph, own, options);
        EXPECT_EQ(save(again.module), save(plain.module)) << "seed " << seed;
        EXPECT_FALSE(own.unused().has_value()) << *own.unused();
        compared += static_cast<int>(!plain.decisions.empty());
      }
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(Override, of_phases_repeats_them_too) {
  CompileOptions options;
  options.features = Features::all();
  const std::string lines = "input x: f32[4, 60000]\ns = softmax(x)\noutput s\n";
  const Compiled plain = compiled(lines, {}, options);
  ASSERT_EQ(plain.decisions.size(), 1u);
  EXPECT_EQ(std::get<VectorChoice>(plain.decisions[0].choice).phases, true);
  const Compiled again = compiled(lines, as_overrides(plain.decisions), options);
  EXPECT_EQ(save(again.module), save(plain.module));
}

TEST(Override, sets_the_tile_and_leaves_the_rest_to_the_search) {
  ScheduleOverrides overrides;
  overrides.kernels.push_back(vector_entry("a, b, c", {.columns = 512}));
  const Compiled made = compiled(kChain, overrides);
  ASSERT_EQ(made.decisions.size(), 1u);
  EXPECT_EQ(std::get<VectorChoice>(made.decisions[0].choice).columns, 512);
  EXPECT_EQ(made.decisions[0].by, "my.yaml:3");
  EXPECT_TRUE(std::get<VectorChoice>(made.decisions[0].choice).cores.has_value());
}

TEST(Override, sets_cores_copies_and_packing) {
  ScheduleOverrides overrides;
  VectorChoice choice;
  choice.cores = 3;
  choice.loads = choice.stores = 2;
  overrides.kernels.push_back(vector_entry("a*", choice));
  const Compiled made = compiled(kChain, overrides);
  EXPECT_EQ(made.module.steps[0].vector_cores, 3);
  EXPECT_EQ(std::get<VectorChoice>(made.decisions[0].choice).loads, 2);
  EXPECT_EQ(std::get<VectorChoice>(made.decisions[0].choice).packing, Packing::BestFit);
}

TEST(Override, the_last_entry_that_names_a_kernel_counts) {
  ScheduleOverrides overrides;
  overrides.kernels.push_back(vector_entry("*", {.columns = 512}));
  overrides.kernels.push_back(vector_entry("a, b, c", {.columns = 1024}));
  EXPECT_EQ(std::get<VectorChoice>(compiled(kChain, overrides).decisions[0].choice).columns, 1024);
}

TEST(Override, of_a_product_sets_its_tile_and_splits_k) {
  ScheduleOverrides overrides;
  MatmulChoice choice;
  choice.m = choice.n = 64;
  overrides.kernels.push_back(matmul_entry("p", choice));
  const Compiled tiled = compiled(kProduct, overrides);
  EXPECT_EQ(std::get<MatmulChoice>(tiled.decisions[0].choice).m, 64);
  EXPECT_EQ(std::get<MatmulChoice>(tiled.decisions[0].choice).n, 64);
  std::get<MatmulChoice>(overrides.kernels[0].choice).k_step = 256;
  const Compiled split = compiled(kProduct, overrides);
  EXPECT_EQ(split.module.steps.size(), 5u) << "four steps and a cast of the sums";
  const Compiled again = compiled(kProduct, as_overrides(split.decisions));
  EXPECT_EQ(save(again.module), save(split.module));
}

TEST(Override, that_is_not_legal_says_where_and_what_would_be) {
  const auto vector = [&](VectorChoice choice) {
    ScheduleOverrides overrides;
    overrides.kernels.push_back(vector_entry("*", choice));
    return error_of(kChain, overrides);
  };
  EXPECT_EQ(vector({.columns = 20000}),
            "my.yaml:3: vector kernel 'a, b, c': a tile of 20000 columns, but there are 16384");
  const std::string big =
      error_of("input x: f16[64, 60000]\na = exp(x)\nb = add(a, x)\noutput b\n", [] {
        ScheduleOverrides overrides;
        overrides.kernels.push_back(vector_entry("*", {.columns = 60000}));
        return overrides;
      }());
  EXPECT_TRUE(big.starts_with("my.yaml:3: vector kernel 'a, b': a tile of 1 x 60000 takes "))
      << big;
  EXPECT_NE(big.find("of UB's 196608 bytes; 1 x "), std::string::npos) << big;
  VectorChoice cores;
  cores.cores = 1000;
  EXPECT_NE(vector(cores).find("1000 cores, but there are 48"), std::string::npos) << vector(cores);
  VectorChoice phases;
  phases.phases = true;
  EXPECT_NE(vector(phases).find("no phases"), std::string::npos) << vector(phases);
  VectorChoice copies;
  copies.loads = copies.stores = 900;
  EXPECT_NE(vector(copies), "");
  VectorChoice idle;
  idle.columns = 16384;
  idle.cores = 2;
  EXPECT_NE(vector(idle).find("gives 2 cores one each"), std::string::npos) << vector(idle);
}

TEST(Override, of_a_product_that_is_not_legal_says_which_buffer_is_too_small) {
  const auto product = [&](MatmulChoice choice) {
    ScheduleOverrides overrides;
    overrides.kernels.push_back(matmul_entry("p", choice));
    return error_of(kProduct, overrides);
  };
  MatmulChoice choice;
  choice.m = choice.n = 256;
  EXPECT_EQ(product(choice),
            "my.yaml:3: matrix product 'p': 256 x 256 sums take 262144 of L0C's 131072 "
            "bytes; 256 x 128 fits");
  choice.n = 128;
  choice.k = 4096;
  EXPECT_NE(product(choice).find("of L1's 524288 bytes; k: "), std::string::npos)
      << product(choice);
  choice.k = 24;
  EXPECT_NE(product(choice).find("a multiple of 16, not 24"), std::string::npos) << product(choice);
  choice.k = 64;
  choice.m = 17;
  EXPECT_NE(product(choice).find("multiples of 16"), std::string::npos) << product(choice);
  EXPECT_NE(product({.cores = 100}).find("100 cores"), std::string::npos);
  EXPECT_NE(product({.width = 100}).find("a width of 100"), std::string::npos);
  EXPECT_NE(product({.k_step = 100}).find("k_step: a multiple of 16"), std::string::npos);
}

TEST(Override, of_groups_goes_to_as_many_cores_as_any_list_can_use) {
  const std::string lines =
      "input a: f16[48, 64]\ninput b: f16[40, 64, 48]\ninput list: i64[40]\n"
      "c = grouped_matmul(a, b, list)\noutput c\n";
  const Compiled plain = compiled(lines, {});
  const Compiled again = compiled(lines, as_overrides(plain.decisions));
  EXPECT_EQ(save(again.module), save(plain.module));
  EXPECT_GT(plain.first<MatmulChoice>().cores, 6) << "more than the tiles of one product";
  const Compiled few = compiled(lines, said("c", MatmulChoice{.m = 16, .n = 16, .cores = 5}));
  EXPECT_EQ(few.first<MatmulChoice>().n, 16);
  EXPECT_EQ(few.module.steps.at(0).cube_cores, 5);
  EXPECT_EQ(error_of(lines, said("c", MatmulChoice{.cores = 30})),
            "my.yaml:3: matrix product 'c': 30 cores, but at most 43 tiles go to at most 24");
  EXPECT_NE(error_of(lines, said("c", MatmulChoice{.k_step = 16})).find("in one launch"),
            std::string::npos);
  EXPECT_NE(error_of(lines, said("c", MatmulChoice{.shared = 2})).find("share no tiles"),
            std::string::npos);
}

TEST(Override, of_a_finished_product_keeps_k_in_one_launch) {
  ScheduleOverrides overrides;
  overrides.kernels.push_back(matmul_entry("*", {.k_step = 256}));
  const std::string error = error_of(
      "input x: f16[512, 1024]\ninput y: f16[1024, 512]\np = matmul(x, y)\nq = exp(p)\noutput q\n",
      overrides);
  EXPECT_NE(error.find("vector cores finish 'p, q'"), std::string::npos) << error;
}

TEST(Override, that_names_nothing_is_told) {
  ScheduleOverrides overrides;
  overrides.kernels.push_back(vector_entry("q*", {.columns = 512}));
  const Graph graph = graph_of(kChain);
  (void)compiled(graph, overrides);
  EXPECT_EQ(overrides.unused(),
            "my.yaml:3: no vector kernel is called 'q*'; compile --dump "
            "overrides lists them");
  overrides.kernels.clear();
  overrides.hints.push_back({true, "a", "nobody", "my.yaml:9"});
  (void)compiled(graph, overrides);
  ASSERT_TRUE(overrides.unused().has_value());
  EXPECT_TRUE(overrides.unused()->starts_with("my.yaml:9")) << *overrides.unused();
}

ScheduleOverrides hint(bool fuse, const std::string& a, const std::string& b) {
  ScheduleOverrides overrides;
  overrides.hints.push_back({fuse, a, b, "my.yaml:5"});
  return overrides;
}

const char* const kAttention =
    "input q: f16[1, 4, 200, 64]\ninput k: f16[1, 4, 300, 64]\ninput v: f16[1, 4, 300, 64]\n"
    "s = matmul(q, k) {trans_b=1}\np = softmax(s)\ny = matmul(p, v)\noutput y\n";

ScheduleOverrides attention_as(AttentionChoice choice) {
  return said("y*", choice);
}

TEST(Override, of_attention_sets_its_tile_or_says_what_would_be_one) {
  CompileOptions options;
  options.features = Features::only(Feature::Attention);
  AttentionChoice choice;
  choice.queries = 32;
  choice.cores = 3;
  const Compiled made = compiled(kAttention, attention_as(choice), options);
  ASSERT_EQ(made.decisions.size(), 1u);
  EXPECT_EQ(std::get<AttentionChoice>(made.decisions[0].choice).queries, 32);
  EXPECT_EQ(std::get<AttentionChoice>(made.decisions[0].choice).cores, 3);
  EXPECT_EQ(made.module.steps.at(0).cube_cores, 3);
  const Compiled again = compiled(kAttention, as_overrides(made.decisions), options);
  EXPECT_EQ(again.module.programs, made.module.programs);
  choice = {};
  choice.queries = 40;
  EXPECT_EQ(error_of(kAttention, attention_as(choice), options),
            "my.yaml:3: attention 'y': queries: 40 is no multiple of 16 up to 208");
  choice.queries = 208;
  choice.keys = 48;
  choice.part = 32;
  EXPECT_NE(error_of(kAttention, attention_as(choice), options).find("the compiler has queries: "),
            std::string::npos);
  choice = {};
  choice.scale_queries = true;
  EXPECT_NE(error_of(kAttention, attention_as(choice), options).find("there is no scale"),
            std::string::npos);
}

TEST(FusionHint, splits_a_kernel) {
  EXPECT_EQ(compiled(kChain, {}).module.steps.size(), 1u);
  const Compiled split = compiled(kChain, hint(false, "b", "c"));
  ASSERT_EQ(split.module.steps.size(), 2u);
  EXPECT_EQ(split.module.steps[0].label, "a, b");
  EXPECT_EQ(compiled(kChain, hint(false, "a", "c")).module.steps.size(), 2u)
      << "not even through a third";
}

TEST(FusionHint, fuses_what_the_strategy_would_not) {
  CompileOptions options;
  options.fusion = Fusion::PerOperator;
  EXPECT_EQ(compiled(kChain, {}, options).module.steps.size(), 3u);
  const Compiled fused = compiled(kChain, hint(true, "a", "b"), options);
  ASSERT_EQ(fused.module.steps.size(), 2u);
  EXPECT_EQ(fused.module.steps[0].label, "a, b");
}

TEST(FusionHint, that_cannot_be_followed_says_why) {
  EXPECT_EQ(error_of(kChain, hint(true, "a", "c")),
            "my.yaml:5: no tensor goes between 'a' and 'c'; fuse neighbours");
  const std::string lines = "input x: f16[64, 64]\na = exp(x)\np = matmul(a, x)\noutput p\n";
  EXPECT_EQ(error_of(lines, hint(true, "a", "p")),
            "my.yaml:5: 'a' and 'p' cannot be fused: its consumer is a cube kernel");
}

TEST(FusionHint, folds_a_move_or_keeps_it) {
  const std::string lines =
      "input x: f16[64, 512]\na = exp(x)\ns = slice(a) {starts=[0, 0], ends=[64, 256]}\n"
      "b = relu(s)\noutput b\n";
  EXPECT_EQ(compiled(lines, {}).module.steps.size(), 2u);
  EXPECT_EQ(compiled(lines, hint(false, "a", "s")).module.steps.size(), 3u);
  const std::string leaves =
      "input x: f16[64, 512]\na = exp(x)\ns = slice(a) {starts=[0, 0], ends=[64, 256]}\noutput s\n";
  const std::string error = error_of(leaves, hint(true, "a", "s"));
  EXPECT_NE(error.find("'s' cannot be a view: an output of the graph"), std::string::npos) << error;
}

TEST(Glob, takes_any_text_for_a_star) {
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("a*c", "abbc"));
  EXPECT_TRUE(matches_glob("*b*", "abc"));
  EXPECT_TRUE(matches_glob("a?c*", "abc"));
  EXPECT_TRUE(matches_glob("l*.q", "l0.k, l1.q"));
  EXPECT_FALSE(matches_glob("a*c", "abcd"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_FALSE(matches_glob("", "a"));
}

TEST(Overrides, none_cost_no_work) {
  // Kernels that come again are not chosen for again, whether somebody could have overridden them
  // or nobody.
  const Graph graph = graph_of(R"(input x: f16[512, 512]
input w: f16[512, 512]
a = matmul(x, w)
b = exp(a)
c = matmul(b, w)
d = exp(c)
output d
)");
  CompileOptions options;
  options.features = Features::only(Feature::Parametric);
  CompileWork without, with;
  const Module plain = compile(graph, machine(), options, &without);
  ScheduleOverrides none;
  options.overrides = &none;
  EXPECT_EQ(compile(graph, machine(), options, &with), plain);
  EXPECT_GT(without.alike, 0);
  EXPECT_EQ(with.alike, without.alike);
  EXPECT_EQ(with.tiles, without.tiles);
  EXPECT_EQ(with.words, without.words);
}

}  // namespace
}  // namespace dvmsim::testing
