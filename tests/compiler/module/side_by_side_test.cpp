// Products that may run at the same time are found, and have some of the cores each.
#include "compiler/module/side_by_side.h"

#include <gtest/gtest.h>

#include <numeric>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

/// Three projections of x, and two products of which one's epilogue needs the other.
constexpr const char* kBlock = R"(graph block
input x: f16[128, 768]
input kv: f16[128, 256]
const q: f16[768, 768] = random(1, 0.05)
const k: f16[768, 256] = random(2, 0.05)
const v: f16[768, 256] = random(3, 0.05)
const g: f16[256, 768] = random(4, 0.05)
const u: f16[256, 768] = random(5, 0.05)
xq = matmul(x, q)
xk = matmul(x, k)
xv = matmul(x, v)
gate = matmul(kv, g)
up = matmul(kv, u)
out = mul(gate, up)
output xq
output xk
output xv
output out
)";

CompileOptions with(Features features) {
  CompileOptions options;
  options.features = features;
  return options;
}

std::vector<std::vector<std::string>> names_beside(const std::string& text) {
  const Machine machine = default_machine();
  std::vector<Rerolled> rerolled;
  const PassContext context = pass_context(machine, {}, rerolled);
  const PlannedGraph planned =
      plan_graph(run_passes(infer_shapes(parse_graph(text, "test")), context, {}), machine,
                 Fusion::Patterns, {});
  std::vector<std::vector<std::string>> names;
  for (const std::vector<std::size_t>& set : products_beside(planned)) {
    names.emplace_back();
    for (const std::size_t group : set) {
      const NodeId id = product_in(planned.graph, planned.partition.groups[group]);
      names.back().push_back(planned.graph.node(id).name);
    }
  }
  return names;
}

TEST(SideBySide, products_of_one_operand_that_do_not_wait_for_one_another) {
  // `up` is finished with what `gate` makes, or the other way round.
  EXPECT_EQ(names_beside(kBlock), (std::vector<std::vector<std::string>>{{"xq", "xk", "xv"}}));
  EXPECT_TRUE(names_beside(R"(graph chain
input x: f16[64, 64]
a = matmul(x, x)
b = matmul(x, a)
output b
)")
                  .empty());
}

TEST(SideBySide, cores_are_shared_by_work) {
  EXPECT_EQ(shares_of({1, 1, 1}, 24), (std::vector<int>{8, 8, 8}));
  EXPECT_EQ(shares_of({4, 1, 1}, 24), (std::vector<int>{16, 4, 4}));
  EXPECT_EQ(shares_of({100, 1, 1}, 4), (std::vector<int>{2, 1, 1}));
  EXPECT_TRUE(shares_of({1, 1, 1}, 2).empty());
  for (int cores = 3; cores < 30; ++cores) {
    const std::vector<int> shares = shares_of({5, 0.001, 7}, cores);
    EXPECT_LE(std::accumulate(shares.begin(), shares.end(), 0), cores);
    EXPECT_GE(*std::min_element(shares.begin(), shares.end()), 1);
  }
}

/// Of the tasks of a module with one table.
std::vector<Team> teams_of(const std::string& text, const CompileOptions& options) {
  const Module module =
      compile(infer_shapes(parse_graph(text, "test")), default_machine(), options);
  EXPECT_EQ(module.steps.size(), 1u);
  std::vector<Team> teams;
  for (const Task& task : module.programs.at(0).tasks) teams.push_back(task.team);
  return teams;
}

TEST(SideBySide, tasks_of_small_products_have_cores_of_their_own) {
  const std::vector<Team> teams = teams_of(kBlock, with(Features::only(Feature::OneLaunch)));
  ASSERT_GE(teams.size(), 3u);
  for (int a = 0; a < 3; ++a) {
    for (int b = 0; b < a; ++b) {
      const CoreRange one = teams[static_cast<std::size_t>(a)].cube,
                      other = teams[static_cast<std::size_t>(b)].cube;
      EXPECT_TRUE(one.end() <= other.first || other.end() <= one.first);
    }
  }
}

TEST(SideBySide, products_that_fill_the_cores_keep_all_of_them) {
  const std::vector<Team> teams = teams_of(R"(graph large
input x: f16[4096, 2048]
const a: f16[2048, 2048] = random(1, 0.05)
const b: f16[2048, 2048] = random(2, 0.05)
xa = matmul(x, a)
xb = matmul(x, b)
output xa
output xb
)",
                                           with(Features::only(Feature::OneLaunch)));
  ASSERT_EQ(teams.size(), 2u);
  for (const Team& team : teams) EXPECT_GT(team.cube.count, default_machine().cores.cube / 2);
}

}  // namespace
}  // namespace dvmsim
