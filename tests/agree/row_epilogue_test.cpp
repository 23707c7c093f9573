// Products whose tiles hold whole rows, which the vector cores reduce in the same launch: what the
// evaluator says, the same bytes on both devices, and to the cycle against the oracle.
#include <gtest/gtest.h>

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

namespace dvmsim {
namespace {

Graph shaped(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "rows.graph"));
}

std::map<std::string, Tensor> inputs_of(const Graph& graph, std::int64_t seed) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, seed + id, 0.5});
  }
  return inputs;
}

std::vector<Tensor> run(const Graph& graph, const std::map<std::string, Tensor>& inputs,
                        Device& device) {
  SessionOptions options;
  options.strategy = &kResident;
  Features features = Features::all();
  features.set(Feature::Attention, false);
  options.features = features;
  const Machine machine = default_machine();
  Session session(graph, machine, device, options);
  const RunResult result = session.run({}, inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  EXPECT_EQ(result.module->steps.size(), 1u);
  EXPECT_TRUE(result.module->programs[0].tasks.empty()) << "it is one kernel";
  return result.outputs;
}

void expect_rows(const std::string& lines, double tolerance) {
  SCOPED_TRACE(lines);
  const Graph graph = shaped(lines);
  const auto inputs = inputs_of(graph, 5);
  Reference reference(default_machine(), 3);
  HazardChecker hazards(default_machine());
  reference.listen_order(&hazards);
  const std::vector<Tensor> meant = run(graph, inputs, reference);
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  SimDevice simulator(default_machine());
  EXPECT_EQ(run(graph, inputs, simulator), meant);
  const std::vector<Tensor> oracle = evaluate(graph, inputs);
  for (std::size_t output = 0; output < meant.size(); ++output) {
    const std::vector<float> a = meant[output].floats(), b = oracle[output].floats();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
  }
  CompileOptions options;
  options.features = Features::only(Feature::CubeFusion);
  const Module module = compile(graph, default_machine(), options);
  ASSERT_EQ(module.steps.size(), 1u);
  for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
    EXPECT_EQ(verdict.fault, "");
    EXPECT_EQ(verdict.difference, "");
  }
}

std::string operands(std::int64_t m, std::int64_t k, std::int64_t n, const std::string& type) {
  const auto sizes = [](std::int64_t rows, std::int64_t columns) {
    return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]\n";
  };
  return "input x: " + type + sizes(m, k) + "input w: " + type + sizes(k, n);
}

TEST(RowEpilogue, softmax_follows_in_the_launch) {
  for (const char* type : {"f16", "bf16", "f32"}) {
    expect_rows(operands(70, 45, 33, type) + "p = matmul(x, w)\ny = softmax(p)\noutput y\n", 0.01);
  }
  expect_rows(operands(300, 128, 256, "f16") + "p = matmul(x, w)\ny = softmax(p)\noutput y\n",
              0.01);
}

TEST(RowEpilogue, norms_with_bias_and_residual) {
  expect_rows(operands(70, 96, 130, "f16") +
                  "input b: f16[130]\ninput r: f16[70, 130]\ninput s: f16[130]\ninput t: f16[130]\n"
                  "p = matmul(x, w, b)\nq = add(p, r)\ny = layer_norm(q, s, t)\noutput q\n"
                  "output y\n",
              0.05);
}

TEST(RowEpilogue, what_is_reduced_may_be_all_that_is_wanted) {
  for (const char* axes : {"keepdims=0", "keepdims=1"}) {
    expect_rows(operands(75, 40, 50, "f16") + "p = matmul(x, w)\na = abs(p)\n" +
                    "y = reduce_max(a) {axes=[1], " + axes + "}\noutput y\n",
                0.02);
  }
}

TEST(RowEpilogue, batches_and_transposed_operands) {
  expect_rows(
      "input x: f16[2, 3, 33, 64]\ninput w: f16[2, 3, 40, 64]\ninput m: f16[2, 3, 1, 40]\n"
      "p = matmul(x, w) {trans_b=1}\nq = add(p, m)\ny = softmax(q)\noutput y\n",
      0.01);
}

/// One tile, so that the cores share its k.
TEST(RowEpilogue, rows_of_shared_tiles) {
  const std::string lines =
      operands(16, 4096, 64, "f16") + "p = matmul(x, w)\ny = softmax(p)\noutput y\n";
  CompileOptions options;
  options.features = Features::only(Feature::CubeFusion);
  std::string notes;
  options.schedules = &notes;
  (void)compile(shaped(lines), default_machine(), options);
  ASSERT_NE(notes.find(" shared"), std::string::npos) << notes;
  expect_rows(lines, 0.05);
}

std::size_t launches(const std::string& lines, Features features) {
  CompileOptions options;
  options.features = features;
  return compile(shaped(lines), default_machine(), options).steps.size();
}

TEST(RowEpilogue, needs_the_feature_and_rows_that_a_tile_holds) {
  const auto lines = [](std::int64_t n, int axis) {
    return operands(64, 64, n, "f16") + "p = matmul(x, w)\ny = reduce_max(p) {axes=[" +
           std::to_string(axis) + "]}\noutput y\n";
  };
  const Features on = Features::only(Feature::CubeFusion);
  EXPECT_EQ(launches(lines(256, 1), on), 1u);
  EXPECT_EQ(launches(lines(256, 1), {}), 2u);
  EXPECT_EQ(launches(lines(257, 1), on), 2u);
  EXPECT_EQ(launches(lines(64, 0), on), 2u) << "over rows";
}

}  // namespace
}  // namespace dvmsim
