// Graphs as loops for other compilers: which loop does what, and what is no such loop.
#include "cli/peers/loop_kernel.h"

#include <gtest/gtest.h>

#include "cli/peers/c_source.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"

namespace dvmsim {
namespace {

std::optional<LoopKernel> kernel_of(const std::string& lines) {
  return loop_kernel(infer_shapes(parse_graph("graph g\n" + lines, "test")));
}

TEST(LoopKernel, of_elementwise_operators_is_one_loop) {
  const auto kernel = kernel_of(
      "input x: f32[8, 5, 16]\ninput y: f32[8, 5, 16]\na = add(x, y)\nb = exp(a)\noutput b\n");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->rows, 40);
  EXPECT_EQ(kernel->columns, 16);
  EXPECT_EQ(kernel->arrays.size(), 3u);
  ASSERT_EQ(kernel->nests.size(), 1u);
  EXPECT_EQ(kernel->nests[0].steps.size(), 2u);
  EXPECT_EQ(kernel->nests[0].stores.size(), 1u);
}

TEST(LoopKernel, has_a_loop_for_each_reduction_and_computes_again_what_a_later_one_needs) {
  const auto kernel = kernel_of(
      "input x: f32[9, 16]\nm = reduce_max(x) {axes=[1]}\ns = sub(x, m)\ne = exp(s)\n"
      "t = reduce_sum(e) {axes=[1]}\nr = reciprocal(t)\ny = mul(e, r)\noutput y\n");
  ASSERT_TRUE(kernel);
  ASSERT_EQ(kernel->nests.size(), 3u);
  EXPECT_EQ(kernel->nests[0].reductions.size(), 1u);
  EXPECT_TRUE(kernel->nests[0].steps.empty());
  EXPECT_EQ(kernel->nests[1].steps.size(), 2u);  // sub, exp
  EXPECT_EQ(kernel->nests[2].row_steps.size(), 1u);
  EXPECT_EQ(kernel->nests[2].steps.size(), 3u);  // sub, exp, mul
  EXPECT_TRUE(kernel->nests[2].reductions.empty());
}

TEST(LoopKernel, stores_what_it_reduced_once_a_row) {
  const auto kernel = kernel_of(
      "input x: f32[9, 16]\nt = reduce_sum(x) {axes=[1], keepdims=0}\ny = neg(t)\noutput y\n");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->nests.size(), 1u);
  EXPECT_EQ(kernel->last_steps.size(), 1u);
  ASSERT_EQ(kernel->row_stores.size(), 1u);
  EXPECT_EQ(kernel->arrays[kernel->row_stores[0].array].reach, LoopKernel::Reach::Row);
}

TEST(LoopKernel, is_none_of_other_graphs) {
  EXPECT_FALSE(kernel_of("input x: f16[8, 16]\ny = exp(x)\noutput y\n"));
  EXPECT_FALSE(kernel_of("input x: f32[8, 16]\ny = reduce_sum(x) {axes=[0]}\noutput y\n"));
  EXPECT_FALSE(kernel_of("input x: f32[8, 16]\ny = transpose(x) {perm=[1, 0]}\noutput y\n"));
  EXPECT_FALSE(kernel_of("input x: f32[8, 16]\ninput w: f32[16, 8]\ny = matmul(x, w)\noutput y\n"));
  EXPECT_FALSE(kernel_of("input x: f32[1, 16]\ny = exp(x)\noutput y\n"));
}

TEST(LoopKernel, reads_as_c) {
  const auto kernel = kernel_of(
      "input x: f32[9, 16]\ninput g: f32[16]\nt = reduce_sum(x) {axes=[1]}\nd = sub(x, t)\n"
      "y = mul(d, g)\noutput y\n");
  ASSERT_TRUE(kernel);
  const std::string source = c_source(*kernel);
  EXPECT_NE(source.find("  for (long i = 0; i < rows; ++i) {\n"
                        "    float v2 = 0.0f;\n"
                        "    for (long j = 0; j < columns; ++j) {\n"
                        "      const float v0 = p0[i * columns + j];\n"
                        "      v2 = v2 + v0;\n"
                        "    }\n"
                        "    for (long j = 0; j < columns; ++j) {\n"
                        "      const float v0 = p0[i * columns + j];\n"
                        "      const float v1 = p1[j];\n"
                        "      const float v3 = v0 - v2;\n"
                        "      const float v4 = v3 * v1;\n"
                        "      p2[i * columns + j] = v4;\n"),
            std::string::npos)
      << source;
}

}  // namespace
}  // namespace dvmsim
