#include "compiler/graph/shape.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Graph parsed(const std::string& text) {
  return parse_graph(text, "t.graph");
}

/// The deduced shape of the first output.
std::string shape_of(const std::string& text) {
  const Graph graph = deduce_shapes(parsed(text));
  verify(graph, Level::Shaped);
  return to_text(*graph.value(graph.outputs[0]).type.shape);
}

std::string error_of(const std::string& text) {
  try {
    (void)shape_of(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Shape, broadcasts_symbols_and_numbers) {
  EXPECT_EQ(shape_of("dim n\ninput a: f32[n, 1, 4]\ninput b: f32[3, 1]\ny = add(a, b)\noutput y"),
            "[n, 3, 4]");
  EXPECT_NE(error_of("input a: f32[2]\ninput b: f32[3]\ny = add(a, b)\noutput y")
                .find("node 'y' (add): cannot broadcast [2] with [3]"),
            std::string::npos);
}

TEST(Shape, follows_matrices_and_their_batches) {
  EXPECT_EQ(shape_of("dim b, n\ninput x: f32[b, 1, n, 64]\ninput w: f32[8, 32, 64]\n"
                     "y = matmul(x, w) {trans_b=1}\noutput y"),
            "[b, 8, n, 32]");
  EXPECT_NE(error_of("input a: f32[2, 3]\ninput b: f32[4, 5]\ny = matmul(a, b)\noutput y")
                .find("inner dimensions differ"),
            std::string::npos);
}

TEST(Shape, follows_convolutions) {
  EXPECT_EQ(shape_of("dim h\ninput x: f32[1, 4, h, 9]\ninput w: f32[8, 2, 3, 3]\n"
                     "y = conv(x, w) {strides=[2, 2], pads=[1, 1, 1, 1], groups=2}\noutput y"),
            "[1, 8, floordiv(h + 1, 2), 5]");
  EXPECT_NE(error_of("input x: f32[1, 3, 9]\ninput w: f32[8, 2, 3]\ny = conv(x, w)\noutput y")
                .find("channels"),
            std::string::npos);
}

TEST(Shape, reduces_named_axes) {
  const std::string begin = "dim n\ninput x: f32[n, 3, 4]\n";
  EXPECT_EQ(shape_of(begin + "y = reduce_sum(x) {axes=[-1, 0]}\noutput y"), "[1, 3, 1]");
  EXPECT_EQ(shape_of(begin + "y = reduce_max(x) {axes=[1], keepdims=0}\noutput y"), "[n, 4]");
  EXPECT_EQ(shape_of(begin + "y = reduce_mean(x) {keepdims=0}\noutput y"), "[]");
  EXPECT_NE(error_of(begin + "y = reduce_sum(x) {axes=[3]}\noutput y").find("axis 3 is outside"),
            std::string::npos);
}

TEST(Shape, moves_symbolically) {
  const std::string begin = "dim n\ninput x: f32[n, 6, 8]\n";
  EXPECT_EQ(shape_of(begin + "y = reshape(x) {shape=[0, -1, 2]}\noutput y"), "[n, 24, 2]");
  EXPECT_EQ(shape_of(begin + "y = transpose(x) {perm=[2, 0, 1]}\noutput y"), "[8, n, 6]");
  EXPECT_EQ(shape_of(begin + "y = slice(x) {starts=[1, -3], ends=[9223372036854775807, -1], "
                             "axes=[0, 2]}\noutput y"),
            "[max(n - 1, 0), 6, 2]");
  EXPECT_EQ(shape_of(begin + "y = slice(x) {starts=[-1], ends=[-9], axes=[1], steps=[-2]}\n"
                             "output y"),
            "[n, 3, 8]");
  EXPECT_EQ(shape_of(begin + "y = concat(x, x) {axis=0}\noutput y"), "[2*n, 6, 8]");
  EXPECT_EQ(shape_of(begin + "y, z = split(x) {axis=1, sizes=[2, 4]}\noutput z"), "[n, 4, 8]");
  EXPECT_EQ(shape_of(begin + "const i: i64[2, 1] = [0, 5]\ny = gather(x, i) {axis=1}\noutput y"),
            "[n, 2, 1, 8]");
  EXPECT_EQ(shape_of(begin + "y = expand(x) {shape=[5, 1, 1, 1]}\noutput y"), "[5, n, 6, 8]");
  EXPECT_EQ(shape_of(begin + "y = pad(x) {pads=[0, 0, 1, n, 0, 2]}\noutput y"), "[2*n, 6, 11]");
}

TEST(Shape, impossible_moves_are_errors) {
  const std::string begin = "input x: f32[2, 6]\n";
  EXPECT_NE(error_of(begin + "y = reshape(x) {shape=[5, -1]}\noutput y").find("cannot reshape"),
            std::string::npos);
  EXPECT_NE(error_of(begin + "y = transpose(x) {perm=[0, 0]}\noutput y").find("permutation"),
            std::string::npos);
  EXPECT_NE(error_of(begin + "y, z = split(x) {axis=1, sizes=[2, 5]}\noutput z").find("make up"),
            std::string::npos);
  EXPECT_NE(error_of(begin + "y = pad(x) {mode=reflect, pads=[2, 0, 0, 0]}\noutput y")
                .find("more than mode"),
            std::string::npos);
  EXPECT_NE(error_of(begin + "y = slice(x) {starts=[0], ends=[1], steps=[0]}\noutput y")
                .find("a step is 0"),
            std::string::npos);
}

/// What exporters write for x.view(x.size(0), x.size(1) // 2, -1).
constexpr const char* kChain = R"(dim batch, seq
input x: f32[batch, seq, 8]
const zero: i64[] = [0]
const one: i64[1] = [1]
const two: i64[1] = [2]
const rest: i64[1] = [-1]
s = shape(x)
b = gather(s, zero) {axis=0}
b1 = reshape(b) {shape=[1]}
q = slice(s, one, two)
h = div(q, two)
t = concat(b1, h, rest) {axis=0}
y = reshape(x, t)
output y
)";

TEST(Shape, arithmetic_on_shapes_vanishes_into_dims) {
  const Graph graph = deduce_shapes(parsed(kChain));
  ASSERT_EQ(graph.nodes.size(), 1u) << print_graph(graph);
  EXPECT_EQ(to_text(*graph.nodes[0].dims_of("shape")), "[batch, floordiv(seq, 2), -1]");
  const Graph bound = specialize(graph, {{"batch", 2}, {"seq", 6}});
  EXPECT_EQ(to_text(*bound.value(bound.outputs[0]).type.shape), "[2, 3, 16]");
  EXPECT_TRUE(bound.symbols.empty());
}

TEST(Shape, a_binding_that_cannot_be_names_the_node) {
  const Graph graph =
      deduce_shapes(parsed("dim n\ninput x: f32[n, 3]\ny = reshape(x) {shape=[2, 6]}\noutput y"));
  EXPECT_NO_THROW((void)specialize(graph, {{"n", 4}}));
  try {
    (void)specialize(graph, {{"n", 5}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node 'y' (reshape)"), std::string::npos);
  }
}

TEST(Shape, a_condition_on_shapes_chooses_the_branch) {
  const Graph graph = parsed(R"(dim n
input x: f32[n, 3]
const limit: i64[] = [4]
const zero: i64[] = [0]
s = shape(x)
rows = gather(s, zero)
many = gt(rows, limit)
y = if(many, x) then (a) {
  r = reduce_sum(a) {axes=[0], keepdims=0}
  output r
} else (a) {
  e = exp(a)
  output e
}
output y
)");
  EXPECT_THROW((void)deduce_shapes(graph), Error);  // the branches differ in rank
  const auto shape_at = [&](std::int64_t n) {
    const Graph bound = specialize(graph, {{"n", n}});
    EXPECT_EQ(bound.nodes.size(), 1u);
    return to_text(*bound.value(bound.outputs[0]).type.shape);
  };
  EXPECT_EQ(shape_at(4), "[4, 3]");
  EXPECT_EQ(shape_at(5), "[3]");
}

/// How exporters turn pads listed from the last axis into pads listed from the first.
TEST(Shape, contents_pass_through_moves_of_any_rank) {
  EXPECT_EQ(shape_of("dim n\ninput x: f32[n, 3, 5]\nconst given: i64[4] = [1, 2, 3, 4]\n"
                     "const none: i64[2] = [0, 0]\nall = concat(given, none) {axis=0}\n"
                     "pairs = reshape(all) {shape=[-1, 2]}\n"
                     "back = slice(pairs) {starts=[-1], ends=[-9], axes=[0], steps=[-1]}\n"
                     "rows = transpose(back) {perm=[1, 0]}\npads = reshape(rows) {shape=[-1]}\n"
                     "y = pad(x, pads)\noutput y"),
            "[n, 10, 8]");
}

TEST(Shape, bytes_that_only_products_read_stay_bytes) {
  const std::string weights =
      "input x: f16[5, 2]\ninput z: f16[2, 3]\nconst w: i8[2, 3] = [1, -2, 3, 4, 5, 6]\n"
      "const s: f16[3] = [1, 2, 3]\nc = cast(w) {to=f16}\nb = mul(c, s)\n";
  const auto casts = [&](const std::string& rest) {
    const Graph graph = deduce_shapes(parsed(weights + rest));
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [](const Node& node) { return node.op == Op::Cast; });
  };
  EXPECT_EQ(casts("y = matmul(x, b)\noutput y"), 1);
  EXPECT_EQ(casts("t = transpose(b) {perm=[1, 0]}\ny = matmul(x, t) {trans_b=1}\noutput y"), 1);
  EXPECT_EQ(casts("y = add(z, b)\noutput y"), 0) << "no product reads it";
  EXPECT_EQ(casts("y = matmul(x, b)\nr = reduce_sum(b)\noutput y\noutput r"), 0);
}

TEST(Shape, an_input_may_be_assumed) {
  const Graph graph = parsed(R"(dim n
input x: f32[n, 3]
input rate: i64[]
const fast: i64[] = [16000]
same = eq(rate, fast)
y = if(same, x) then (a) { b = exp(a) output b } else (a) { output a }
output y
)");
  const std::int64_t rate = 16000;
  const Graph fast = deduce_shapes(
      assume_input(graph, "rate", Tensor::of_ints(DType::I64, {}, std::span(&rate, 1))));
  ASSERT_EQ(fast.nodes.size(), 1u);
  EXPECT_EQ(fast.nodes[0].op, Op::Exp);
  EXPECT_EQ(fast.inputs.size(), 2u);
  EXPECT_THROW((void)assume_input(graph, "rat", Tensor()), Error);
  EXPECT_THROW((void)assume_input(graph, "x", Tensor()), Error);
}

TEST(Shape, bindings_come_from_input_shapes) {
  const Graph graph = parsed("dim n\ninput a: f32[n, 3]\ninput b: f32[2*n]\noutput a, b");
  const std::vector<std::int64_t> good[] = {{5, 3}, {10}};
  EXPECT_EQ(bindings_from(graph, good), (Bindings{{"n", 5}}));
  const std::vector<std::int64_t> bad[] = {{5, 3}, {9}};
  EXPECT_THROW((void)bindings_from(graph, bad), Error);
}

TEST(Shape, the_encoder_deduces_to_its_input_shape) {
  const Graph graph = deduce_shapes(
      load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/encoder.graph"));
  EXPECT_EQ(to_text(*graph.value(graph.outputs[0]).type.shape), "[1, seq, 256]");
  EXPECT_EQ(graph.symbols, std::vector<std::string>{"seq"});
}

TEST(Shape, the_place_of_a_single_number_is_no_copy_of_it) {
  const Graph graph = deduce_shapes(
      parsed("dim n\ninput x: f32[n, 3]\ns = shape(x) {end=1}\na = arg_max(s)\noutput a"));
  EXPECT_FALSE(graph.value(graph.outputs[0]).type.contents.has_value());
}

}  // namespace
}  // namespace dvmsim
