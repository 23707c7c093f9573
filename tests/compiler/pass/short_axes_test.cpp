// Reductions of short rows that broadcasting makes: taken apart where that is less work, with the
// same values.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/pass/pass.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

Graph graph_of(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "short.graph"));
}

Graph taken_apart(const Graph& graph) {
  const Machine machine = default_machine();
  return short_axes(graph, {machine, Features::only(Feature::ShortAxes)});
}

bool reduces(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return info_of(node.op).pattern == Pattern::Reduction;
  });
}

std::map<std::string, Tensor> inputs_of(const Graph& graph) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, 7 + id, 2.0});
  }
  return inputs;
}

/// Of all points of two sets, in so many dimensions.
std::string pairs(const std::string& dtype, int axes, const std::string& lines) {
  const std::string last = std::to_string(axes) + "]\n";
  return "input a: " + dtype + "[40, 1, " + last + "input b: " + dtype + "[30, " + last + lines;
}

const std::string kDistance =
    "d = sub(a, b)\ns = mul(d, d)\ny = reduce_sum(s) {axes=[2], keepdims=0}\noutput y\n";

TEST(ShortAxes, keep_the_values) {
  for (const int axes : {2, 3, 8}) {
    for (const char* dtype : {"f32", "i32"}) {
      for (const std::string op : {"reduce_sum", "reduce_prod", "reduce_max", "reduce_min"}) {
        for (const std::string keep : {"0", "1"}) {
          const Graph graph =
              graph_of(pairs(dtype, axes,
                             "d = sub(a, b)\ns = abs(d)\ny = " + op +
                                 "(s) {axes=[-1], keepdims=" + keep + "}\noutput y\n"));
          const Graph apart = taken_apart(graph);
          EXPECT_FALSE(reduces(apart)) << op;
          const auto inputs = inputs_of(graph);
          const Tensor before = evaluate(graph, inputs)[0], after = evaluate(apart, inputs)[0];
          ASSERT_EQ(after.shape(), before.shape());
          const std::vector<float> x = before.floats(), y = after.floats();
          for (std::size_t i = 0; i < x.size(); ++i) {
            ASSERT_NEAR(x[i], y[i], 1e-5 * std::abs(x[i])) << op << " " << axes << " " << dtype;
          }
        }
      }
    }
  }
}

TEST(ShortAxes, round_a_long_sum_of_halves_once) {
  const Graph apart = taken_apart(graph_of(pairs("f16", 3, kDistance)));
  const auto adds = std::count_if(apart.nodes.begin(), apart.nodes.end(), [&](const Node& node) {
    return node.op == Op::Add && apart.value(node.outputs[0]).type.dtype == DType::F32;
  });
  EXPECT_EQ(adds, 2);
}

TEST(ShortAxes, turn_each_operand_once) {
  const Graph apart = taken_apart(graph_of(pairs("f16", 3, kDistance)));
  const auto turned = std::count_if(apart.nodes.begin(), apart.nodes.end(),
                                    [](const Node& node) { return node.op == Op::Transpose; });
  EXPECT_EQ(turned, 2);
}

TEST(ShortAxes, stay_where_taking_them_apart_would_not_pay) {
  const std::string full = "input a: f16[400, 3]\nb = mul(a, a)\n";
  const std::string sum = "y = reduce_sum(b) {axes=[1]}\noutput y\n";
  EXPECT_TRUE(reduces(taken_apart(graph_of(full + sum)))) << "nothing repeats it";
  EXPECT_TRUE(reduces(taken_apart(graph_of(pairs("f16", 9, kDistance))))) << "nine elements";
  EXPECT_TRUE(reduces(taken_apart(graph_of(pairs("f16", 3, kDistance + "output s\n")))))
      << "somebody else reads it";
  EXPECT_TRUE(
      reduces(taken_apart(graph_of("input a: f16[5, 1, 3]\ninput b: f16[5, 4, 3]\n" + kDistance))))
      << "repeated four times";
  EXPECT_TRUE(reduces(taken_apart(
      graph_of("input a: f16[50, 1, 3]\ninput b: f16[3, 40]\nc = transpose(b) {perm=[1, 0]}\n"
               "d = sub(a, c)\ny = reduce_sum(d) {axes=[0]}\noutput y\n"))))
      << "another axis";
  const Machine machine = default_machine();
  EXPECT_TRUE(reduces(run_passes(graph_of(pairs("f16", 3, kDistance)), {machine})))
      << "nobody asked for it";
}

}  // namespace
}  // namespace dvmsim
