// Graphs that once went wrong, or that random ones seldom are.
#include <gtest/gtest.h>

#include <string>

#include "compiler/codegen/compile.h"
#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
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

/// Both strategies against the evaluator: exactly for integers, closely for floats.
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
  for (const Strategy* strategy : {&kEager, &kDvm}) {
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

TEST(GraphCases, what_cannot_be_compiled_is_refused_by_its_node) {
  const Graph graph = shaped("input x: i32[4, 4]\ny = matmul(x, x)\noutput y\n");
  try {
    (void)compile(graph, default_machine(), {});
    ADD_FAILURE() << "a product of i32 compiled";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("node 'y'"), 0u) << error.what();
  }
}

}  // namespace
}  // namespace dvmsim
