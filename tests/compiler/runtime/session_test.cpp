// Whole graphs, from text to bytes on the reference device, against the evaluator; every launch is
// also checked for accesses that nothing orders.
#include "compiler/runtime/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

std::map<std::string, Tensor> random_inputs(const Graph& graph, const Bindings& dims) {
  std::map<std::string, Tensor> inputs;
  std::int64_t seed = 1;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, dims),
               {Fill::Kind::Random, seed++, is_float(value.type.dtype) ? 2.0 : 4.0});
  }
  return inputs;
}

void expect_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.shape(), expected.shape());
  ASSERT_EQ(actual.dtype(), expected.dtype());
  const auto a = actual.floats(), b = expected.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double bound = tolerance * (1 + std::abs(static_cast<double>(b[i])));
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (a[i] == b[i]) continue;
    ASSERT_NEAR(a[i], b[i], bound) << "element " << i;
  }
}

/// May the strategy refuse the graph? It says so by name.
void expect_refusal(const Strategy& strategy, const Error& error) {
  const std::string text = error.what();
  EXPECT_TRUE(strategy.pads || strategy.one_submission) << text;
  EXPECT_EQ(text.find("node '"), 0u) << text;
  EXPECT_NE(text.find("strategy " + std::string(strategy.name)), std::string::npos) << text;
}

/// Runs the graph under every strategy and compares all outputs.
void check(const std::string& text, const Bindings& dims, double tolerance = 2e-5) {
  const Graph graph = deduce_shapes(parse_graph(text, "test.graph"));
  const auto inputs = random_inputs(graph, dims);
  const auto expected = evaluate(graph, inputs);
  const Machine machine = default_machine();
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    Reference device(machine);
    HazardChecker hazards(machine);
    device.listen_order(&hazards);
    SessionOptions options;
    options.strategy = strategy;
    Session session(graph, machine, device, options);
    RunResult result;
    try {
      result = session.run(dims, inputs);
    } catch (const Error& error) {
      expect_refusal(*strategy, error);
      continue;
    }
    ASSERT_FALSE(result.fault) << result.fault.text;
    ASSERT_EQ(result.outputs.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      SCOPED_TRACE(result.output_names[i]);
      expect_close(result.outputs[i], expected[i], tolerance);
    }
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  }
}

TEST(Session, adds_with_a_row_a_column_and_a_scalar) {
  check(R"(graph g
dim n
input x: f32[n, 100]
input row: f32[100]
input column: f32[n, 1]
input one: f32[1]
a = add(x, row)
b = mul(a, column)
c = sub(b, one)
d = div(column, one)
output c
output d
)",
        {{"n", 37}});
}

TEST(Session, normalises_rows) {
  check(R"(graph g
dim n
input x: f16[n, 300]
s = softmax(x) {axis=-1}
l = layer_norm(x)
output s
output l
)",
        {{"n", 70}}, 4e-3);
}

TEST(Session, normalises_long_rows_in_pieces) {
  check(R"(graph g
dim n
input x: f16[n, 4096]
input w: f16[4096]
s = softmax(x) {axis=-1}
y = mul(s, w)
output y
)",
        {{"n", 60}}, 4e-3);
}

TEST(Session, reduces_over_any_axes) {
  check(R"(graph g
input x: f32[6, 4, 50, 33]
a = reduce_sum(x) {axes=[3]}
b = reduce_max(x) {axes=[0, 2, 3], keepdims=0}
c = reduce_min(x) {axes=[1]}
d = reduce_mean(x)
output a
output b
output c
output d
)",
        {});
}

TEST(Session, reduces_rows_longer_than_a_tile) {
  check(R"(graph g
input x: f32[3, 70000]
input y: f32[100003]
a = reduce_sum(x) {axes=[1]}
b = reduce_max(y)
output a
output b
)",
        {}, 1e-4);
}

TEST(Session, moves_tensors) {
  check(R"(graph g
dim n
input x: f32[n, 40, 6]
input y: f32[n, 3, 6]
t = transpose(x) {perm=[2, 0, 1]}
u = transpose(x) {perm=[1, 0, 2]}
s = slice(x) {starts=[39], ends=[1], axes=[1], steps=[-3]}
c = concat(x, y) {axis=1}
p, q = split(x) {axis=1, sizes=[13, 27]}
e = pad(x) {pads=[0, 2, 1, 1, 0, 3]}
r = pad(x) {mode="reflect", pads=[0, 2, 1, 0, 1, 2]}
output t
output u
output s
output c
output p
output q
output e
output r
)",
        {{"n", 5}});
}

TEST(Session, gathers_rows) {
  check(R"(graph g
input x: f32[10, 33]
const i: i64[2, 2] = [1, -1, 0, 9]
const many: i64[20] = [0,1,2,3,4,5,6,7,8,9,9,8,7,6,5,4,3,2,1,0]
a = gather(x, i) {axis=0}
b = gather(x, many) {axis=0}
output a
output b
)",
        {});
}

TEST(Session, multiplies_matrices_in_batches) {
  check(R"(graph g
dim n
input a: f32[2, 3, n, 40]
input b: f32[3, 40, 50]
input w: f32[50, 17]
input v: f32[1, 1, 50, 40]
x = matmul(a, b)
y = matmul(x, w)
z = matmul(a, v) {trans_b=1}
output x
output y
output z
)",
        {{"n", 29}}, 1e-4);
}

TEST(Session, finishes_products_on_the_vector_cores) {
  const std::string text = R"(graph g
dim n
input x: f16[2, n, 64]
const w: f16[64, 96] = random(3, 0.3)
const b: f16[96] = random(4, 0.5)
input r: f16[2, n, 96]
h = matmul(x, w)
a = add(h, b)
g = gelu(a)
y = add(g, r)
output y
)";
  check(text, {{"n", 70}}, 4e-3);
  const Graph graph = specialize(deduce_shapes(parse_graph(text, "test.graph")), {{"n", 70}});
  EXPECT_EQ(compile(graph, default_machine(), {}).steps.size(), 1u);
}

TEST(Session, adds_two_products) {
  check(R"(graph g
input x: f32[1, 128]
const w: f32[512, 128] = random(3, 0.3)
const v: f32[512, 128] = random(4, 0.3)
a = matmul(x, w) {trans_b=1}
b = matmul(x, v) {trans_b=1}
y = add(a, b)
output y
)",
        {});
}

TEST(Session, convolves) {
  check(R"(graph g
dim n
input x: f32[2, 6, n]
const w: f32[8, 3, 5] = random(3, 0.5)
const b: f32[8] = random(4, 0.5)
input i: f32[1, 4, 9, 11]
const k: f32[5, 4, 3, 3] = random(5, 0.5)
c = conv(x, w, b) {strides=[2], pads=[2, 2], groups=2}
r = relu(c)
d = conv(i, k) {pads=[1, 0, 1, 2], dilations=[2, 1]}
output r
output d
)",
        {{"n", 31}}, 1e-4);
}

TEST(Session, decides_between_launches) {
  for (const int which : {0, 1}) {
    const std::string text = R"(graph g
input x: f32[4, 5]
input y: f32[4, 5]
s = reduce_sum(x)
m = reduce_sum(y)
c = )" + std::string(which == 0 ? "lt" : "gt") +
                             R"((s, m)
flat = reshape(c) {shape=[]}
o = if(flat, x, y) then (p, q) { r = add(p, q)
output r } else (p, q) { r = mul(p, q)
output r }
output o
)";
    check(text, {});
  }
}

TEST(Session, compares_and_selects) {
  check(R"(graph g
input x: f32[7, 65]
input y: f32[65]
m = lt(x, y)
n = not(m)
k = and(m, n)
s = select(m, x, y)
t = cast(s) {to=i32}
u = cast(n) {to=f32}
output s
output k
output t
output u
)",
        {});
}

TEST(Session, keeps_a_module_for_each_shape) {
  const Graph graph = deduce_shapes(
      parse_graph("graph g\ndim n\ninput x: f32[n, 8]\ny = exp(x)\noutput y\n", "test.graph"));
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(graph, machine, device, {});
  EXPECT_TRUE(session.run({{"n", 3}}, random_inputs(graph, {{"n", 3}})).compiled);
  EXPECT_TRUE(session.run({{"n", 4}}, random_inputs(graph, {{"n", 4}})).compiled);
  EXPECT_FALSE(session.run({{"n", 3}}, random_inputs(graph, {{"n", 3}})).compiled);
}

TEST(Session, groups_for_the_sizes_that_come_and_pays_for_each_grouping_once) {
  const Graph graph =
      parse_graph("graph g\ndim n, m\ninput x: f16[n, m]\na = exp(x)\ny = softmax(a)\noutput y\n",
                  "test.graph");
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.mode = Mode::Timing;
  Session session(graph, machine, device, options);
  const auto run = [&](std::int64_t n, std::int64_t m) {
    return session.run({{"n", n}, {"m", m}}, {});
  };
  const RunResult fits = run(8, 1000);
  EXPECT_EQ(fits.launches.size(), 1u) << "one kernel is tried first";
  EXPECT_GT(fits.compile_ns, 0);
  const RunResult splits = run(8, 200000);
  EXPECT_GT(splits.launches.size(), 1u) << "a row is longer than a tile";
  EXPECT_GT(splits.compile_ns, 0);
  for (std::int64_t m : {1001, 300}) {
    const RunResult again = run(9, m);
    EXPECT_TRUE(again.compiled);
    EXPECT_EQ(again.launches.size(), 1u);
    EXPECT_EQ(again.compile_ns, 0) << "the grouping is kept";
  }
}

TEST(Session, pays_for_the_analysis_of_every_size_that_has_a_plan_of_its_own) {
  const Graph graph = parse_graph(
      "graph g\ndim n\ninput x: f32[n, 64]\ny = arg_max(x) {axis=0}\noutput y\n", "test.graph");
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.mode = Mode::Timing;
  Session session(graph, machine, device, options);
  const std::int64_t first = session.run({{"n", 9}}, {}).compile_ns;
  EXPECT_GT(first, 0);
  EXPECT_EQ(session.run({{"n", 10}}, {}).compile_ns, first);
  EXPECT_EQ(session.run({{"n", 9}}, {}).compile_ns, 0);
}

TEST(Session, runs_a_saved_module) {
  const Graph graph =
      deduce_shapes(parse_graph("graph g\ninput x: f32[9, 8]\nconst w: f32[8, 4] = random(1, 1)\ny "
                                "= matmul(x, w)\nz = relu(y)\n"
                                "output z\n",
                                "test.graph"));
  const Machine machine = default_machine();
  const Module module = compile(graph, machine, {});
  const Module loaded = load_module(save(module), "test.dvm");
  EXPECT_EQ(loaded, module);
  Reference device(machine);
  Session session(loaded, machine, device, {});
  const auto inputs = random_inputs(graph, {});
  expect_close(session.run({}, inputs).outputs.at(0), evaluate(graph, inputs).at(0), 1e-5);
}

}  // namespace
}  // namespace dvmsim
