// Operators' table, graphs, text form and grammar.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string error_of(const std::string& text) {
  try {
    (void)deduce_shapes(parse_graph(text, "t.graph"));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Ops, each_has_the_name_it_is_found_by) {
  for (int i = 0; i < kOps; ++i) {
    const Op op = static_cast<Op>(i);
    EXPECT_EQ(parse_op(name_of(op)), op);
    EXPECT_LE(info_of(op).min_inputs, info_of(op).max_inputs);
  }
  EXPECT_EQ(parse_op("no_such_operator"), std::nullopt);
}

TEST(Ops, attributes_have_types_and_defaults) {
  Node node;
  node.op = Op::LayerNorm;
  EXPECT_EQ(node.int_of("axis"), -1);
  EXPECT_DOUBLE_EQ(node.float_of("epsilon"), 1e-5);
  node.set("axis", std::int64_t{2});
  EXPECT_EQ(node.int_of("axis"), 2);
  for (int i = 0; i < kOps; ++i) {
    for (const AttributeInfo& info : attributes_of(static_cast<Op>(i))) {
      EXPECT_NE(std::string("ifsdtr").find(static_cast<char>(info.type)), std::string::npos);
    }
  }
}

constexpr const char* kAllForms = R"(graph g
dim batch, seq
input x: f16[batch, seq, 2*seq + 4]
input flag: bool[]
const w: f16[4, 4] = random(7, 0.5)
const ones: f32[3] = full(1)
const few: f32[3] = [0.5, -inf, nan]
const ids: i64[2] = [-1, 9223372036854775807]
const "odd name/1": i32[] = [3]
a = exp(x) @"layer 1"
b = reshape(a) {shape=[batch, min(seq, 64), -1]}
c, d = split(ones) {axis=0, sizes=[1, 2]}
e = pad(ones, _, few) {mode=edge, pads=[floordiv(seq + 1, 2) - 1, 0]}
f = if(flag, x) then (p) {
  q = exp(p)
  output q
} else (p) {
  output p
}
g = resize(ones) {mode=linear, scales=[1.5]}
output a, b as "second one", c, d, e, f, g
)";

TEST(Text, print_is_the_inverse_of_parse) {
  const Graph graph = parse_graph(kAllForms, "t.graph");
  EXPECT_EQ(print_graph(graph), kAllForms);
  EXPECT_EQ(print_graph(parse_graph(print_graph(graph), "t.graph")), print_graph(graph));
}

TEST(Text, deduced_types_round_trip_too) {
  const Graph encoder = deduce_shapes(
      load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/encoder.graph"));
  const std::string text = print_graph(encoder);
  EXPECT_NE(text.find("l1.act: f16[1, seq, 1024] = gelu(l1.up)"), std::string::npos) << text;
  EXPECT_EQ(print_graph(parse_graph(text, "t.graph")), text);
}

TEST(Text, a_repeat_is_its_body_written_out) {
  const Graph layers = parse_graph(R"(graph g
input x: f32[4]
next = exp(x)  # only a name here
repeat layer 2 {
  input y: f32[4]
  const w: f32[4] = random(7, 0.5)
  h = add(x, y)
  repeat part 2 {
    z = mul(h, w)
    next h = z
  }
  next x = h
  output h as sum
}
e = exp(x)
output e, next
)",
                                   "t.graph");
  const Graph written = parse_graph(R"(graph g
input x: f32[4]
input layer0.y: f32[4]
const layer0.w: f32[4] = random(7, 0.5)
input layer1.y: f32[4]
const layer1.w: f32[4] = random(1007, 0.5)
next = exp(x)
layer0.h = add(x, layer0.y)
layer0.part0.z = mul(layer0.h, layer0.w)
layer0.part1.z = mul(layer0.part0.z, layer0.w)
layer1.h = add(layer0.part1.z, layer1.y)
layer1.part0.z = mul(layer1.h, layer1.w)
layer1.part1.z = mul(layer1.part0.z, layer1.w)
e = exp(layer1.part1.z)
output layer0.part1.z as layer0.sum, layer1.part1.z as layer1.sum, e, next
)",
                                    "t.graph");
  EXPECT_EQ(print_graph(layers), print_graph(written));
}

TEST(Text, a_repeat_refuses_what_it_cannot_mean) {
  EXPECT_NE(error_of("repeat a 0 { }\n").find("t.graph:1: repeat takes a count of 1 to 1000"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\nrepeat a 2 { y = exp(x)\n").find("not closed"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\nnext x = x\n").find("only inside a repeat"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\nrepeat a 2 {\ny = exp(x)\nnext y = x }\n")
                .find("t.graph:4: value 'y' is defined inside"),
            std::string::npos);
}

TEST(Text, the_shipped_workloads_have_shapes) {
  for (const char* name : {"bert_base", "encoder", "llama_7b"}) {
    const std::string path = std::string(DVMSIM_SOURCE_DIR "/configs/workloads/") + name + ".graph";
    EXPECT_NO_THROW((void)deduce_shapes(load_graph(path))) << name;
  }
}

TEST(Text, errors_name_file_and_line) {
  EXPECT_EQ(error_of("input x: f32[2]\ny = nope(x)\noutput y").substr(0, 44),
            "t.graph:2: there is no operator 'nope'");
  EXPECT_NE(error_of("input x: f32[2]\n\ny = exp(z)\noutput y").find("t.graph:3: "),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[n]\noutput x").find("add: dim n"), std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\nx = exp(x)\noutput x").find("defined twice"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\ny = exp(x) {alpha=1}\noutput y").find("no attribute"),
            std::string::npos);
  EXPECT_NE(error_of("const c: f32[2] = [1]\noutput c").find("its shape takes 2"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]").find("no output"), std::string::npos);
  EXPECT_NE(error_of("input \"x: f32[2]\n").find("does not end"), std::string::npos);
}

TEST(Verify, refuses_what_the_grammar_does_not_allow) {
  EXPECT_NE(error_of("input x: f32[2]\ny = add(x)\noutput y").find("takes 2 inputs, has 1"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\ny = concat(x, x)\noutput y").find("'axis' is missing"),
            std::string::npos);
  EXPECT_NE(error_of("input x: f32[2]\ny = add(x, _)\noutput y").find("required input is absent"),
            std::string::npos);
  Graph graph = parse_graph("input x: f32[2]\ny = exp(x)\nz = log(y)\noutput z", "t.graph");
  std::swap(graph.nodes[0], graph.nodes[1]);
  EXPECT_THROW(verify(graph, Level::Imported), Error);
}

TEST(Verify, asks_a_shaped_graph_for_every_shape) {
  const Graph graph = parse_graph("input x: f32[2]\ny = exp(x)\noutput y", "t.graph");
  EXPECT_NO_THROW(verify(graph, Level::Imported));
  EXPECT_THROW(verify(graph, Level::Shaped), Error);
  EXPECT_NO_THROW(verify(deduce_shapes(graph), Level::Shaped));
}

TEST(Graph, dead_nodes_go_and_inputs_stay) {
  const Graph graph = without_dead(
      parse_graph("input x: f32[2]\ninput y: f32[2]\na = exp(x)\nb = log(a)\noutput a", "t.graph"));
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.inputs.size(), 2u);
}

TEST(Tensor, copies_share_bytes_until_written) {
  const double numbers[] = {1, 2};
  Tensor a = Tensor::of(DType::F16, {2}, numbers);
  Tensor b = a;
  EXPECT_EQ(a.bytes().data(), b.bytes().data());
  b.mutable_bytes()[0] = std::byte{1};
  EXPECT_NE(a.bytes().data(), b.bytes().data());
  EXPECT_EQ(a.floats()[0], 1.0f);
  EXPECT_FALSE(a == b);
}

TEST(Tensor, random_fill_depends_on_seed_and_stays_in_range) {
  const Fill fill{Fill::Kind::Random, 3, 0.5};
  const Tensor a = filled(DType::F32, {100}, fill);
  EXPECT_EQ(a, filled(DType::F32, {100}, fill));
  EXPECT_FALSE(a == filled(DType::F32, {100}, {Fill::Kind::Random, 4, 0.5}));
  for (const float x : a.floats()) EXPECT_LE(std::abs(x), 0.5f);
}

}  // namespace
}  // namespace dvmsim
