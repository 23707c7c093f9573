// Short rows that are taken apart before broadcasting (pass/short_axes.cpp): what the evaluator
// says, and the same bytes on both devices.
#include <gtest/gtest.h>

#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

const std::string kDistance =
    "d = sub(a, b)\ns = mul(d, d)\ny = reduce_sum(s) {axes=[2], keepdims=0}\noutput y\n";

std::map<std::string, Tensor> inputs_of(const Graph& graph, const Bindings& sizes) {
  std::map<std::string, Tensor> inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] = filled(value.type.dtype, resolve(*value.type.shape, sizes),
                                {Fill::Kind::Random, 7 + id, 2.0});
  }
  return inputs;
}

std::vector<Tensor> run(const Graph& graph, const Bindings& sizes,
                        const std::map<std::string, Tensor>& inputs, Device& device) {
  SessionOptions options;
  options.strategy = &kResident;
  const Machine machine = default_machine();
  Session session(graph, machine, device, options);
  const RunResult result = session.run(sizes, inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  return result.outputs;
}

class ShortAxesRun : public ::testing::TestWithParam<std::string> {};

TEST_P(ShortAxesRun, agree_with_the_evaluator_on_both_devices) {
  const Graph graph = deduce_shapes(parse_graph("graph g\n" + GetParam(), "short.graph"));
  for (const std::int64_t n : {1, 3, 57, 200}) {
    const Bindings sizes = {{"n", n}};
    const auto inputs = inputs_of(graph, sizes);
    Reference reference(default_machine(), 3);
    HazardChecker hazards(default_machine());
    reference.listen_order(&hazards);
    const std::vector<Tensor> meant = run(graph, sizes, inputs, reference);
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    SimDevice simulator(default_machine());
    EXPECT_EQ(run(graph, sizes, inputs, simulator), meant);
    const std::vector<float> a = meant[0].floats(),
                             b = evaluate(specialize(graph, sizes), inputs)[0].floats();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 2e-2 * (1 + std::abs(b[i])));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Graphs, ShortAxesRun,
    ::testing::Values(
        "dim n\ninput a: f16[n, 1, 3]\ninput b: f16[70, 3]\n" + kDistance,
        "dim n\ninput a: f32[n, 20, 1, 2]\ninput b: f32[n, 1, 9, 2]\n"
        "const scale: f32[2] = [2, 3]\nconst half: f32[] = [0.5]\nd = min(a, b)\n"
        "e = mul(d, scale)\nf = add(e, half)\n"
        "y = reduce_prod(f) {axes=[3], keepdims=1}\noutput y\n",
        "dim n\ninput a: bf16[n, 1, 4]\ninput b: bf16[33, 4]\ninput c: bf16[n, 33, 1]\n"
        "d = sub(a, b)\ne = mul(d, c)\nm = reduce_max(e) {axes=[2]}\noutput m\n"));

}  // namespace
}  // namespace dvmsim
