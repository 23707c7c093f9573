// Operators that models write out are named as one where that is what they compute, with the same
// values; chains that only look alike stay as they are.
#include "compiler/pass/reroll.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/pass/partition.h"
#include "compiler/pass/pipeline.h"

namespace dvmsim {
namespace {

struct Seen {
  std::vector<Rerolled> rerolled{};
  std::size_t launches = 0;
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> kinds;
    for (const Rerolled& each : rerolled) kinds.emplace_back(each.kind);
    return kinds;
  }
};

/// What is re-rolled in a graph, whose values stay the same to the bit.
Seen seen(const std::string& lines) {
  const Machine machine = default_machine();
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
  Seen result;
  PassContext context{machine};
  context.rerolled = &result.rerolled;
  const Graph passed = run_passes(graph, context), plain = run_passes(graph, {machine});
  result.launches = partition(passed, machine, Fusion::PerOperator).groups.size();
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, id + 1, 1.5});
  }
  EXPECT_EQ(evaluate(passed, inputs), evaluate(plain, inputs));
  return result;
}

void expect_one(const std::string& kind, int written, const std::string& lines) {
  const Seen found = seen(lines);
  ASSERT_EQ(found.kinds(), std::vector<std::string>{kind}) << lines;
  EXPECT_EQ(found.rerolled[0].written, written) << lines;
  EXPECT_EQ(found.launches, 1u) << lines;
}

void expect_none(const std::string& lines) {
  EXPECT_EQ(seen(lines).kinds(), std::vector<std::string>{}) << lines;
}

const std::string kIn = "input x: f16[6, 40]\n";

const std::string kSoftmax =
    "m = reduce_max(x) {axes=[-1], keepdims=1}\nd = sub(x, m)\ne = exp(d)\n"
    "s = reduce_sum(e) {axes=[1], keepdims=1}\n";

TEST(Reroll, softmax) {
  expect_one("softmax", 5, kIn + kSoftmax + "y = div(e, s)\noutput y\n");
  expect_one("softmax", 6, kIn + kSoftmax + "i = reciprocal(s)\ny = mul(i, e)\noutput y\n");
  expect_one("softmax", 3,
             kIn +
                 "e = exp(x)\ns = reduce_sum(e) {axes=[0], keepdims=1}\ny = div(e, s)\n"
                 "output y\n");
}

TEST(Reroll, softmax_with_the_casts_around_it) {
  expect_one("softmax", 5,
             kIn +
                 "w = cast(x) {to=f32}\ne = exp(w)\n"
                 "s = reduce_sum(e) {axes=[1], keepdims=1}\nz = div(e, s)\n"
                 "y = cast(z) {to=f16}\noutput y\n");
  // The wide value is read by others, too: its cast is no part.
  const Seen wide = seen(kIn +
                         "w = cast(x) {to=f32}\ne = exp(w)\n"
                         "s = reduce_sum(e) {axes=[1], keepdims=1}\nz = div(e, s)\n"
                         "y = cast(z) {to=f16}\noutput y\noutput w\n");
  ASSERT_EQ(wide.rerolled.size(), 1u);
  EXPECT_EQ(wide.rerolled[0].written, 4);
  EXPECT_EQ(wide.launches, 2u);
}

TEST(Reroll, no_softmax_along_another_axis_or_of_something_else) {
  const std::string shifted = "m = reduce_max(x) {axes=[0], keepdims=1}\nd = sub(x, m)\n";
  const std::string rest = "e = exp(d)\ns = reduce_sum(e) {axes=[1], keepdims=1}\n";
  // What is taken off varies along the axis: only the rest of it is a softmax.
  const Seen other = seen(kIn + shifted + rest + "y = div(e, s)\noutput y\n");
  ASSERT_EQ(other.rerolled.size(), 1u);
  EXPECT_EQ(other.rerolled[0].written, 3);
  EXPECT_EQ(other.launches, 3u);
  expect_none(kIn + kSoftmax + "y = div(d, s)\noutput y\n");
  expect_none(kIn + kSoftmax + "y = div(s, e)\noutput y\n");
  expect_none(kIn +
              "e = exp(x)\ns = reduce_sum(e) {axes=[0, 1], keepdims=1}\ny = div(e, s)\n"
              "output y\n");
  expect_none(kIn +
              "e = exp(x)\ns = reduce_max(e) {axes=[1], keepdims=1}\ny = div(e, s)\n"
              "output y\n");
}

TEST(Reroll, nothing_of_which_others_read_the_inside) {
  expect_none(kIn + kSoftmax + "y = div(e, s)\noutput y\noutput e\n");
  expect_none(kIn + kSoftmax + "y = div(e, s)\nz = relu(s)\noutput y\noutput z\n");
  expect_none(kIn +
              "input p: f16[6, 40]\na = sigmoid(x)\ny = mul(x, a)\nz = add(a, p)\noutput y\n"
              "output z\n");
}

TEST(Reroll, log_softmax) {
  const std::string log = kSoftmax + "l = log(s)\n";
  expect_one("log_softmax", 6, kIn + log + "y = sub(d, l)\noutput y\n");
  expect_none(kIn + log + "y = sub(l, d)\noutput y\n");
  expect_none(kIn + log + "y = sub(x, l)\noutput y\n");  // the maximum is missing
}

const std::string kCentred = "m = reduce_mean(x) {axes=[-1], keepdims=1}\nd = sub(x, m)\n";
const std::string kDeviation =
    "const eps: f16[] = [0.001]\nconst two: f16[] = [2]\nq = pow(d, two)\n"
    "v = reduce_mean(q) {axes=[-1], keepdims=1}\nw = add(v, eps)\nr = sqrt(w)\n";
const std::string kAffine = "input g: f16[40]\ninput b: f16[40]\n";

TEST(Reroll, layer_norm) {
  expect_one("layer_norm", 7, kIn + kCentred + kDeviation + "y = div(d, r)\noutput y\n");
  expect_one("layer_norm", 9,
             kIn + kAffine + kCentred + kDeviation +
                 "n = div(d, r)\nh = mul(g, n)\ny = add(h, b)\noutput y\n");
  expect_one("layer_norm", 8,
             kIn + kAffine + kCentred + kDeviation + "n = div(d, r)\ny = mul(n, g)\noutput y\n");
}

TEST(Reroll, layer_norm_by_the_square_of_the_mean) {
  expect_one("layer_norm", 9,
             kIn +
                 "const eps: f16[] = [0.001]\nm = reduce_mean(x) {axes=[1], keepdims=1}\n"
                 "p = mul(m, m)\nq = mul(x, x)\nu = reduce_mean(q) {axes=[1], keepdims=1}\n"
                 "v = sub(u, p)\nw = add(v, eps)\nr = sqrt(w)\nd = sub(x, m)\n"
                 "y = div(d, r)\noutput y\n");
}

TEST(Reroll, layer_norm_with_its_scale_folded_in) {
  expect_one("layer_norm", 11,
             kIn + kAffine +
                 "const eps: f16[] = [0.001]\nm = reduce_mean(x) {axes=[1], keepdims=1}\n"
                 "d = sub(x, m)\nq = mul(d, d)\nv = reduce_mean(q) {axes=[1], keepdims=1}\n"
                 "w = add(v, eps)\nr = rsqrt(w)\ns = mul(r, g)\nxs = mul(x, s)\nms = mul(m, s)\n"
                 "t = sub(b, ms)\ny = add(xs, t)\noutput y\n");
}

TEST(Reroll, no_layer_norm_of_other_axes_scales_or_values) {
  const std::string norm = kCentred + kDeviation;
  // A scale along the rows is not the norm's.
  const Seen rows = seen(kIn + "input g: f16[6, 1]\n" + norm +
                         "n = div(d, r)\ny = mul(n, g)\n"
                         "output y\n");
  ASSERT_EQ(rows.rerolled.size(), 1u);
  EXPECT_EQ(rows.rerolled[0].written, 7);
  EXPECT_EQ(rows.launches, 2u);
  expect_none(kIn + norm + "y = div(x, r)\noutput y\n");
  expect_none(kIn + "input z: f16[6, 40]\n" + norm + "o = sub(z, m)\ny = div(o, r)\noutput y\n");
  expect_none(kIn +
              "const eps: f16[] = [0.001]\nm = reduce_mean(x) {axes=[0], keepdims=1}\n"
              "d = sub(x, m)\nq = mul(d, d)\nv = reduce_mean(q) {axes=[0], keepdims=1}\n"
              "w = add(v, eps)\nr = sqrt(w)\ny = div(d, r)\noutput y\n");
  // Divided by 39: not the mean.
  expect_none(kIn + kCentred +
              "const n: f16[] = [39]\nconst eps: f16[] = [0.001]\nq = mul(d, d)\n"
              "s = reduce_sum(q) {axes=[1], keepdims=1}\nv = div(s, n)\nw = add(v, eps)\n"
              "r = sqrt(w)\ny = div(d, r)\noutput y\n");
}

TEST(Reroll, rms_norm) {
  const std::string moment =
      "const eps: f16[] = [0.001]\nq = mul(x, x)\nv = reduce_mean(q) {axes=[1], keepdims=1}\n"
      "w = add(v, eps)\n";
  expect_one("rms_norm", 5, kIn + moment + "r = rsqrt(w)\ny = mul(x, r)\noutput y\n");
  expect_one("rms_norm", 6,
             kIn + moment +
                 "r = sqrt(w)\ni = reciprocal(r)\ny = mul(i, x)\n"
                 "output y\n");
  expect_one("rms_norm", 6,
             kIn + kAffine + moment + "r = rsqrt(w)\nn = mul(x, r)\ny = mul(g, n)\noutput y\n");
  expect_none(kIn + "input z: f16[6, 40]\n" + moment + "r = rsqrt(w)\ny = mul(z, r)\noutput y\n");
}

TEST(Reroll, rms_norm_in_single_precision_as_llama_writes_it) {
  expect_one("rms_norm", 8,
             kIn +
                 "input g: f16[40]\nconst eps: f32[] = [0.001]\nconst two: f32[] = [2]\n"
                 "h = cast(x) {to=f32}\nq = pow(h, two)\n"
                 "v = reduce_mean(q) {axes=[1], keepdims=1}\nw = add(v, eps)\nr = rsqrt(w)\n"
                 "n = mul(h, r)\nc = cast(n) {to=f16}\ny = mul(g, c)\noutput y\n");
}

TEST(Reroll, gelu) {
  const std::string half = "const half: f16[] = [0.5]\nconst one: f16[] = [1]\n";
  const std::string erf =
      half + "const root: f16[] = [1.41421]\nz = div(x, root)\nt = erf(z)\nu = add(t, one)\n";
  expect_one("gelu", 5, kIn + erf + "a = mul(x, u)\ny = mul(a, half)\noutput y\n");
  expect_one("gelu", 5, kIn + erf + "a = mul(x, half)\ny = mul(a, u)\noutput y\n");
  expect_one("gelu", 5, kIn + erf + "a = mul(half, u)\ny = mul(a, x)\noutput y\n");
  const std::string cube =
      half + "const k: f16[] = [0.797885]\nconst c: f16[] = [0.044715]\nconst three: f16[] = [3]\n";
  expect_one("gelu", 8,
             kIn + cube +
                 "p = pow(x, three)\nq = mul(p, c)\nr = add(x, q)\nz = mul(r, k)\nt = tanh(z)\n"
                 "u = add(one, t)\na = mul(half, x)\ny = mul(a, u)\noutput y\n");
  expect_one("gelu", 9,
             kIn + cube +
                 "p = mul(x, x)\nq = mul(p, c)\nr = add(q, one)\ns = mul(x, k)\nz = mul(s, r)\n"
                 "t = tanh(z)\nu = add(one, t)\na = mul(half, x)\ny = mul(a, u)\noutput y\n");
}

TEST(Reroll, no_gelu_with_other_numbers) {
  const std::string consts =
      "const half: f16[] = [0.5]\nconst one: f16[] = [1]\nconst root: f16[] = [1.5]\n"
      "const right: f16[] = [1.41421]\nconst two: f16[] = [2]\n";
  const std::string tail =
      "t = erf(z)\nu = add(t, one)\na = mul(x, u)\ny = mul(a, half)\noutput y\n";
  expect_none(kIn + consts + "z = div(x, root)\n" + tail);
  expect_none(kIn + consts +
              "z = div(x, right)\nt = erf(z)\nu = add(t, two)\na = mul(x, u)\n"
              "y = mul(a, half)\noutput y\n");
  expect_none(kIn + consts + "input w: f16[6, 40]\nz = div(w, right)\n" + tail);
}

TEST(Reroll, silu_and_hard_swish) {
  expect_one("silu", 2, kIn + "a = sigmoid(x)\ny = mul(a, x)\noutput y\n");
  expect_one("silu", 4,
             kIn +
                 "const one: f16[] = [1]\nn = neg(x)\ne = exp(n)\nd = add(e, one)\n"
                 "y = div(x, d)\noutput y\n");
  const std::string six =
      "const three: f16[] = [3]\nconst six: f16[] = [6]\nconst zero: f16[] = [0]\n";
  expect_one("hard_swish", 5,
             kIn + six +
                 "a = add(x, three)\nl = max(a, zero)\nc = min(l, six)\np = mul(x, c)\n"
                 "y = div(p, six)\noutput y\n");
  expect_one("hard_swish", 2,
             kIn + "h = hard_sigmoid(x) {alpha=0.16666667, beta=0.5}\ny = mul(x, h)\noutput y\n");
  expect_none(kIn +
              "const k: f16[] = [1.702]\nb = mul(x, k)\na = sigmoid(b)\ny = mul(a, x)\n"
              "output y\n");
  expect_none(kIn + "h = hard_sigmoid(x) {alpha=0.2, beta=0.5}\ny = mul(x, h)\noutput y\n");
  expect_none(kIn + six +
              "a = add(x, three)\nc = min(a, six)\np = mul(x, c)\ny = div(p, six)\n"
              "output y\n");
}

const std::string kGates =
    "input i0: f16[6, 40]\ninput f0: f16[6, 40]\ninput o0: f16[6, 40]\ninput g0: f16[6, 40]\n"
    "input c0: f16[6, 40]\n";
const std::string kState =
    "i = sigmoid(i0)\nf = sigmoid(f0)\no = sigmoid(o0)\ng = tanh(g0)\nkept = mul(f, c0)\n"
    "gain = mul(i, g)\nc = add(kept, gain)\nt = tanh(c)\n";

TEST(Reroll, the_cell_of_an_lstm_whose_state_is_read) {
  expect_one("lstm_cell", 9, kGates + kState + "h = mul(o, t)\noutput h\noutput c\n");
  expect_none(kGates + kState + "h = mul(o, t)\noutput h\noutput f\n");
  expect_none(kGates + kState + "h = mul(f, t)\noutput h\noutput o\n");
}

TEST(Reroll, the_cell_of_a_gru) {
  const std::string in =
      "input z0: f16[6, 40]\ninput r0: f16[6, 40]\ninput a: f16[6, 40]\ninput b: f16[6, 40]\n"
      "input h0: f16[6, 40]\nconst one: f16[] = [1]\n";
  const std::string gates =
      "z = sigmoid(z0)\nr = sigmoid(r0)\nrb = mul(r, b)\nn0 = add(a, rb)\nn = tanh(n0)\n";
  expect_one(
      "gru_cell", 9,
      in + gates + "k = sub(one, z)\np = mul(k, n)\nq = mul(z, h0)\nh = add(p, q)\noutput h\n");
  expect_one("gru_cell", 8,
             in + gates + "w = sub(h0, n)\np = mul(z, w)\nh = add(n, p)\noutput h\n");
  expect_none(in + gates +
              "k = sub(one, z)\np = mul(k, h0)\nq = mul(r, n)\nh = add(p, q)\n"
              "output h\n");
}

TEST(Reroll, an_operator_of_several_nodes_is_taken_whole_or_not) {
  // sum and relu came from one operator, of which the softmax would take a part.
  expect_none(kIn +
              "e = exp(x)\ns = reduce_sum(e) {axes=[1], keepdims=1} @ both\n"
              "q = relu(x) @ both\ny = div(e, s)\noutput y\noutput q\n");
}

TEST(Reroll, nodes_of_one_operator_of_the_model_are_one_operator) {
  const Seen found = seen(kIn + "a = exp(x) @ both\ny = relu(a) @ both\nz = neg(y)\noutput z\n");
  EXPECT_EQ(found.launches, 2u);
}

TEST(Reroll, is_not_for_strategies_that_fuse) {
  const Graph graph = deduce_shapes(
      parse_graph("graph g\n" + kIn + kSoftmax + "y = div(e, s)\noutput y\n", "test.graph"));
  const Graph passed = run_passes(graph, {default_machine()});
  std::set<std::string> names;
  for (const Node& node : passed.nodes) names.insert(node.name);
  EXPECT_EQ(names.size(), 5u);
}

TEST(Reroll, is_told_by_the_module) {
  const Graph graph = deduce_shapes(parse_graph(
      "graph g\n" + kIn + kSoftmax + "z = div(e, s)\ny = relu(z)\noutput y\n", "test.graph"));
  CompileOptions options;
  options.fusion = Fusion::PerOperator;
  CompileWork work;
  const Module module = compile(graph, default_machine(), options, &work);
  ASSERT_EQ(module.operators.size(), 2u);
  EXPECT_EQ(module.operators[0], (ModuleOperator{"softmax", 5}));
  EXPECT_EQ(module.operators[1], (ModuleOperator{"", 1}));
  EXPECT_EQ(work.operators, 2);
  ASSERT_EQ(module.steps.size(), 2u);
  EXPECT_EQ(module.steps[0].operation, 0);
  EXPECT_EQ(module.steps[1].operation, 1);
}

}  // namespace
}  // namespace dvmsim
