// Where a kernel of F16 values computes in F32, and where it does not.
#include "compiler/schedule/lower.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"

namespace dvmsim {
namespace {

VectorKernel lowered(const std::string& lines) {
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
  std::vector<NodeId> nodes;
  for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes.size()); ++id) nodes.push_back(id);
  std::string why;
  auto made = lower(graph, nodes, graph.outputs, &why);
  EXPECT_TRUE(made.has_value()) << why;
  return made ? std::move(made->kernel) : VectorKernel{};
}

/// Steps of this operation on this type.
std::ptrdiff_t count(const VectorKernel& kernel, isa::Op op, DType type) {
  return std::count_if(kernel.steps.begin(), kernel.steps.end(),
                       [&](const KernelStep& step) { return step.op == op && step.dtype == type; });
}

TEST(Lower, sums_before_a_reduction_stay_f16) {
  const VectorKernel kernel = lowered(R"(input x: f16[8, 64]
input r: f16[8, 64]
s = add(x, r)
w = cast(s) {to=f32}
q = mul(w, w)
n = reduce_sum(q) {axes=[-1]}
output s
output n
)");
  EXPECT_EQ(count(kernel, isa::Op::vadd, DType::F16), 1);
  EXPECT_EQ(count(kernel, isa::Op::vadd, DType::F32), 0);
  EXPECT_EQ(count(kernel, isa::Op::vcvt, DType::F16), 1);  // of the sum, not of x and of r
  EXPECT_EQ(count(kernel, isa::Op::vcvt, DType::F32), 0);  // the sum is stored as it is
  EXPECT_EQ(count(kernel, isa::Op::vmul, DType::F32), 1);
}

TEST(Lower, what_a_reduction_made_or_a_product_of_tensors_is_f32) {
  const VectorKernel kernel = lowered(R"(input x: f16[8, 64]
input y: f16[8, 64]
m = reduce_max(x) {axes=[-1], keepdims=1}
d = sub(x, m)
p = mul(x, y)
s = add(p, d)
n = reduce_sum(s) {axes=[-1]}
output n
)");
  for (const isa::Op op : {isa::Op::vsub, isa::Op::vmul, isa::Op::vadd}) {
    EXPECT_EQ(count(kernel, op, DType::F16), 0);
    EXPECT_EQ(count(kernel, op, DType::F32), 1);
  }
}

TEST(Lower, a_number_scales_in_f16) {
  const VectorKernel kernel = lowered(R"(input x: f16[8, 64]
const c: f16[1] = full(0.125)
s = mul(x, c)
n = reduce_sum(s) {axes=[-1]}
output n
)");
  EXPECT_EQ(count(kernel, isa::Op::vmuls, DType::F16), 1);
  EXPECT_EQ(count(kernel, isa::Op::vmuls, DType::F32), 0);
}

}  // namespace
}  // namespace dvmsim
