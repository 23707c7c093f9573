#include "compiler/graph/eval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "compiler/graph/text.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values,
              DType dtype = DType::F32) {
  return Tensor::of_floats(dtype, std::move(shape), values);
}

/// The first output of a graph without inputs.
Tensor value_of(const std::string& text) {
  return evaluate(parse_graph(text, "t.graph"), {})[0];
}

TEST(Eval, multiplies_transposed_batches_and_adds_the_bias) {
  const Tensor y = value_of(
      "const a: f32[2, 1, 3] = [1, 2, 3, 4, 5, 6]\nconst b: f32[2, 3] = [1, 0, 1, 0, 1, 0]\n"
      "const c: f32[2] = [10, 20]\ny = matmul(a, b, c) {trans_b=1}\noutput y");
  EXPECT_EQ(y, floats({2, 1, 2}, {14, 22, 20, 25}));
}

TEST(Eval, convolves_with_pads_strides_and_groups) {
  const Tensor y = value_of(
      "const x: f32[1, 2, 4] = [1, 2, 3, 4, 10, 20, 30, 40]\n"
      "const w: f32[2, 1, 3] = [1, 1, 1, 0, 1, 0]\n"
      "y = conv(x, w) {groups=2, strides=[2], pads=[1, 0]}\noutput y");
  EXPECT_EQ(y, floats({1, 2, 2}, {3, 9, 10, 30}));
}

TEST(Eval, rounds_to_half_after_every_operator) {
  const Tensor y = value_of(
      "const a: f16[1] = [2048]\nconst b: f16[1] = [1]\nx = add(a, b)\ny = sub(x, a)\noutput y");
  EXPECT_EQ(y, floats({1}, {0}, DType::F16));  // 2049 is no half
}

TEST(Eval, integers_are_exact_and_divide_toward_zero) {
  const std::string begin = "const a: i64[3] = [-7, 7, 9007199254740993]\nconst b: i64[] = [2]\n";
  const std::vector<std::int64_t> quotients = {-3, 3, 4503599627370496};
  EXPECT_EQ(value_of(begin + "y = div(a, b)\noutput y").ints(), quotients);
  const std::vector<std::int64_t> rests = {1, 1, 1};
  EXPECT_EQ(value_of(begin + "y = mod(a, b)\noutput y").ints(), rests);
  EXPECT_THROW(
      (void)value_of("const a: i64[1] = [1]\nconst b: i64[1] = [0]\ny = div(a, b)\noutput y"),
      Error);
}

TEST(Eval, not_a_number_passes_through_minima_and_maxima) {
  const Tensor y =
      value_of("const a: f32[2] = [nan, 1]\nconst b: f32[2] = [1, nan]\ny = max(a, b)\noutput y");
  EXPECT_TRUE(std::isnan(y.floats()[0]) && std::isnan(y.floats()[1]));
}

TEST(Eval, rounds_halves_to_even) {
  EXPECT_EQ(value_of("const a: f32[4] = [0.5, 1.5, -2.5, inf]\ny = round(a)\noutput y"),
            floats({4}, {0, 2, -2, INFINITY}));
}

TEST(Eval, slices_backwards_and_pads_by_reflection) {
  const std::string begin = "const x: f32[4] = [1, 2, 3, 4]\n";
  EXPECT_EQ(value_of(begin + "y = slice(x) {starts=[-1], ends=[-9], steps=[-3]}\noutput y"),
            floats({2}, {4, 1}));
  EXPECT_EQ(value_of(begin + "y = pad(x) {mode=reflect, pads=[2, 1]}\noutput y"),
            floats({7}, {3, 2, 1, 2, 3, 4, 3}));
}

TEST(Eval, takes_the_branch_the_condition_says) {
  const Graph graph = parse_graph(
      "dim n\ninput c: bool[]\ninput x: f32[n]\ny = if(c, x) then (a) { b = neg(a) output b } "
      "else (a) { output a }\noutput y",
      "t.graph");
  const Tensor x = floats({2}, {1, 2});
  const std::int64_t yes[] = {1};
  const std::int64_t no[] = {0};
  EXPECT_EQ(evaluate(graph, {{"c", Tensor::of_ints(DType::Bool, {}, yes)}, {"x", x}})[0],
            floats({2}, {-1, -2}));
  EXPECT_EQ(evaluate(graph, {{"c", Tensor::of_ints(DType::Bool, {}, no)}, {"x", x}})[0], x);
}

TEST(Eval, missing_and_unfit_inputs_are_errors) {
  const Graph graph = parse_graph("input x: f32[2]\ny = exp(x)\noutput y", "t.graph");
  EXPECT_THROW((void)evaluate(graph, {}), Error);
  EXPECT_THROW((void)evaluate(graph, {{"x", floats({3}, {1, 2, 3})}}), Error);
  EXPECT_THROW((void)evaluate(graph, {{"x", floats({2}, {1, 2}, DType::F16)}}), Error);
}

TEST(Eval, the_encoder_gives_finite_values_at_any_length) {
  const Graph graph =
      load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/encoder.graph");
  for (const std::int64_t seq : {1, 5}) {
    const Tensor x = filled(DType::F16, {1, seq, 256}, {Fill::Kind::Random, 1, 1.0});
    const Tensor y = evaluate(graph, {{"x", x}})[0];
    float square = 0;
    for (const float value : y.floats()) square += value * value;
    EXPECT_NEAR(square / static_cast<float>(y.count()), 1.0f, 0.1f);  // layer_norm comes last
  }
}

}  // namespace
}  // namespace dvmsim
