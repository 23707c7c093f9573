// Reductions of rows and columns longer than a tile, in one launch: what the evaluator says, in any
// legal interleaving, to the byte on the simulator, and to the cycle against the oracle.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/agree/compare_module.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

Graph shaped(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "long.graph"));
}

std::map<std::string, Tensor> inputs_of(const Graph& graph, std::int64_t seed) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const double scale = is_float(value.type.dtype) ? 2 : 50;
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, seed + id, scale});
  }
  return inputs;
}

SessionOptions resident() {
  SessionOptions options;
  options.strategy = &kResident;
  return options;
}

void expect_close(const Tensor& got, const Tensor& wanted) {
  ASSERT_EQ(got.shape(), wanted.shape());
  ASSERT_EQ(got.dtype(), wanted.dtype());
  if (!is_float(wanted.dtype())) {
    ASSERT_EQ(got, wanted);
    return;
  }
  const double tolerance = wanted.dtype() == DType::F32   ? 2e-5
                           : wanted.dtype() == DType::F16 ? 5e-3
                                                          : 1.6e-2;
  const std::vector<float> a = got.floats(), b = wanted.floats();
  double largest = 0;
  for (float each : b)
    largest = std::isfinite(each) ? std::fmax(largest, std::fabs(each)) : largest;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(b[i])) {
      ASSERT_TRUE(std::isnan(a[i])) << i;
    } else if (std::isinf(b[i])) {
      ASSERT_EQ(a[i], b[i]) << i;
    } else {
      ASSERT_NEAR(a[i], b[i], tolerance * largest + 1e-30) << i;
    }
  }
}

/// Both devices against the evaluator; returns the module.
std::shared_ptr<const Module> check(const Graph& graph, const std::map<std::string, Tensor>& inputs,
                                    const Machine& machine, int seed) {
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  Reference reference(machine, static_cast<std::uint64_t>(seed));
  HazardChecker hazards(machine);
  reference.listen_order(&hazards);
  Session session(graph, machine, reference, resident());
  const RunResult meant = session.run({}, inputs);
  EXPECT_FALSE(meant.fault) << meant.fault.text;
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  for (const Program& program : meant.module->programs) {
    for (const isa::Finding& found : isa::verify(program, machine)) ADD_FAILURE() << print(found);
  }
  for (std::size_t i = 0; i < wanted.size(); ++i) expect_close(meant.outputs[i], wanted[i]);
  SimDevice simulator(machine);
  Session simulated(graph, machine, simulator, resident());
  const RunResult timed = simulated.run({}, inputs);
  EXPECT_FALSE(timed.fault) << timed.fault.text;
  EXPECT_EQ(timed.outputs, meant.outputs) << "the simulator and the reference differ";
  return std::make_shared<Module>(*meant.module);
}

Machine machine_named(const std::string& name) {
  return load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/" + name + ".yaml");
}

std::string dims_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (std::int64_t dim : dims) text += (text.empty() ? "[" : ", ") + std::to_string(dim);
  return text + "]";
}

class LongReductions : public ::testing::TestWithParam<int> {};

TEST_P(LongReductions, agree) {
  static const Machine kMachines[] = {default_machine(), machine_named("tiny"),
                                      machine_named("ascend910a")};
  constexpr const char* kOps[] = {"softmax",     "log_softmax", "layer_norm", "rms_norm",
                                  "reduce_sum",  "reduce_mean", "reduce_max", "reduce_min",
                                  "reduce_prod", "reduce_sum"};
  constexpr const char* kTypes[] = {"f32", "f16", "bf16", "i32", "i64"};
  for (int round = 0; round < 6 && !HasFailure(); ++round) {
    const int seed = GetParam() * 6 + round;
    std::mt19937_64 draw(static_cast<std::uint64_t>(seed));
    const auto below = [&](std::uint64_t n) { return static_cast<std::int64_t>(draw() % n); };
    const auto op = below(std::size(kOps));
    const bool reduces = op >= 4, integer = reduces && op != 5 && below(3) == 0;
    const std::string type = kTypes[integer ? 3 + below(2) : below(3)];
    std::vector<std::int64_t> dims = {1 + below(12), 9000 + below(60000)};
    if (below(4) == 0) dims.insert(dims.begin(), 1 + below(3));
    std::int64_t axis = static_cast<std::int64_t>(dims.size()) - 1;
    if (op != 2 && op != 3 && below(3) == 0) {
      std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
      --axis;
    }
    const std::string at = std::to_string(axis);
    std::string lines = "input x: " + type + dims_text(dims) + "\n";
    if (op == 2) lines += "input g: " + type + "[" + std::to_string(dims.back()) + "]\n";
    lines += std::string("y = ") + kOps[op] + (op == 2 ? "(x, g)" : "(x)");
    lines += reduces ? " {axes=[" + at + "], keepdims=1}\n" : " {axis=" + at + "}\n";
    lines += "output y\n";
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + lines);
    const Graph graph = shaped(lines);
    const Machine& machine = kMachines[seed % 4 == 3 ? 1 + below(2) : 0];
    const auto module = check(graph, inputs_of(graph, seed), machine, seed);
    EXPECT_EQ(module->steps.size(), 1u) << "launches";
  }
}

INSTANTIATE_TEST_SUITE_P(Blocks, LongReductions, ::testing::Range(0, 8));

TEST(LongReduce, what_follows_and_precedes_a_long_softmax_stays_with_it) {
  const Graph graph = shaped(R"(input x: f16[20, 40000]
input m: f16[20, 40000]
input s: f16[20, 1]
a = mul(x, s)
b = add(a, m)
y = softmax(b)
z = reduce_sum(b) {axes=[1], keepdims=1}
w = mul(y, z)
output w
output z
)");
  const auto module = check(graph, inputs_of(graph, 3), default_machine(), 5);
  EXPECT_EQ(module->steps.size(), 1u);
}

/// Rows that begin with, end with, or are all -infinity, and one with +infinity and one with NaN.
TEST(LongReduce, infinities_of_a_masked_softmax_are_those_of_the_evaluator) {
  const Graph graph = shaped("input x: f32[5, 70000]\ny = softmax(x)\noutput y\n");
  std::map<std::string, Tensor> inputs = inputs_of(graph, 1);
  Tensor& x = inputs.at("x");
  std::vector<float> values = x.floats();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr std::size_t kRow = 70000;
  for (std::size_t i = 0; i < kRow; ++i) {
    if (i < 66000) values[i] = -kInfinity;
    if (i >= 9000) values[kRow + i] = -kInfinity;
    values[2 * kRow + i] = -kInfinity;
  }
  values[3 * kRow + 50000] = kInfinity;
  values[4 * kRow + 50000] = std::numeric_limits<float>::quiet_NaN();
  x = Tensor::of_floats(DType::F32, x.shape(), values);
  check(graph, inputs, default_machine(), 2);
}

TEST(LongReduce, without_the_feature_it_takes_more_launches) {
  const Graph graph = shaped("input x: f16[8, 128000]\ny = softmax(x)\noutput y\n");
  CompileOptions with, without;
  with.features.set(Feature::LongReduce, true);
  EXPECT_EQ(compile(graph, default_machine(), with).steps.size(), 1u);
  EXPECT_GT(compile(graph, default_machine(), without).steps.size(), 3u);
}

/// Cores that wait for one another, loops in loops, buffers in turn.
TEST(LongReduce, the_engine_and_the_oracle_agree_to_the_cycle) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Machine machine = seed == 0 ? default_machine() : testing::random_machine(seed);
    CompileOptions options;
    options.features = Features::all();
    const char* lines[] = {"input x: f16[2, 50000]\ny = softmax(x)\noutput y\n",
                           "input x: f32[30000, 20]\ny = reduce_max(x) {axes=[0]}\noutput y\n"};
    const Module module = compile(shaped(lines[seed % 2]), machine, options);
    for (const testing::Verdict& verdict : testing::compare(machine, module)) {
      EXPECT_EQ(verdict.difference, "") << "seed " << seed;
      EXPECT_EQ(verdict.fault, "");
      EXPECT_GT(verdict.spans, 20u);
    }
  }
}

}  // namespace
}  // namespace dvmsim
