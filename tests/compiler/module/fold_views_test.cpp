// Which moves become views, and at what price.
#include "compiler/module/fold_views.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

PlannedGraph planned(const std::string& lines, const Machine& machine = default_machine(),
                     Fusion fusion = Fusion::Patterns) {
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines, "test"));
  return plan_graph(run_passes(graph, {machine}), machine, fusion, {});
}

/// The kinds of the groups of these nodes: "view copy".
std::string kinds_of(const PlannedGraph& plan, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    for (const Group& group : plan.partition.groups) {
      if (plan.graph.node(group.nodes.front()).name != name) continue;
      text += (text.empty() ? "" : " ") + std::string(name_of(group.kind));
    }
  }
  return text;
}

constexpr const char* kHeads = R"(input x: f16[2, 100, 4, 64]
input y: f16[2, 100, 4, 64]
q = transpose(x) {perm=[0, 2, 1, 3]}
k = transpose(y) {perm=[0, 2, 1, 3]}
d = matmul(q, k) {trans_b=1}
p = softmax(d)
m = matmul(p, q)
t = transpose(m) {perm=[0, 2, 1, 3]}
output t
)";

TEST(FoldViews, products_read_heads_and_write_them_back_by_pitch) {
  EXPECT_EQ(kinds_of(planned(kHeads), {"q", "k", "t"}), "view view view");
}

TEST(FoldViews, kernels_of_one_operator_each_fold_nothing) {
  EXPECT_EQ(kinds_of(planned(kHeads, default_machine(), Fusion::PerOperator), {"q", "k", "t"}),
            "copy copy copy");
}

TEST(FoldViews, a_transposed_operand_is_read_by_flag) {
  EXPECT_EQ(kinds_of(planned("input x: f16[256, 512]\ninput y: f16[256, 512]\n"
                             "t = transpose(y)\nm = matmul(x, t)\noutput m\n"),
                     {"t"}),
            "view");
}

TEST(FoldViews, a_vector_kernel_reads_parts_and_writes_parts) {
  const PlannedGraph plan = planned(R"(input x: f16[500, 256]
a, b = split(x) {axis=1, sizes=[128, 128]}
c = silu(a)
d = mul(c, b)
e = exp(b)
f = concat(d, e) {axis=1}
output f
)");
  EXPECT_EQ(kinds_of(plan, {"a", "f"}), "view view");
  for (const LoweredKernel& kernel : plan.kernels) {
    for (const KernelTensor& input : kernel.kernel.inputs) {
      EXPECT_EQ(input.name, "x");
      EXPECT_EQ(input.stride, (Sizes{256, 1}));
    }
    for (const KernelTensor& output : kernel.kernel.outputs) {
      EXPECT_EQ(output.name, "f");
      EXPECT_EQ(output.stride, (Sizes{256, 1}));
    }
  }
}

TEST(FoldViews, views_of_views_lie_in_the_first_tensor) {
  const PlannedGraph plan = planned(R"(input x: f16[1, 40, 1536]
r = reshape(x) {shape=[40, 3, 8, 64]}
t = transpose(r) {perm=[1, 2, 0, 3]}
s = slice(t) {starts=[1], ends=[2], axes=[0]}
v = reshape(s) {shape=[8, 40, 64]}
w = transpose(v) {perm=[0, 2, 1]}
input y: f16[8, 40, 64]
m = matmul(y, w)
output m
)");
  EXPECT_EQ(kinds_of(plan, {"t", "s", "w"}), "view view view");
  const StridedView* view = nullptr;
  for (const Node& node : plan.graph.nodes) {
    if (node.name == "w") view = plan.views.find(node.outputs[0]);
  }
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(view->stride, (Sizes{64, 1, 1536}));
  EXPECT_EQ(view->offset, 512);
}

TEST(FoldViews, what_leaves_the_graph_has_a_tensor_of_its_own) {
  EXPECT_EQ(kinds_of(planned("input x: f16[64, 4, 64]\nt = transpose(x) {perm=[1, 0, 2]}\n"
                             "r = relu(t)\noutput t, r\n"),
                     {"t"}),
            "copy");
}

TEST(FoldViews, readers_that_cannot_step_keep_the_move) {
  // Rows of a tile would not be contiguous; a gather reads rows.
  EXPECT_EQ(
      kinds_of(planned("input x: f16[512, 512]\nt = transpose(x)\nr = relu(t)\noutput r\n"), {"t"}),
      "copy");
  EXPECT_EQ(kinds_of(planned("input x: f16[64, 4, 64]\ninput i: i64[9]\n"
                             "t = transpose(x) {perm=[1, 0, 2]}\nr = gather(t, i) {axis=1}\n"
                             "output r\n"),
                     {"t"}),
            "copy");
}

TEST(FoldViews, a_concatenation_copies_only_what_nobody_writes_there) {
  const std::string lines =
      "input x: f16[300, 128]\ninput y: f16[300, 128]\na = exp(x)\nc = concat(a, y) {axis=1}\n"
      "output c\n";
  const PlannedGraph plan = planned(lines);
  EXPECT_EQ(kinds_of(plan, {"c"}), "copy");
  const auto& nodes = plan.graph.nodes;
  const auto a =
      std::find_if(nodes.begin(), nodes.end(), [](const Node& node) { return node.name == "a"; });
  EXPECT_NE(plan.views.find(a->outputs[0]), nullptr);
}

TEST(FoldViews, more_folds_the_dearer_launches_are) {
  // Rows of 24 bytes cost the kernel more than a copy, while launches are cheap.
  const std::string lines =
      "input x: f16[20000, 8, 12]\nt = transpose(x) {perm=[1, 0, 2]}\nr = relu(t)\noutput r\n";
  Machine cheap = default_machine(), dear = default_machine();
  cheap.launch.vector = cheap.launch.entry = cheap.launch.exit = machine_types::Time(0);
  cheap.launch.per_core = machine_types::Time(0);
  dear.launch.vector = machine_types::Time(1'000'000'000);
  EXPECT_EQ(kinds_of(planned(lines, cheap), {"t"}), "copy");
  EXPECT_EQ(kinds_of(planned(lines, dear), {"t"}), "view");
}

// Where a value lies after a reshape.

TEST(View, reshapes_where_strides_can_say_it) {
  const StridedView dense{0, 5, {12, 4, 1}};  // 2 x 3 x 4
  EXPECT_EQ(reshaped(dense, {2, 3, 4}, {6, 4})->stride, (Sizes{4, 1}));
  EXPECT_EQ(reshaped(dense, {2, 3, 4}, {2, 1, 12})->stride, (Sizes{12, 0, 1}));
  EXPECT_EQ(reshaped(dense, {2, 3, 4}, {2, 3, 2, 2})->offset, 5);
  const StridedView turned{0, 0, {1, 8, 2}};  // 2 x 3 x 4
  EXPECT_EQ(reshaped(turned, {2, 3, 4}, {2, 12})->stride, (Sizes{1, 2}));
  EXPECT_EQ(reshaped(turned, {2, 3, 4}, {2, 6, 2})->stride, (Sizes{1, 4, 2}));
  EXPECT_FALSE(reshaped(turned, {2, 3, 4}, {6, 4}).has_value());
  EXPECT_FALSE(reshaped(turned, {2, 3, 4}, {3, 8}).has_value());
}

}  // namespace
}  // namespace dvmsim
