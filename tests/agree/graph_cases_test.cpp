// Graphs that once went wrong, or that random ones seldom are.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/runtime/session.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

Graph shaped(const std::string& text) {
  return deduce_shapes(parse_graph("graph g\n" + text, "case.graph"));
}

/// Every strategy against the evaluator: exactly for integers, closely for floats.
void check(const std::string& text) {
  const Graph graph = shaped(text);
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const double scale = is_float(value.type.dtype) ? 1.5 : 6;
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, {}),
                                {Fill::Kind::Random, id + 1, scale});
  }
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  const Machine machine = default_machine();
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    Reference device(machine);
    HazardChecker hazards(machine);
    device.listen_order(&hazards);
    SessionOptions options;
    options.strategy = strategy;
    Session session(graph, machine, device, options);
    const RunResult result = session.run({}, inputs);
    ASSERT_FALSE(result.fault) << result.fault.text;
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    ASSERT_EQ(result.outputs.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(result.outputs[i].shape(), wanted[i].shape());
      if (!is_float(wanted[i].dtype())) {
        EXPECT_EQ(result.outputs[i], wanted[i]) << result.output_names[i];
        continue;
      }
      const double bound = wanted[i].dtype() == DType::F32 ? 1e-4 : 1e-2;
      const auto a = result.outputs[i].floats(), b = wanted[i].floats();
      for (std::size_t at = 0; at < a.size(); ++at) ASSERT_NEAR(a[at], b[at], bound) << at;
    }
  }
}

TEST(GraphCases, a_column_is_reduced_over_its_rows) {
  check(R"(input x: f32[9, 32]
a = reduce_sum(x) {axes=[1]}
b = tanh(a)
c = reduce_max(b) {axes=[0]}
d = sub(b, c)
output d
)");
}

TEST(GraphCases, a_small_result_beside_a_large_one_is_stored_once) {
  check(R"(input x: f32[640, 100]
input y: f32[100]
input z: f32[100]
m = lt(y, z)
s = select(m, x, y)
output m
output s
)");
}

TEST(GraphCases, sums_of_halves_may_leave_their_range) {
  check(R"(input x: f16[61, 37, 50]
input y: f16[70001]
a = rms_norm(x) {axis=0}
b = reduce_mean(x)
c = softmax(y)
output a
output b
output c
)");
}

TEST(GraphCases, integers_are_exact) {
  check(R"(input a: i32[50]
input b: i32[50]
input c: i8[50]
input d: i64[50]
input e: f32[50]
const three: i32[1] = [3]
n = abs(b)
o = add(n, three)
p = pow(a, n)
q = mod(a, o)
r = reduce_mean(c)
s = pow(d, three)
t = reduce_mean(d)
u = reduce_prod(a)
output p
output q
output r
output s
output t
output u
)");
}

TEST(GraphCases, bools_reduce) {
  check(R"(input x: f32[7, 40]
input y: f32[7, 40]
m = lt(x, y)
a = reduce_max(m) {axes=[1]}
b = reduce_min(m) {axes=[0]}
output a
output b
)");
}

TEST(GraphCases, empty_tensors_cost_nothing) {
  const std::string text = R"(input x: f32[4, 0]
input y: f32[4, 3]
input z: f32[0, 5]
a = exp(x)
b = concat(x, y) {axis=1}
c = reduce_sum(x) {axes=[1]}
d = matmul(x, z)
e = transpose(x)
f = softmax(x) {axis=0}
output a
output b
output c
output d
output e
output f
)";
  check(text);
  const Graph graph = shaped("input x: f32[4, 0]\ny = exp(x)\noutput y\n");
  EXPECT_TRUE(compile(graph, default_machine(), {}).steps.empty());
}

TEST(GraphCases, seven_dimensions_turn_around) {
  check("input x: f32[2, 3, 2, 3, 2, 3, 2]\ny = transpose(x)\noutput y\n");
}

TEST(GraphCases, strides_beyond_32_bits_compile) {
  const Graph graph = shaped(R"(input x: f32[3, 70000, 40000]
input y: f32[3, 1, 40000]
a = add(x, y)
b = transpose(x) {perm=[2, 1, 0]}
c = slice(x) {starts=[1], ends=[3], axes=[0]}
d = reduce_sum(x) {axes=[0]}
output a
output b
output c
output d
)");
  const Machine machine = default_machine();
  const Module module = compile(graph, machine, {});
  EXPECT_GE(module.steps.size(), 4u);
  for (const Program& program : module.programs) {
    for (const isa::Finding& found : isa::verify(program, machine)) ADD_FAILURE() << print(found);
  }
}

TEST(GraphCases, functions_are_near_in_f32_and_f16) {
  for (const char* type : {"f32", "f16"}) {
    std::string text = std::string("input x: ") + type + "[40, 7]\nt = tanh(x)\nc = cosh(x)\n";
    for (const char* op : {"atan", "tan", "asin", "acos", "sinh", "asinh"}) {
      text += std::string(op) + "_t = " + op + "(t)\noutput " + op + "_t\n";
    }
    check(text + "a = acosh(c)\nl = log1p(c)\noutput c\noutput a\noutput l\n");
  }
}

TEST(GraphCases, running_sums_may_be_longer_than_a_tile) {
  check(R"(input a: i32[3, 40000]
input b: i64[2, 3000, 3]
input c: i8[700, 40]
input d: f16[5, 6, 7]
input e: i32[70001]
p = cum_sum(a) {axis=1}
q = cum_sum(b) {axis=1}
r = cum_sum(c) {axis=0}
s = cum_sum(d) {axis=-2}
t = cum_sum(e)
u = cum_sum(d) {axis=2}
v = add(d, u)
output p
output q
output r
output s
output t
output v
)");
}

TEST(GraphCases, tables_may_be_longer_than_a_tile) {
  check(R"(input x: f32[2, 60000]
input i: i64[2, 9]
input y: f16[6, 5, 4]
input j: i32[3, 2, 4]
input k: i64[40]
a = gather_elements(x, i) {axis=1}
b = gather_elements(y, j) {axis=0}
c = gather(y, k) {axis=0}
d = reshape(x) {shape=[200, 600]}
e = gather(d, k) {axis=1}
output a
output c
output e
)");
}

TEST(GraphCases, the_largest_and_their_places) {
  check(R"(input w: f32[2, 60001]
input x: f32[9, 40]
input y: f16[30, 6]
input z: i32[5, 8, 3]
a, b = top_k(x) {k=[7]}
h, i = top_k(w) {k=[300], largest=0}
output h
output i
c, d = top_k(y) {k=[4], axis=0, largest=0}
e = arg_max(z) {axis=1, last=1}
f = arg_min(z) {axis=0, keepdims=0}
g = arg_max(y) {axis=1}
output a
output b
output c
output d
output e
output f
output g
)");
}

TEST(GraphCases, rows_are_scattered_in_order) {
  std::string text = "input r: i64[40]\n";
  int count = 0;
  for (const char* type : {"f32", "i64", "u8"}) {
    for (const char* how : {"none", "add", "mul", "max", "min"}) {
      const std::string n = std::to_string(count++), t = type;
      text += "input x" + n + ": " + t + "[6, 3]\ninput u" + n + ": " + t + "[40, 3]\ny" + n +
              " = scatter_rows(x" + n + ", r, u" + n + ") {reduction=" + how + "}\n";
      if (t == "f32") {
        text += "z" + n + " = tanh(y" + n + ")\noutput z" + n + "\n";
      } else {
        text += "output y" + n + "\n";
      }
    }
  }
  check(text);
}

TEST(GraphCases, images_are_resized) {
  check(R"(input x: f16[1, 3, 5, 7]
input y: i32[2, 4]
a = resize(x) {mode=linear, sizes=[1, 3, 9, 4]}
b = resize(x) {mode=cubic, coordinates=align_corners, scales=[1, 1, 2, 1.5]}
c = resize(y) {coordinates=asymmetric, nearest=floor, scales=[3, 2]}
d = resize(x) {mode=linear, antialias=1, sizes=[1, 3, 2, 3]}
output a
output b
output c
output d
)");
}

TEST(GraphCases, windows_whose_tiles_end_early_on_every_axis) {
  check(
      "input x: f32[2, 300, 3, 37, 53]\n"
      "y = max_pool(x) {kernel=[2, 3, 3], strides=[1, 2, 2], pads=[1, 1, 1, 1, 1, 1]}\n"
      "output y\n");
}

TEST(GraphCases, integers_shift) {
  check(R"(input x: i32[50]
input y: i64[50]
const by: i32[1] = [3]
const far: i64[1] = [64]
n = abs(x)
a = shl(x, by)
b = shr(x, n)
c = shl(y, far)
d = shr(y, far)
e = not(y)
output a
output b
output c
output d
output e
)");
}

void expect_refused(const std::string& text, const std::string& node) {
  try {
    (void)compile(shaped(text), default_machine(), {});
    ADD_FAILURE() << "compiled: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("node '" + node + "'"), 0u) << error.what();
  }
}

TEST(GraphCases, what_cannot_be_compiled_is_refused_by_its_node) {
  expect_refused("input x: i32[4, 4]\ny = matmul(x, x)\noutput y\n", "y");
  expect_refused("input x: f32[2, 60000]\nv, p = top_k(x) {k=[60000]}\noutput v\n", "v");
}

}  // namespace
}  // namespace dvmsim
