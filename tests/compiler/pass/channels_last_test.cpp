// Convolutions on maps with channels last: the values stay, and maps are turned where they enter
// and leave, not once an operator.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/pass/mix_group.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

Graph graph_of(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
}

std::int64_t count(const Graph& graph, Op op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [op](const Node& node) { return node.op == op; });
}

const std::string kChain =
    "input x: f32[2, 3, 9, 11]\n"
    "const w0: f32[8, 3, 3, 3] = random(1, 0.5)\nconst b0: f32[8] = random(2, 0.5)\n"
    "const w1: f32[8, 1, 3, 3] = random(3, 0.5)\nconst w2: f32[8, 8, 1, 1] = random(4, 0.5)\n"
    "const s: f32[8, 1, 1] = random(5, 0.5)\n"
    "a = conv(x, w0, b0) {pads=[1, 1, 1, 1]}\nr = relu(a)\n"
    "d = conv(r, w1) {pads=[1, 1, 1, 1], groups=8}\nh = hard_swish(d)\n"
    "p = conv(h, w2)\nm = mul(p, s)\nj = add(m, r)\n"
    "c = concat(j, r) {axis=1}\nq = max_pool(c) {kernel=[3, 3], strides=[2, 2], pads=[1, 1, 1, "
    "1]}\n";

void expect_same_values(const Graph& graph, const Graph& passed) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, 7, is_float(value.type.dtype) ? 1.0 : 9.0});
  }
  const auto before = evaluate(graph, inputs), after = evaluate(passed, inputs);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(before[i].shape(), after[i].shape());
    const std::vector<float> a = before[i].floats(), b = after[i].floats();
    for (std::size_t k = 0; k < a.size(); ++k) {
      ASSERT_NEAR(a[k], b[k], 1e-4 * (1 + std::abs(a[k]))) << "output " << i << " element " << k;
    }
  }
}

TEST(ChannelsLast, AChainIsTurnedAtItsEndsOnly) {
  const Machine machine = default_machine();
  const Graph graph = graph_of(kChain + "output q\n");
  const Graph passed = run_passes(graph, {machine});
  EXPECT_EQ(count(passed, Op::Transpose), 2);
  EXPECT_EQ(count(passed, Op::Conv), 0);
  EXPECT_EQ(count(passed, Op::ConvLast), 1);
  EXPECT_EQ(count(passed, Op::Depthwise), 1);
  EXPECT_EQ(count(passed, Op::MatMul), 1) << "a kernel of one pixel";
  expect_same_values(graph, passed);
}

TEST(ChannelsLast, PixelsAreRepeatedWhereTheyAre) {
  const Machine machine = default_machine();
  const Graph graph = graph_of(kChain +
                               "u = resize(q) {sizes=[2, 16, 10, 12]}\n"
                               "const w3: f32[4, 16, 3, 3] = random(6, 0.5)\n"
                               "v = conv(u, w3)\noutput v\n");
  const Graph passed = run_passes(graph, {machine});
  EXPECT_EQ(count(passed, Op::Transpose), 2);
  EXPECT_GT(count(passed, Op::Expand), 0);
  expect_same_values(graph, passed);
}

TEST(ChannelsLast, AnOutputInBetweenIsTurnedForItself) {
  const Machine machine = default_machine();
  const Graph graph = graph_of(kChain + "output r\noutput q\n");
  const Graph passed = run_passes(graph, {machine});
  EXPECT_EQ(count(passed, Op::Transpose), 3);
  expect_same_values(graph, passed);
}

TEST(ChannelsLast, SumsOverPixelsNeedNoTurn) {
  const Machine machine = default_machine();
  const Graph graph = graph_of(kChain +
                               "g = reduce_mean(q) {axes=[2, 3]}\nt = mul(q, g)\n"
                               "e = reduce_sum(t) {axes=[2, 3], keepdims=0}\noutput e\n");
  const Graph passed = run_passes(graph, {machine});
  EXPECT_EQ(count(passed, Op::Transpose), 1) << "of x";
  expect_same_values(graph, passed);
}

TEST(ChannelsLast, WithoutWindowsConvolutionsStayAsTheyAre) {
  Machine machine = default_machine();
  machine.can.img2col = false;
  const Graph graph = graph_of(kChain + "output q\n");
  const Graph passed = run_passes(graph, {machine});
  EXPECT_EQ(count(passed, Op::ConvLast), 0);
  EXPECT_EQ(count(passed, Op::Conv), 1);
  expect_same_values(graph, passed);
}

TEST(ChannelsLast, ScaledBytesAreTheSameWithAndWithoutFixPipe) {
  const std::string lines =
      "input x: i8[2, 5, 7, 8]\nconst w: i8[6, 5, 3, 3] = random(1, 9)\n"
      "const b: i32[6] = full(40)\nconst s: f32[6] = random(2, 0.05)\n"
      "y = conv(x, w, b, s) {pads=[1, 1, 1, 1], fill=3, offset=-7, to=u8}\noutput y\n";
  Machine machine = default_machine();
  const Graph graph = graph_of(lines), scaled = run_passes(graph, {machine});
  EXPECT_EQ(count(scaled, Op::ConvLast), 1);
  EXPECT_EQ(count(scaled, Op::Round), 0);
  expect_same_values(graph, scaled);
}

TEST(ChannelsLast, AReluIsNoLaunchOfItsOwn) {
  const Machine machine = default_machine();
  const std::string lines =
      "input x: f16[1, 16, 9, 9]\nconst w: f16[16, 16, 3, 3] = random(1, 0.5)\n"
      "a = conv(x, w)\nr = relu(a)\noutput r\n";
  const Graph passed = run_passes(graph_of(lines), {machine});
  const Partition found = partition(passed, machine, Fusion::Patterns);
  const auto cube = std::find_if(found.groups.begin(), found.groups.end(),
                                 [](const Group& g) { return g.kind == GroupKind::Cube; });
  ASSERT_NE(cube, found.groups.end());
  EXPECT_TRUE(is_rectified(passed, *cube));
}

}  // namespace
}  // namespace dvmsim
