// Attention as models write it becomes one node with the same values; what does not, says why.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

Features with_attention() {
  Features features;
  features.set(Feature::Attention, true);
  return features;
}

struct Passed {
  Graph before{}, after{};
  std::string remarks{};
  [[nodiscard]] const Node* attention() const {
    for (const Node& node : after.nodes) {
      if (node.op == Op::Attention) return &node;
    }
    return nullptr;
  }
};

Passed pass(const std::string& lines, const Machine& machine = default_machine()) {
  Passed passed;
  passed.before = deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
  passed.after = run_passes(passed.before, {machine, with_attention(), nullptr, &passed.remarks});
  return passed;
}

/// One attention node, and the values of the graph before.
Passed fused(const std::string& lines) {
  Passed passed = pass(lines);
  EXPECT_NE(passed.attention(), nullptr) << passed.remarks;
  EXPECT_EQ(passed.remarks, "");
  std::map<std::string, Tensor> inputs;
  for (ValueId id : passed.before.inputs) {
    const Value& value = passed.before.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, id + 1, 1.5});
  }
  const std::vector<Tensor> wanted = evaluate(passed.before, inputs),
                            got = evaluate(passed.after, inputs);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(got[i].shape(), wanted[i].shape());
    const auto a = got[i].floats(), b = wanted[i].floats();
    for (std::size_t at = 0; at < a.size(); ++at) EXPECT_NEAR(a[at], b[at], 1e-2) << at;
  }
  return passed;
}

const std::string kHeads =
    "input q: f16[2, 4, 10, 32]\ninput k: f16[2, 4, 20, 32]\ninput v: f16[2, 4, 20, 16]\n"
    "const scale: f16[1] = full(0.25)\nconst low: f16[1] = full(-60000)\n";
const std::string kEnd = "p = softmax(s) {axis=-1}\ny = matmul(p, v)\noutput y\n";

TEST(AttentionPass, plain_and_scaled) {
  EXPECT_EQ(fused(kHeads + "s = matmul(q, k) {trans_b=1}\n" + kEnd).attention()->float_of("scale"),
            1);
  EXPECT_EQ(fused(kHeads + "d = matmul(q, k) {trans_b=1}\ns = mul(scale, d)\n" + kEnd)
                .attention()
                ->float_of("scale"),
            0.25);
  EXPECT_EQ(fused(kHeads + "d = matmul(q, k) {trans_b=1}\ns = div(d, scale)\n" + kEnd)
                .attention()
                ->float_of("scale"),
            4);
}

TEST(AttentionPass, softmax_in_another_type) {
  fused(kHeads + "d = matmul(q, k) {trans_b=1}\ns = cast(d) {to=f32}\nw = softmax(s) {axis=3}\n" +
        "p = cast(w) {to=f16}\ny = matmul(p, v)\noutput y\n");
}

TEST(AttentionPass, transposes_around_it_are_read_through) {
  const Passed passed = fused(
      "input q: f16[2, 10, 4, 32]\ninput k: f16[2, 20, 4, 32]\ninput v: f16[2, 20, 4, 16]\n"
      "a = transpose(q) {perm=[0, 2, 1, 3]}\nb = transpose(k) {perm=[0, 2, 3, 1]}\n"
      "c = transpose(v) {perm=[0, 2, 1, 3]}\ns = matmul(a, b)\np = softmax(s) {axis=-1}\n"
      "m = matmul(p, c)\ny = transpose(m) {perm=[0, 2, 1, 3]}\noutput y\n");
  EXPECT_EQ(passed.after.nodes.size(), 1u);
}

TEST(AttentionPass, heads_that_share_keys) {
  const std::string q = "input q: f16[2, 6, 10, 32]\n",
                    kv = "input k: f16[2, 2, 20, 32]\ninput v: f16[2, 2, 20, 16]\n";
  const auto repeated = [](const std::string& of, const char* size) {
    return of + "5 = reshape(" + of + ") {shape=[2, 2, 1, 20, " + size + "]}\n" + of +
           "e = expand(" + of + "5) {shape=[2, 2, 3, 20, " + size + "]}\n" + of + "r = reshape(" +
           of + "e) {shape=[2, 6, 20, " + size + "]}\n";
  };
  const Passed by_expansion = fused(
      q + kv + repeated("k", "32") + repeated("v", "16") +
      "s = matmul(q, kr) {trans_b=1}\np = softmax(s) {axis=-1}\ny = matmul(p, vr)\noutput y\n");
  EXPECT_EQ(by_expansion.after.nodes.size(), 1u);
  fused(
      "input q: f16[2, 2, 3, 10, 32]\ninput k: f16[2, 2, 1, 20, 32]\n"
      "input v: f16[2, 2, 1, 20, 16]\ns = matmul(q, k) {trans_b=1}\n" +
      kEnd);
  fused(
      "input q: f16[6, 10, 32]\ninput k: f16[6, 20, 32]\ninput v: f16[6, 20, 16]\n"
      "s = matmul(q, k) {trans_b=1}\n" +
      kEnd);
}

TEST(AttentionPass, masks) {
  const std::string scores = "d = matmul(q, k) {trans_b=1}\ne = mul(d, scale)\n";
  for (const char* shape : {"[2, 1, 1, 20]", "[10, 20]", "[2, 4, 10, 20]", "[20]"}) {
    const Passed passed =
        fused(kHeads + "input mask: f16" + shape + "\n" + scores + "s = add(mask, e)\n" + kEnd);
    EXPECT_EQ(passed.attention()->inputs.size(), 4u);
  }
}

TEST(AttentionPass, causal_masks_by_comparison) {
  const std::string scores = "d = matmul(q, k) {trans_b=1}\n",
                    positions =
                        "const n: i64[1] = [0]\nconst m: i64[1] = [8]\nconst e: i64[1] = [18]\n"
                        "const t: i64[1] = [20]\nconst u: i64[1] = [1]\nkey = range(n, t, u)\n"
                        "at = range(m, e, u)\nrow = reshape(at) {shape=[10, 1]}\n"
                        "const none: f16[1] = full(0)\n";
  const std::pair<const char*, std::int64_t> kCases[] = {
      {"c = ge(row, key)\ns = select(c, d, low)\n", 8},
      {"c = gt(row, key)\ns = select(c, d, low)\n", 7},
      {"c = lt(row, key)\ns = select(c, low, d)\n", 8},
      {"c = le(key, row)\nb = select(c, none, low)\ns = add(d, b)\n", 8},
      {"c = gt(key, row)\nx = not(c)\ns = select(x, d, low)\n", 8}};
  for (const auto& [mask, reach] : kCases) {
    SCOPED_TRACE(mask);
    const Passed passed = fused(kHeads + positions + scores + mask + kEnd);
    ASSERT_NE(passed.attention(), nullptr);
    EXPECT_EQ(passed.attention()->int_of("reach"), reach);
    EXPECT_EQ(passed.attention()->inputs.size(), 3u);
  }
}

void expect_refused(const std::string& lines, const std::string& why,
                    const Machine& machine = default_machine()) {
  const Passed passed = pass(lines, machine);
  EXPECT_EQ(passed.attention(), nullptr);
  EXPECT_NE(passed.remarks.find(why), std::string::npos) << passed.remarks;
}

TEST(AttentionPass, what_does_not_match_stays_and_says_why) {
  const std::string scores = "s = matmul(q, k) {trans_b=1}\n";
  expect_refused(kHeads + scores + "output s\n" + kEnd, "something else reads its scores");
  expect_refused(kHeads + "d = matmul(q, k) {trans_b=1}\ns = tanh(d)\n" + kEnd,
                 "something other than a scale and a mask");
  expect_refused(
      kHeads + "input f: f16[10, 20]\nd = matmul(q, k) {trans_b=1}\ns = mul(d, f)\n" + kEnd,
      "scaled by more than a number");
  expect_refused(kHeads + "input c: bool[10, 20]\nd = matmul(q, k) {trans_b=1}\n" +
                     "s = select(c, d, low)\n" + kEnd,
                 "not as a causal mask does");
  expect_refused(
      "input q: f32[4, 10, 32]\ninput k: f32[4, 20, 32]\ninput v: f32[4, 20, 16]\n" + scores + kEnd,
      "computed in f32");
  expect_refused(
      "input q: f16[4, 10, 24]\ninput k: f16[4, 20, 24]\ninput v: f16[4, 20, 16]\n" + scores + kEnd,
      "no multiple of 16");
  const Machine unified =
      load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/ascend910a.yaml");
  expect_refused(kHeads + scores + kEnd, "no vector cores apart", unified);
}

TEST(AttentionPass, does_nothing_without_its_feature) {
  const Graph graph = deduce_shapes(
      parse_graph("graph g\n" + kHeads + "s = matmul(q, k) {trans_b=1}\n" + kEnd, "test.graph"));
  const Machine machine = default_machine();
  for (const Node& node : run_passes(graph, {machine}).nodes) EXPECT_NE(node.op, Op::Attention);
}

TEST(AttentionPass, equal_layers_share_one_program) {
  std::string lines = "input x: f16[1, 2, 40, 32]\n";
  std::string last = "x";
  for (const char* layer : {"a", "b", "c"}) {
    const std::string name = layer;
    lines += name + "s = matmul(" + last + ", " + last + ") {trans_b=1}\n" + name + "p = softmax(" +
             name + "s) {axis=-1}\n" + name + " = matmul(" + name + "p, " + last + ")\n";
    last = name;
  }
  CompileOptions options;
  options.features = with_attention();
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines + "output c\n", "test.graph"));
  const Module module = compile(graph, default_machine(), options);
  EXPECT_EQ(module.steps.size(), 3u);
  EXPECT_EQ(module.programs.size(), 1u);
}

}  // namespace
}  // namespace dvmsim
