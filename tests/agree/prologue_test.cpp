// Products of which vector cores make an operand: values as the evaluator says them, in any legal
// interleaving, to the byte on the simulator, and to the cycle against the oracle.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
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
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

struct Case {
  int m = 1, k = 1, n = 1;
  const char* type = "i8";
  bool turned = false;
  const char* scale = "[n]";  // of it: by column, by row or by element
};

std::string text_of(const Case& of) {
  const std::string weights =
      of.turned ? fmt::format("[{}, {}]", of.n, of.k) : fmt::format("[{}, {}]", of.k, of.n);
  const int last = of.turned ? of.k : of.n, first = of.turned ? of.n : of.k;
  std::string scale = of.scale;
  if (scale == "[n]") scale = fmt::format("[{}]", last);
  if (scale == "[k, 1]") scale = fmt::format("[{}, 1]", first);
  if (scale == "full") scale = weights;
  return fmt::format(
      "graph g\ninput x: f16[{}, {}]\ninput w: {}{}\ninput s: f16{}\n"
      "c = cast(w) {{to=f16}}\nb = mul(c, s)\ny = matmul(x, b){}\noutput y\n",
      of.m, of.k, of.type, weights, scale, of.turned ? " {trans_b=1}" : "");
}

Features only_prologues() {
  return Features::only(Feature::CubeFusion);
}

Module compiled(const std::string& text, const Machine& machine, Features features) {
  CompileOptions options;
  options.features = features;
  return compile(deduce_shapes(parse_graph(text, "prologue.graph")), machine, options);
}

constexpr Case kCases[] = {
    {16, 1024, 2048},
    {1, 1023, 2047},
    {5, 2048, 1024, "i8", true},
    {17, 1000, 2050, "f32"},
    {3, 1025, 2100, "bf16", false, "[k, 1]"},
    {33, 600, 2060, "u8", false, "[1]"},
    {16, 1024, 1024, "f16", true, "full"},
};

TEST(Prologue, one_launch_makes_weights_and_multiplies_them) {
  const Machine machine = default_machine();
  const std::string text = text_of({16, 4096, 4096});
  EXPECT_EQ(compiled(text, machine, {}).steps.size(), 2u);
  EXPECT_EQ(compiled(text, machine, only_prologues()).steps.size(), 1u);
}

/// Whether it is one launch.
bool expect_values(const std::string& text) {
  SCOPED_TRACE(text);
  bool fused = false;
  const Graph graph = deduce_shapes(parse_graph(text, "prologue.graph"));
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const bool whole = value.name == "w" && value.type.dtype != DType::F32;
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, id + 1, whole ? 3 : 0.5});
  }
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  const Machine machine = default_machine();
  SessionOptions options;
  options.features = only_prologues();
  SimDevice simulator(machine);
  Session simulated(graph, machine, simulator, options);
  const std::vector<Tensor> timed = simulated.run({}, inputs).outputs;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Reference reference(machine, seed);
    HazardChecker hazards(machine);
    reference.listen_order(&hazards);
    Session session(graph, machine, reference, options);
    const RunResult result = session.run({}, inputs);
    EXPECT_FALSE(result.fault) << result.fault.text;
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    for (const Program& program : result.module->programs) {
      for (const auto& found : isa::verify(program, machine)) ADD_FAILURE() << print(found);
    }
    EXPECT_EQ(result.outputs, timed) << "the simulator and the reference differ";
    fused = result.module->steps.size() == 1;
  }
  const auto got = timed[0].floats(), want = wanted[0].floats();
  for (std::size_t at = 0; at < got.size(); ++at) {
    EXPECT_NEAR(got[at], want[at], 1e-2 * std::max(1.0f, std::fabs(want[at]))) << at;
  }
  return fused;
}

TEST(Prologue, values_are_those_of_the_evaluator_and_both_devices_agree) {
  int fused = 0;
  for (const Case& each : kCases) fused += expect_values(text_of(each)) ? 1 : 0;
  EXPECT_GE(fused, 4);
}

/// Few columns, so that what is made is not made for many tiles.
TEST(Prologue, of_a_activates_scales_and_converts_on_the_way_in) {
  EXPECT_TRUE(expect_values(
      "graph g\ninput x: f16[700, 500]\ninput w: f16[500, 64]\ng = gelu(x)\ny = matmul(g, w)\n"
      "output y\n"));
  EXPECT_TRUE(expect_values(
      "graph g\ninput x: bf16[3, 301, 777]\ninput s: bf16[3, 301, 777]\ninput w: bf16[777, 90]\n"
      "input b: bf16[90]\na = mul(x, s)\ny = matmul(a, w, b)\noutput y\n"));
  EXPECT_TRUE(expect_values(
      "graph g\ninput x: f16[900, 640]\ninput r: f16[900, 1]\ninput c: f16[640]\n"
      "input w: f16[48, 640]\na = mul(x, r)\nb = mul(a, c)\ny = matmul(b, w) {trans_b=1}\n"
      "output y\n"));
  EXPECT_TRUE(
      expect_values("graph g\ninput x: i8[1200, 1024]\ninput s: f16[1]\ninput w: f16[1024, 128]\n"
                    "c = cast(x) {to=f16}\na = mul(c, s)\ny = matmul(a, w)\noutput y\n"));
}

TEST(Prologue, of_a_is_left_where_every_block_would_be_made_often) {
  EXPECT_FALSE(
      expect_values("graph g\ninput x: f16[256, 512]\ninput w: f16[512, 2048]\ng = gelu(x)\n"
                    "y = matmul(g, w)\noutput y\n"));
}

/// The other operand would have no tensor.
TEST(Prologue, is_left_where_both_operands_are_the_same) {
  EXPECT_FALSE(expect_values(
      "graph g\ninput x: f16[128, 16384]\ng = relu(x)\ny = matmul(g, g) {trans_b=1}\noutput y\n"));
}

TEST(Prologue, of_a_agrees_to_the_cycle) {
  const Module module = compiled(
      "graph g\ninput x: f16[700, 500]\ninput w: f16[500, 64]\ng = relu(x)\ny = matmul(g, w)\n"
      "output y\n",
      default_machine(), only_prologues());
  ASSERT_EQ(module.steps.size(), 1u);
  for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
    EXPECT_EQ(verdict.difference, "");
    EXPECT_EQ(verdict.fault, "");
  }
}

TEST(Prologue, the_engine_and_the_oracle_agree_to_the_cycle) {
  for (const Case& each : {Case{16, 1024, 2048}, Case{5, 2047, 1022, "i8", true}}) {
    const Module module = compiled(text_of(each), default_machine(), only_prologues());
    EXPECT_EQ(module.steps.size(), 1u);
    for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
      EXPECT_EQ(verdict.difference, "");
      EXPECT_EQ(verdict.fault, "");
    }
  }
}

}  // namespace
}  // namespace dvmsim
