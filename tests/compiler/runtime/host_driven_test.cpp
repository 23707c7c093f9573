// Graphs whose course depends on values: the host drives them, the bodies run on the reference
// device; all against the evaluator, and checked for accesses that nothing orders.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "compiler/runtime/stage.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

using Inputs = std::map<std::string, Tensor>;

Tensor random(std::vector<std::int64_t> shape, std::int64_t seed) {
  return filled(DType::F32, std::move(shape), {Fill::Kind::Random, seed, 1.0});
}
Tensor integers(std::vector<std::int64_t> shape, std::vector<std::int64_t> values) {
  return Tensor::of_ints(DType::I64, std::move(shape), values);
}

void expect_close(const Tensor& actual, const Tensor& expected) {
  ASSERT_EQ(actual.shape(), expected.shape());
  ASSERT_EQ(actual.dtype(), expected.dtype());
  const auto a = actual.floats(), b = expected.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], 2e-5 * (1 + std::abs(b[i]))) << "element " << i;
  }
}

/// Runs the graph under every strategy; what the host did in the last run.
RunResult::HostSteps check(const std::string& text, const Inputs& inputs) {
  const Graph graph = parse_graph(text, "test.graph");
  const auto expected = evaluate(graph, inputs);
  const Machine machine = default_machine();
  RunResult::HostSteps host;
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    if (strategy->one_submission || strategy->pads) continue;  // refuse what they cannot do
    Reference device(machine);
    HazardChecker hazards(machine);
    device.listen_order(&hazards);
    SessionOptions options;
    options.strategy = strategy;
    Session session(graph, machine, device, options);
    for (int run = 0; run < 2; ++run) {
      const RunResult result = session.run({}, inputs);
      EXPECT_FALSE(result.fault) << result.fault.text;
      EXPECT_EQ(result.compiled, run == 0);
      EXPECT_EQ(result.outputs.size(), expected.size());
      for (std::size_t i = 0; i < result.outputs.size(); ++i) {
        SCOPED_TRACE(result.output_names[i]);
        expect_close(result.outputs[i], expected[i]);
      }
      host = result.host;
    }
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  }
  return host;
}

constexpr const char* kCountedLoop = R"(graph g
input n: i64[]
input x: f32[3, 40]
input w: f32[40, 40]
y, all = loop(n, _, x, w) {carried=1} do (i, go, p, m) {
  q = matmul(p, m)
  r = tanh(q)
  s = add(r, p)
  output go, r, s
}
z = neg(y)
output z, all
)";

TEST(HostDriven, a_loop_runs_its_body_as_often_as_it_is_told) {
  for (std::int64_t rounds : {0, 1, 5}) {
    const auto host = check(
        kCountedLoop,
        {{"n", integers({}, {rounds})}, {"x", random({3, 40}, 1)}, {"w", random({40, 40}, 2)}});
    EXPECT_EQ(host.iterations, rounds);
    EXPECT_EQ(host.synchronisations, 0);  // the host wrote the count itself
  }
}

TEST(HostDriven, a_loop_ends_when_the_device_says_so) {
  const auto host = check(R"(graph g
input x: f32[1]
const limit: f32[1] = [100]
y, steps = loop(_, _, x) {carried=1} do (i, go, p) {
  const two: f32[1] = [2]
  const most: f32[1] = [100]
  q = mul(p, two)
  c = lt(q, most)
  more = reshape(c) {shape=[]}
  output more, q, q
}
output y, steps
)",
                          {{"x", Tensor::of(DType::F32, {1}, std::vector<double>{3})}});
  EXPECT_EQ(host.iterations, 6);
  EXPECT_EQ(host.synchronisations, 6);
}

TEST(HostDriven, what_a_loop_carries_may_grow) {
  (void)check(R"(graph g
dim k
input x: f32[k, 20]
input n: i64[]
y = loop(n, _, x, x) {carried=1} do (i, go, p, first) {
  q = concat(p, first) {axis=0}
  r = exp(q)
  output go, r
}
s = reduce_sum(y) {axes=[0], keepdims=0}
output y, s
)",
              {{"x", random({2, 20}, 4)}, {"n", integers({}, {3})}});
}

TEST(HostDriven, a_scan_goes_both_ways) {
  (void)check(R"(graph g
dim t
input x: f32[t, 6]
input s: f32[6]
last, sums, back = scan(s, x, x) {states=1, scans=2, input_backwards=[0, 1], output_backwards=[0, 1]} do (p, a, b) {
  q = add(p, a)
  r = mul(q, b)
  output q, q, r
}
output last, sums, back
)",
              {{"x", random({7, 6}, 5)}, {"s", random({6}, 6)}});
}

TEST(HostDriven, later_shapes_bind_to_what_was_found) {
  const auto host = check(R"(graph g
dim n
input x: f32[n, 8]
const zero: f32[1] = [0]
first = slice(x) {starts=[0], ends=[1], axes=[1]}
column = reshape(first) {shape=[-1]}
positive = gt(column, zero)
at = nonzero(positive)
rows = reshape(at) {shape=[-1]}
kept = gather(x, rows)
e = exp(kept)
sum = reduce_sum(e) {axes=[0], keepdims=1}
output e, sum, at
)",
                          {{"x", random({30, 8}, 7)}});
  EXPECT_EQ(host.synchronisations, 1);
  ASSERT_EQ(host.nodes.size(), 1u);
  EXPECT_EQ(host.nodes[0], "node 'at' (nonzero)");
}

TEST(HostDriven, branches_may_give_different_shapes) {
  for (std::int64_t which : {0, 1}) {
    (void)check(R"(graph g
input c: bool[]
input x: f32[4, 6]
y = if(c, x) then (p) {
  q = exp(p)
  output q
} else (p) {
  q = slice(p) {starts=[1], ends=[3], axes=[0]}
  output q
}
z = neg(y)
output z
)",
                {{"c", Tensor::of_ints(DType::Bool, {}, std::vector<std::int64_t>{which})},
                 {"x", random({4, 6}, 8)}});
  }
}

TEST(HostDriven, a_shape_may_be_computed_from_data) {
  const auto host = check(R"(graph g
input x: f32[24]
input n: i64[2]
const two: i64[2] = [1, 2]
shape = mul(n, two)
y = reshape(x, shape)
z = exp(y)
output z
)",
                          {{"x", random({24}, 9)}, {"n", integers({2}, {3, 4})}});
  EXPECT_EQ(host.synchronisations, 1);
}

TEST(HostDriven, loops_nest_and_capture) {
  (void)check(R"(graph g
input x: f32[5]
input n: i64[]
y = loop(n, _, x, n) {carried=1} do (i, go, p, m) {
  q = loop(m, _, p) {carried=1} do (j, on, a) {
    b = tanh(a)
    output on, b
  }
  r = add(q, p)
  output go, r
}
output y
)",
              {{"x", random({5}, 10)}, {"n", integers({}, {3})}});
}

TEST(HostDriven, timing_mode_refuses_to_guess) {
  const Graph graph = parse_graph(R"(graph g
input x: f32[9]
const zero: f32[1] = [0]
m = gt(x, zero)
y = nonzero(m)
output y
)",
                                  "t.graph");
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.mode = Mode::Timing;
  Session session(graph, machine, device, options);
  try {
    (void)session.run({}, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node 'y' (nonzero): decides by a value"),
              std::string::npos)
        << error.what();
  }
}

TEST(Stage, a_graph_that_shapes_decide_is_whole) {
  const Graph plain = parse_graph("graph g\ninput x: f32[4]\ny = exp(x)\noutput y\n", "t.graph");
  EXPECT_TRUE(plan_stage(infer_shapes(plain)).whole);
  const StagePlan plan = plan_stage(infer_shapes(parse_graph(kCountedLoop, "t.graph")));
  EXPECT_FALSE(plan.whole);
  EXPECT_EQ(driven_by(plan), "node 'y' (loop)");
  ASSERT_TRUE(plan.rest.has_value());
  EXPECT_EQ(plan.rest->nodes.size(), 1u);
}

}  // namespace
}  // namespace dvmsim
