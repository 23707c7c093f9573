// Products whose tiles the cores share along k: in one launch, what the evaluator says, the same
// bytes on both devices and in every run, and to the cycle against the oracle.
#include <gtest/gtest.h>

#include <cmath>
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
  return deduce_shapes(parse_graph("graph g\n" + lines, "shared.graph"));
}

Graph product(std::int64_t m, std::int64_t k, std::int64_t n, const std::string& type,
              bool finished = false) {
  const auto sizes = [](std::int64_t rows, std::int64_t columns) {
    return "[" + std::to_string(rows) + ", " + std::to_string(columns) + "]\n";
  };
  std::string lines = "input x: " + type + sizes(m, k) + "input y: " + type + sizes(k, n);
  if (finished) lines += "input b: " + type + "[" + std::to_string(n) + "]\n";
  lines +=
      finished ? "p = matmul(x, y, b)\nq = relu(p)\noutput q\n" : "p = matmul(x, y)\noutput p\n";
  return shaped(lines);
}

/// Values of no common scale, so that another order of adding gives other bits.
std::map<std::string, Tensor> inputs_of(const Graph& graph, std::int64_t seed) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, seed + id, 2.0});
  }
  return inputs;
}

CompileOptions sharing() {
  CompileOptions options;
  options.features = Features::only(Feature::CubeFusion);
  return options;
}

std::string notes_of(const Graph& graph, CompileOptions options) {
  std::string notes;
  options.schedules = &notes;
  (void)compile(graph, default_machine(), options);
  return notes;
}

/// On one device, by a strategy with every feature.
std::vector<Tensor> run(const Graph& graph, const std::map<std::string, Tensor>& inputs,
                        Device& device, std::size_t launches) {
  SessionOptions options;
  options.strategy = &kResident;
  const Machine machine = default_machine();
  Session session(graph, machine, device, options);
  const RunResult result = session.run({}, inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  EXPECT_EQ(result.module->steps.size(), launches);
  return result.outputs;
}

struct Sizes {
  std::int64_t m = 1, k = 1, n = 1;
  const char* type = "f16";
  bool finished = false;
};
class SharedProducts : public ::testing::TestWithParam<Sizes> {};

TEST_P(SharedProducts, agree) {
  const auto& [m, k, n, type, finished] = GetParam();
  const Graph graph = product(m, k, n, type, finished);
  ASSERT_NE(notes_of(graph, sharing()).find(" shared"), std::string::npos);
  const auto inputs = inputs_of(graph, m + n);
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  std::vector<Tensor> first;
  for (std::uint64_t seed : {0, 1, 2}) {
    Reference reference(default_machine(), seed);
    HazardChecker hazards(default_machine());
    reference.listen_order(&hazards);
    const std::vector<Tensor> got = run(graph, inputs, reference, 1);
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    if (seed == 0) first = got;
    EXPECT_EQ(got, first) << "seed " << seed;
  }
  for (int times = 0; times < 2; ++times) {
    SimDevice simulator(default_machine());
    EXPECT_EQ(run(graph, inputs, simulator, 1), first);
  }
  const std::vector<float> a = first[0].floats(), b = wanted[0].floats();
  double largest = 0;
  for (float each : b) largest = std::max(largest, std::fabs(static_cast<double>(each)));
  const double tolerance = std::string(type) == "f32" ? 2e-5 : 1e-2;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * largest) << i;
}

INSTANTIATE_TEST_SUITE_P(Sizes, SharedProducts,
                         ::testing::Values(Sizes{8, 4096, 128}, Sizes{1, 5000, 77},
                                           Sizes{100, 3000, 200, "f32"},
                                           Sizes{33, 4111, 250, "bf16", true},
                                           Sizes{16, 8192, 48, "f16", true}));

/// With vector work behind it, in the same launch.
TEST(SharedProduct, what_vector_cores_finish_is_shared_too) {
  const Graph graph = shaped(R"(input x: f16[40, 4000]
input y: f16[4000, 208]
input r: f32[40, 208]
p = matmul(x, y)
f = cast(p) {to=f32}
q = add(f, r)
output q
)");
  const std::string notes = notes_of(graph, sharing());
  EXPECT_NE(notes.find("mix"), std::string::npos);
  ASSERT_NE(notes.find(" shared"), std::string::npos);
  const auto inputs = inputs_of(graph, 5);
  Reference reference(default_machine(), 3);
  HazardChecker hazards(default_machine());
  reference.listen_order(&hazards);
  const std::vector<Tensor> meant = run(graph, inputs, reference, 1);
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  SimDevice simulator(default_machine());
  EXPECT_EQ(run(graph, inputs, simulator, 1), meant);
  const std::vector<float> a = meant[0].floats(), b = evaluate(graph, inputs)[0].floats();
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 0.5) << i;
  const Module module = compile(graph, default_machine(), sharing());
  for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
    EXPECT_EQ(verdict.difference, "");
  }
}

TEST(SharedProduct, without_the_feature_nothing_is_shared) {
  const Graph graph = product(8, 4096, 128, "f16");
  EXPECT_EQ(notes_of(graph, {}).find(" shared"), std::string::npos);
  CompileOptions dvm = sharing();
  dvm.tiling = Tiling::DvmV3;
  EXPECT_EQ(notes_of(graph, dvm).find(" shared"), std::string::npos);
}

TEST(SharedProduct, the_engine_and_the_oracle_agree_to_the_cycle) {
  for (std::int64_t m : {8, 200, 300}) {
    const Module module = compile(product(m, 4096, 304, "f16"), default_machine(), sharing());
    ASSERT_EQ(module.steps.size(), 1u);
    EXPECT_GT(module.steps[0].vector_cores, 0);
    for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
      EXPECT_EQ(verdict.fault, "");
      EXPECT_EQ(verdict.difference, "");
    }
  }
}

}  // namespace
}  // namespace dvmsim
