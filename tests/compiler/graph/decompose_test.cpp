#include "compiler/graph/decompose.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"

namespace dvmsim {
namespace {

void expect_near(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  const std::vector<float> x = a.floats();
  const std::vector<float> y = b.floats();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) && std::isnan(y[i])) continue;
    EXPECT_NEAR(x[i], y[i], 1e-5f * (1 + std::fabs(x[i]))) << what << " at " << i;
  }
}

TEST(Decompose, the_parts_of_each_composite_mean_the_same) {
  const Tensor x = filled(DType::F32, {2, 4, 6}, {Fill::Kind::Random, 5, 4.0});
  const Tensor p = filled(DType::F32, {4}, {Fill::Kind::Random, 6, 1.0});
  int composites = 0;
  for (int i = 0; i < kOps; ++i) {
    const Op op = static_cast<Op>(i);
    if (!info_of(op).composite) continue;
    ++composites;
    std::string inputs = "x";
    if (op == Op::BatchNorm) inputs = "x, p, p, p, v";
    if (op == Op::LayerNorm) inputs = "x, q, q";
    const bool finds = op == Op::ArgMax || op == Op::ArgMin;
    const std::string attributes = finds              ? " {axis=1}"
                                   : op == Op::Resize ? " {sizes=[n, 7, 9], mode=cubic}"
                                                      : "";
    const std::string text =
        "dim n\ninput x: f32[n, 4, 6]\ninput p: f32[4]\nv = mul(p, p)\n"
        "const q: f32[6] = random(3, 1)\ny = " +
        std::string(name_of(op)) + "(" + inputs + ")" + attributes + "\noutput y";
    const Graph graph = deduce_shapes(parse_graph(text, "t.graph"));
    const Graph parts = decompose(graph);
    verify(parts, Level::Shaped);
    for (const Node& node : parts.nodes) {
      if (op != Op::ReduceMean) {
        EXPECT_FALSE(info_of(node.op).composite) << print_graph(parts);
      }
    }
    expect_near(evaluate(graph, {{"x", x}, {"p", p}})[0], evaluate(parts, {{"x", x}, {"p", p}})[0],
                std::string(name_of(op)));
  }
  EXPECT_GE(composites, 18);
}

TEST(Decompose, leaves_what_is_not_wanted) {
  const Graph graph = deduce_shapes(
      parse_graph("input x: f32[3]\na = gelu(x)\nb = softmax(a)\noutput b", "t.graph"));
  const Graph parts = decompose(graph, [](const Node& node) { return node.op == Op::Softmax; });
  EXPECT_EQ(parts.nodes[0].op, Op::Gelu);
  EXPECT_EQ(parts.nodes.size(), 6u);
  EXPECT_EQ(parts.value(parts.outputs[0]).name, "b");
}

}  // namespace
}  // namespace dvmsim
