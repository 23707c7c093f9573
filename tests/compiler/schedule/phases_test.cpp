#include "compiler/schedule/phases.h"

#include <gtest/gtest.h>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/pass/pipeline.h"
#include "compiler/schedule/lower.h"

namespace dvmsim {
namespace {

/// The whole graph as one kernel.
VectorKernel kernel_of(const std::string& lines) {
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
  const Machine machine = default_machine();
  Features features;
  features.set(Feature::LongReduce, true);
  const Graph ready = run_passes(graph, {machine, features});
  std::vector<NodeId> nodes;
  for (NodeId id = 0; id < static_cast<NodeId>(ready.nodes.size()); ++id) {
    if (ready.node(id).op != Op::Reshape) nodes.push_back(id);
  }
  std::string why;
  auto lowered = lower(ready, nodes, ready.outputs, &why);
  EXPECT_TRUE(lowered.has_value()) << why;
  return lowered->kernel;
}

int count(const std::vector<KernelStep>& steps, isa::Op op) {
  int found = 0;
  for (const KernelStep& step : steps) found += step.op == op ? 1 : 0;
  return found;
}

TEST(Phases, a_sum_has_one) {
  const auto phased = phases_of(
      kernel_of("input x: f32[4, 90000]\ny = reduce_sum(x) {axes=[1], keepdims=1}\noutput y\n"));
  ASSERT_TRUE(phased);
  ASSERT_EQ(phased->phases.size(), 1u);
  EXPECT_EQ(phased->phases[0].accumulators.size(), 1u);
  EXPECT_TRUE(phased->phases[0].outputs.empty());
  EXPECT_EQ(phased->short_outputs.size(), 1u);
}

TEST(Phases, softmax_sums_while_it_looks_for_the_maximum) {
  const auto phased = phases_of(kernel_of("input x: f16[4, 90000]\ny = softmax(x)\noutput y\n"));
  ASSERT_TRUE(phased);
  ASSERT_EQ(phased->phases.size(), 2u);
  const Phase &statistics = phased->phases[0], &result = phased->phases[1];
  ASSERT_EQ(statistics.accumulators.size(), 2u);
  EXPECT_EQ(statistics.accumulators[0].how, isa::Reduction::Max);
  EXPECT_EQ(statistics.accumulators[0].scale, -1);
  EXPECT_EQ(statistics.accumulators[1].how, isa::Reduction::Sum);
  EXPECT_GE(statistics.accumulators[1].scale, 0);
  EXPECT_EQ(count(statistics.steps, isa::Op::vredx), 2);
  EXPECT_EQ(count(result.steps, isa::Op::vredx), 0);
  EXPECT_EQ(count(result.steps, isa::Op::vexp), 1) << "it is computed again";
  EXPECT_EQ(statistics.inputs, result.inputs);
  EXPECT_EQ(result.outputs.size(), 1u);
}

TEST(Phases, a_sum_of_squared_differences_waits_for_the_mean) {
  const auto phased = phases_of(
      kernel_of("input x: f32[4, 90000]\ninput g: f32[90000]\ny = layer_norm(x, g)\noutput y\n"));
  ASSERT_TRUE(phased);
  ASSERT_EQ(phased->phases.size(), 3u);
  EXPECT_EQ(phased->phases[0].inputs.size(), 1u);
  EXPECT_EQ(phased->phases[1].inputs.size(), 1u);
  EXPECT_EQ(phased->phases[2].inputs.size(), 2u) << "the scale is needed for the result alone";
}

TEST(Phases, what_a_phase_can_give_it_stores) {
  const auto phased = phases_of(
      kernel_of("input x: f32[4, 90000]\na = exp(x)\ny = reduce_max(a) {axes=[1], keepdims=1}\n"
                "z = sub(a, y)\noutput a\noutput z\n"));
  ASSERT_TRUE(phased);
  ASSERT_EQ(phased->phases.size(), 2u);
  EXPECT_EQ(phased->phases[0].outputs.size(), 1u);
  EXPECT_EQ(phased->phases[1].outputs.size(), 1u);
}

TEST(Phases, rows_can_be_the_long_dimension) {
  const auto phased =
      phases_of(kernel_of("input x: f32[90000, 40]\ny = softmax(x) {axis=0}\noutput y\n"));
  ASSERT_TRUE(phased);
  EXPECT_FALSE(phased->over_columns);
  EXPECT_EQ(phased->phases.size(), 2u);
  EXPECT_EQ(count(phased->phases[0].steps, isa::Op::vbrc), 0) << "a row repeats by itself";
}

TEST(Phases, of_other_kernels_are_refused) {
  std::string why;
  EXPECT_FALSE(phases_of(kernel_of("input x: f32[4, 90000]\ny = exp(x)\noutput y\n"), &why));
  EXPECT_EQ(why, "it reduces nothing");
  VectorKernel both =
      kernel_of("input x: f32[4, 90000]\ny = reduce_sum(x) {axes=[1], keepdims=1}\noutput y\n");
  both.whole_rows = true;
  EXPECT_FALSE(phases_of(both, &why));
  EXPECT_EQ(why, "it reduces over rows and over columns");
}

}  // namespace
}  // namespace dvmsim
