// What the passes promise: the same values from simpler graphs, and launches that hold what can be
// fused.
#include "compiler/pass/pass.h"

#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/pass/partition.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

Graph graph_of(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
}

Module compiled(const std::string& lines) {
  return compile(graph_of(lines), default_machine(), {});
}

Partition partitioned(const std::string& lines, Fusion fusion) {
  const Machine machine = default_machine();
  return partition(run_passes(graph_of(lines), {machine}), machine, fusion);
}

TEST(Passes, compile_x_minus_0_and_x_times_1_to_the_bytes_of_x) {
  const std::string in = "input x: f16[30, 70]\n";
  const Module plain = compiled(in + "y = exp(x)\noutput y\n");
  for (const char* same : {"sub(x, zero)", "mul(x, one)", "mul(one, x)", "div(x, one)"}) {
    const Module other =
        compiled(in + "const zero: f16[] = [0]\nconst one: f16[] = [1]\na = " + same +
                 "\ny = exp(a)\noutput y\n");
    EXPECT_EQ(other.programs, plain.programs) << same;
    EXPECT_EQ(other.steps, plain.steps) << same;
  }
}

TEST(Passes, keep_x_plus_0_because_of_its_sign) {
  const Module plain = compiled("input x: f16[30]\ny = exp(x)\noutput y\n");
  const Module other = compiled(
      "input x: f16[30]\nconst zero: f16[] = [0]\na = add(x, zero)\ny = exp(a)\noutput y\n");
  EXPECT_NE(other.programs, plain.programs);
}

TEST(Passes, observe_each_pass_once_and_say_what_changed) {
  const Machine machine = default_machine();
  std::vector<std::string> changed;
  int passes = 0;
  (void)run_passes(graph_of("input x: f32[4, 8]\ny = softmax(x)\noutput y\n"), {machine},
                   [&](const PassStep& step) {
                     ++passes;
                     if (step.changed) changed.emplace_back(step.name);
                   });
  EXPECT_GE(passes, 6);
  EXPECT_EQ(changed, std::vector<std::string>{"decompose"});
}

TEST(Passes, leave_the_values_as_they_were) {
  const Graph graph = graph_of(
      "input x: f32[3, 5, 7, 11]\na = reduce_max(x) {axes=[1, 3], keepdims=0}\n"
      "b = transpose(x) {perm=[0, 1, 3, 2]}\nc = softmax(b) {axis=1}\noutput a\noutput c\n");
  const std::map<std::string, Tensor> inputs = {
      {"x", filled(DType::F32, {3, 5, 7, 11}, {Fill::Kind::Random, 1, 3.0})}};
  const Machine machine = default_machine();
  const auto before = evaluate(graph, inputs),
             after = evaluate(run_passes(graph, {machine}), inputs);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i], after[i]);
}

TEST(Partition, fuses_a_normalisation_with_what_surrounds_it) {
  const std::string lines =
      "input x: f16[100, 300]\ninput w: f16[300]\na = add(x, w)\n"
      "s = softmax(a)\ny = mul(s, w)\noutput y\n";
  EXPECT_EQ(partitioned(lines, Fusion::Patterns).groups.size(), 1u);
  EXPECT_EQ(partitioned(lines, Fusion::PerOperator).groups.size(), 3u);
}

TEST(Partition, does_not_fuse_around_another_launch) {
  // The transpose needs a and gives b what it adds: one launch of a and b would wait for itself.
  const Partition found = partitioned(
      "input x: f16[64, 64]\na = exp(x)\np = transpose(a) {perm=[1, 0]}\nb = add(a, p)\noutput b\n",
      Fusion::Patterns);
  EXPECT_EQ(found.groups.size(), 3u);
  bool said = false;
  for (const Remark& remark : found.remarks) said |= remark.text.find("wait for itself") < 99;
  EXPECT_TRUE(said);
}

TEST(Partition, splits_where_a_row_does_not_fit) {
  const Partition found =
      partitioned("input x: f32[4, 30000]\ns = softmax(x)\noutput s\n", Fusion::Patterns);
  EXPECT_GT(found.groups.size(), 1u);
}

}  // namespace
}  // namespace dvmsim
