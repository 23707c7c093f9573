// Graphs at bucket sizes against the evaluator at their own: what lies beyond a size never shows.
#include "compiler/runtime/strategy/bucket.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "tests/support/symbolic_graph.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

StrategyConstants constants_from(int least) {
  StrategyConstants constants;
  constants.bucket.least = least;
  return constants;
}

TEST(Bucket, sizes_grow_by_a_factor_or_are_a_list) {
  StrategyConstants constants = constants_from(16);
  EXPECT_EQ(bucket_of(1, constants), 16);
  EXPECT_EQ(bucket_of(16, constants), 16);
  EXPECT_EQ(bucket_of(17, constants), 32);
  constants.bucket.growth = 4;
  EXPECT_EQ(bucket_of(17, constants), 64);
  constants.bucket.sizes = {10, 20};
  EXPECT_EQ(bucket_of(11, constants), 20);
  EXPECT_THROW((void)bucket_of(21, constants), Error);
}

std::map<std::string, Tensor> inputs_of(const Graph& graph, const Bindings& dims) {
  std::map<std::string, Tensor> inputs;
  std::int64_t seed = 1;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, dims),
                                {Fill::Kind::Random, seed++, 1.5});
  }
  return inputs;
}

double tolerance_of(DType dtype) {
  return dtype == DType::F32 ? 2e-4 : dtype == DType::F16 ? 2e-2 : dtype == DType::BF16 ? 0.1 : 0;
}

/// Not further from what it should be than rounding in `computed` explains.
void expect_close(const Tensor& actual, const Tensor& expected, DType computed) {
  ASSERT_EQ(actual.shape(), expected.shape());
  const auto a = actual.floats(), b = expected.floats();
  double largest = 1;
  for (float number : b) {
    if (std::isfinite(number)) largest = std::max(largest, std::abs(static_cast<double>(number)));
  }
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (std::isfinite(b[i])) {
      ASSERT_NEAR(a[i], b[i], tolerance_of(computed) * largest) << "element " << i;
    }
  }
}

RunResult run(const Graph& graph, const Bindings& dims, int least = 1,
              DType computed = DType::F32) {
  const auto inputs = inputs_of(graph, dims);
  const Machine machine = default_machine();
  Reference device(machine);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  SessionOptions options;
  options.strategy = &kBucket;
  options.constants = constants_from(least);
  Session session(graph, machine, device, options);
  RunResult result = session.run(dims, inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  const auto expected = evaluate(specialize(graph, dims), inputs);
  EXPECT_EQ(result.outputs.size(), expected.size());
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    SCOPED_TRACE(result.output_names[i]);
    expect_close(result.outputs[i], expected[i], computed);
  }
  return result;
}

Graph graph_of(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\ndim n, m\n" + lines, "test.graph"));
}

void check(const std::string& lines) {
  const Graph graph = graph_of(lines);
  for (const Bindings& dims : {Bindings{{"n", 5}, {"m", 37}}, Bindings{{"n", 64}, {"m", 1}},
                               Bindings{{"n", 33}, {"m", 100}}}) {
    SCOPED_TRACE(testing::PrintToString(dims));
    run(graph, dims);
  }
}

std::string refusal(const std::string& lines) {
  try {
    run(graph_of(lines), {{"n", 5}, {"m", 37}});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Bucket, reductions_read_no_padding) {
  check(R"(input x: f32[n, m]
e = exp(x)
s = reduce_sum(e) {axes=[1]}
b = reduce_max(e) {axes=[0]}
l = reduce_min(e) {axes=[1], keepdims=0}
a = reduce_mean(e)
p = reduce_mean(e) {axes=[-1]}
output s, b, l, a, p
)");
}

TEST(Bucket, softmax_and_places_read_no_padding) {
  check(R"(input x: f32[n, m]
e = neg(x)
f = sub(e, x)
s = softmax(f) {axis=-1}
t = log_softmax(f) {axis=0}
a = arg_max(f) {axis=1}
i = arg_min(f) {axis=0}
output s, t, a, i
)");
}

TEST(Bucket, products_sum_over_no_padding) {
  check(R"(input x: f32[n, m]
input y: f32[m, n]
a = exp(x)
b = log(y)
c = abs(b)
d = matmul(a, y)
e = matmul(a, x) {trans_a=1}
f = matmul(a, a) {trans_b=1}
output d, e, f
)");
}

TEST(Bucket, what_is_not_finite_in_the_padding_stays_there) {
  check(R"(input x: f32[n, m]
input y: f32[m, 20]
a = abs(x)
r = reciprocal(a)
s = matmul(r, y)
t = softmax(r) {axis=1}
output s, t
)");
}

TEST(Bucket, moves_keep_the_padding_behind) {
  check(R"(input x: f32[n, m, 12]
input w: f32[n, 7, 12]
a = transpose(x) {perm=[1, 0, 2]}
b = reshape(a) {shape=[m, n, 3, 4]}
c = transpose(b) {perm=[2, 0, 1, 3]}
d = reduce_sum(c) {axes=[2]}
e = concat(w, x) {axis=1}
f = softmax(e) {axis=1}
g = slice(x) {starts=[2], ends=[9], axes=[2]}
output d, f, g
)");
}

TEST(Bucket, convolutions_and_pools_see_their_border) {
  check(R"(input x: f32[1, 8, n, m]
const w: f32[16, 8, 3, 3] = random(1, 0.2)
const w2: f32[8, 16, 3, 3] = random(3, 0.2)
const b: f32[16] = random(2, 0.5)
y = conv(x, w, b) {pads=[1, 1, 1, 1]}
z = conv(y, w2) {pads=[1, 1, 1, 1]}
p = max_pool(y) {kernel=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]}
output z, p
)");
}

TEST(Bucket, refuses_by_name_what_no_mask_helps) {
  const std::pair<const char*, const char*> cases[] = {
      {"input x: f32[n, m]\nc = concat(x, x) {axis=1}\noutput c\n", "node 'c' (concat)"},
      {"input x: f32[n, m]\nc = layer_norm(x) {axis=-1}\noutput c\n", "node 'c' (layer_norm)"},
      {"input x: f32[4, m, n]\nc = reshape(x) {shape=[4, m*n]}\noutput c\n", "node 'c' (reshape)"},
      {"input x: f32[n, m]\nc = slice(x) {starts=[-1], ends=[9999], axes=[1]}\noutput c\n",
       "node 'c' (slice)"},
  };
  for (const auto& [lines, node] : cases) {
    const std::string why = refusal(lines);
    EXPECT_EQ(why.find(node), 0u) << why;
    EXPECT_NE(why.find("strategy bucket"), std::string::npos) << why;
  }
}

TEST(Bucket, a_size_that_would_no_longer_be_broadcast_is_refused) {
  const Graph graph = graph_of("input x: f32[n, m]\ninput y: f32[n, 4]\nc = add(x, y)\noutput c\n");
  try {
    run(graph, {{"n", 3}, {"m", 1}}, 16);
    FAIL() << "a column became a matrix";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("node 'c' (add)"), 0u) << error.what();
  }
  run(graph, {{"n", 3}, {"m", 1}}, 1);  // a bucket of 1 leaves it as it is
}

TEST(Bucket, exactly_a_bucket_pads_and_cuts_nothing) {
  const Graph graph = graph_of("input x: f32[n, m]\ny = softmax(x)\noutput y\n");
  const auto launches = [&](std::int64_t n, std::int64_t m) {
    return run(graph, {{"n", n}, {"m", m}}).launches.size();
  };
  EXPECT_EQ(launches(8, 64), launches(7, 60) - 2);
  EXPECT_EQ(run(graph, {{"n", 8}, {"m", 64}}).padded_elements, 0);
  const RunResult padded = run(graph, {{"n", 5}, {"m", 64}});
  EXPECT_EQ(padded.padded_elements, 3 * 64);
  EXPECT_EQ(padded.elements, 8 * 64);
}

TEST(Bucket, sizes_of_a_bucket_share_its_code) {
  const Graph graph = graph_of("input x: f32[n, m]\ny = softmax(x)\noutput y\n");
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.strategy = &kBucket;
  options.constants.jit.kernel = Picoseconds(1'000'000);
  options.mode = Mode::Timing;
  Session session(graph, machine, device, options);
  std::vector<std::int64_t> ahead, code;
  for (std::int64_t m : {60, 61, 64, 65, 128}) {
    const RunResult result = session.run({{"n", 8}, {"m", m}}, {});
    ahead.push_back(result.ahead_ns);
    code.push_back(result.code_bytes);
    EXPECT_EQ(result.compile_ns, 0) << "nothing is compiled while it runs";
  }
  EXPECT_EQ(ahead, (std::vector<std::int64_t>{1000, 0, 0, 1000, 0}));
  EXPECT_EQ(code[0], code[2]);
  EXPECT_LT(code[2], code[3]);
  EXPECT_EQ(code[3], code[4]);
}

TEST(Bucket, random_graphs_are_right_or_refused_by_name) {
  int right = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SymbolicGraph made(seed);
    const auto graph = made.graph();
    if (!graph) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print_graph(*graph));
    for (int i = 0; i < 2 && !testing::Test::HasFailure(); ++i) {
      const auto sizes = i == 0 ? made.sizes() : made.other_sizes();
      const Bindings dims = bindings_of(*graph, sizes);
      SCOPED_TRACE(testing::PrintToString(sizes));
      try {
        (void)specialize(*graph, dims);
      } catch (const Error&) {
        continue;  // sizes that no strategy takes
      }
      try {
        run(*graph, dims, 1, made.dtype());
        ++right;
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()).find("node '"), 0u) << error.what();
      }
    }
  }
  EXPECT_GT(right, 60);
}

}  // namespace
}  // namespace dvmsim
