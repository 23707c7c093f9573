// Two products as one kernel: values as the evaluator says them, in any legal interleaving, to the
// byte on the simulator, and to the cycle against the oracle.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
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

Graph parsed(const std::string& text) {
  return deduce_shapes(parse_graph(text, "chain.graph"));
}

Module compiled(const std::string& text, Features features) {
  CompileOptions options;
  options.features = features;
  return compile(parsed(text), default_machine(), options);
}

/// x of `rows` rows through `rank` columns: where both weights stay in L1, worth a chain.
std::string low_rank(int rows, int width, int rank, const char* more = "") {
  return fmt::format(
      "graph g\ninput x: f16[{}, {}]\ninput a: f16[{}, {}]\ninput b: f16[{}, {}]\n"
      "d = matmul(x, a)\n{}y = matmul({}, b)\noutput y\n",
      rows, width, width, rank, rank, width, more, *more != 0 ? "e" : "d");
}

/// Launches.
std::size_t expect_values(const std::string& text) {
  SCOPED_TRACE(text);
  const Graph graph = parsed(text);
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, id + 1, 0.5});
  }
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  const Machine machine = default_machine();
  SessionOptions options;
  options.features = Features::only(Feature::CubeFusion);
  SimDevice simulator(machine);
  Session simulated(graph, machine, simulator, options);
  const std::vector<Tensor> timed = simulated.run({}, inputs).outputs;
  std::size_t launches = 0;
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    Reference reference(machine, seed);
    HazardChecker hazards(machine);
    reference.listen_order(&hazards);
    Session session(graph, machine, reference, options);
    const RunResult result = session.run({}, inputs);
    EXPECT_FALSE(result.fault) << result.fault.text;
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    EXPECT_EQ(result.outputs, timed) << "the simulator and the reference differ";
    launches = result.module->steps.size();
  }
  const auto got = timed[0].floats(), want = wanted[0].floats();
  for (std::size_t at = 0; at < got.size(); ++at) {
    EXPECT_NEAR(got[at], want[at], 1e-2 * std::max(1.0f, std::fabs(want[at]))) << at;
  }
  return launches;
}

TEST(Chain, of_low_rank_is_one_launch) {
  EXPECT_EQ(compiled(low_rank(8192, 1024, 16), {}).steps.size(), 2u);
  EXPECT_EQ(compiled(low_rank(8192, 1024, 16), Features::only(Feature::CubeFusion)).steps.size(),
            1u);
}

TEST(Chain, values_are_those_of_the_evaluator_and_both_devices_agree) {
  EXPECT_EQ(expect_values(low_rank(4099, 1024, 16)), 1u);
  EXPECT_EQ(expect_values(low_rank(4096, 1000, 20, "e = relu(d)\n")), 1u);
  EXPECT_EQ(expect_values("graph g\ninput x: bf16[2, 2050, 1024]\ninput a: bf16[1024, 16]\n"
                          "input b: bf16[1024, 16]\nd = matmul(x, a)\n"
                          "y = matmul(d, b) {trans_b=1}\noutput y\n"),
            1u);
  EXPECT_EQ(expect_values("graph g\ninput x: f16[4096, 1024]\ninput a: f16[1024, 16]\n"
                          "input p: f16[16]\ninput b: f16[16, 1024]\ninput q: f16[1024]\n"
                          "d = matmul(x, a, p)\ny = matmul(d, b, q)\noutput y\n"),
            1u);
}

TEST(Chain, is_left_where_the_first_result_is_wanted_or_activated_on_vector_cores) {
  EXPECT_GT(expect_values(low_rank(4096, 1024, 16, "e = gelu(d)\n")), 1u);
  const std::string both = low_rank(4096, 1024, 16);
  EXPECT_GT(expect_values(both + "output d\n"), 1u);
}

TEST(Chain, is_left_where_weights_would_be_loaded_for_every_tile) {
  EXPECT_EQ(compiled(low_rank(64, 4096, 128), Features::only(Feature::CubeFusion)).steps.size(),
            2u);
}

TEST(Chain, the_engine_and_the_oracle_agree_to_the_cycle) {
  for (const std::string& text :
       {low_rank(4099, 1024, 16), low_rank(4096, 1000, 20, "e = relu(d)\n")}) {
    const Module module = compiled(text, Features::only(Feature::CubeFusion));
    ASSERT_EQ(module.steps.size(), 1u);
    for (const testing::Verdict& verdict : testing::compare(default_machine(), module)) {
      EXPECT_EQ(verdict.difference, "");
      EXPECT_EQ(verdict.fault, "");
    }
  }
}

}  // namespace
}  // namespace dvmsim
