// Models whose sizes differ from run to run: the graph is analysed once, and the values are those
// of the evaluator.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

std::map<std::string, Tensor> inputs_of(const Graph& graph, const Bindings& dims) {
  std::map<std::string, Tensor> inputs;
  std::int64_t seed = 1;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const auto shape = resolve(*value.type.shape, dims);
    inputs[value.name] =
        filled(value.type.dtype, shape,
               {Fill::Kind::Random, seed++, is_float(value.type.dtype) ? 1.0 : 3.0});
  }
  return inputs;
}

void expect_close(const Tensor& actual, const Tensor& expected, double tolerance) {
  ASSERT_EQ(actual.shape(), expected.shape());
  const auto a = actual.floats(), b = expected.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(static_cast<double>(b[i]))))
        << "element " << i;
  }
}

/// Runs all sizes in a session; only the first are analysed.
void check(const Graph& graph, const std::vector<Bindings>& all, double tolerance) {
  const Machine machine = default_machine();
  for (const char* name : {"dvm", "resident"}) {
    SCOPED_TRACE(name);
    Reference device(machine);
    SessionOptions options;
    options.strategy = &find_strategy(name);
    Session session(graph, machine, device, options);
    for (const Bindings& dims : all) {
      SCOPED_TRACE(testing::PrintToString(dims));
      const auto inputs = inputs_of(graph, dims);
      const RunResult result = session.run(dims, inputs);
      ASSERT_FALSE(result.fault) << result.fault.text;
      EXPECT_EQ(result.compile_ns > 0, &dims == &all.front());
      const auto expected = evaluate(graph, inputs);
      ASSERT_EQ(result.outputs.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expect_close(result.outputs[i], expected[i], tolerance);
      }
    }
  }
}

TEST(DynamicSizes, OfAClassifierOfImagesAreAnalysedOnce) {
  const Graph graph = infer_shapes(
      load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/small_cnn.graph"));
  const auto images = [](std::int64_t batch, std::int64_t height, std::int64_t width) {
    return Bindings{{"batch", batch}, {"height", height}, {"width", width}};
  };
  check(graph, {images(2, 30, 37), images(5, 21, 64), images(3, 40, 40), images(32, 16, 19)}, 2e-2);
}

TEST(DynamicSizes, OfOrdersAndRunningSumsAreAnalysedOnce) {
  const Graph graph = infer_shapes(
      parse_graph("graph g\ndim n, m\ninput x: f32[n, m]\nv, p = top_k(x) {k=[4]}\n"
                  "g = gather_elements(x, p) {axis=1}\ns = cum_sum(x) {axis=1}\nd = sub(v, g)\n"
                  "output v\noutput d\noutput s\n",
                  "test.graph"));
  const auto rows = [](std::int64_t n, std::int64_t m) { return Bindings{{"n", n}, {"m", m}}; };
  check(graph, {rows(47, 100), rows(50, 39), rows(33, 1000)}, 1e-4);
}

}  // namespace
}  // namespace dvmsim
