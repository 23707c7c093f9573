// Matrix products that take more than one launch: padded, in steps of k, with a bias to convert.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

/// Runs the graph's one product under a rule and compares it with the evaluator. Returns how many
/// launches it took.
std::size_t check(const std::string& text, Tiling rule, const Machine& machine, double tolerance) {
  const Graph graph = deduce_shapes(parse_graph(text, "product.graph"));
  std::map<std::string, Tensor> inputs;
  std::int64_t seed = 1;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    inputs[value.name] =
        filled(value.type.dtype, resolve(*value.type.shape, {}), {Fill::Kind::Random, seed++, 1.0});
  }
  const auto expected = evaluate(graph, inputs);
  Reference device(machine, 11);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  SessionOptions options;
  options.tiling = rule;
  options.features = Features{};  // a launch of its own for each
  Session session(graph, machine, device, options);
  const RunResult result = session.run({}, inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
  if (result.outputs.size() != 1) return 0;
  const auto got = result.outputs[0].floats(), want = expected[0].floats();
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double bound = tolerance * (1 + std::abs(static_cast<double>(want[i])));
    if (std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i])) <= bound) continue;
    ADD_FAILURE() << "element " << i << ": " << got[i] << ", not " << want[i];
    break;
  }
  return result.launches.size();
}

std::string product(const std::string& type, const std::string& x, const std::string& y,
                    const std::string& how = "", const std::string& bias = "") {
  return fmt::format(
      "graph g\ninput x: {0}[{1}]\ninput y: {0}[{2}]\n{4}s = matmul(x, y{5}){3}\n"
      "output s\n",
      type, x, y, how, bias.empty() ? "" : fmt::format("input b: {}[{}]\n", type, bias),
      bias.empty() ? "" : ", b");
}

constexpr double kHalf = 2e-3, kBfloat = 2e-2;

TEST(Product, dvm_pads_rows_that_are_not_whole_lines) {
  const Machine machine = default_machine();
  for (Tiling rule : {Tiling::Dvm, Tiling::DvmV1, Tiling::DvmV2, Tiling::DvmV3}) {
    EXPECT_EQ(check(product("f16", "97, 193", "193, 211"), rule, machine, kHalf), 3u);
    EXPECT_EQ(check(product("f16", "97, 128", "128, 211"), rule, machine, kHalf), 2u);
    EXPECT_EQ(check(product("f16", "97, 160", "160, 96"), rule, machine, kHalf), 1u);
  }
}

TEST(Product, padding_follows_storage_and_batches) {
  const Machine machine = default_machine();
  const std::string turned = product("f16", "70, 33", "45, 70", " {trans_a=1, trans_b=1}");
  EXPECT_EQ(check(turned, Tiling::DvmV3, machine, kHalf), 3u);
  EXPECT_EQ(check(product("f16", "2, 3, 33, 70", "3, 70, 45"), Tiling::Dvm, machine, kHalf), 3u);
  EXPECT_EQ(check(product("f16", "3, 33, 70", "70, 45"), Tiling::Dvm, machine, kHalf), 3u);
}

TEST(Product, dvm_takes_a_long_k_in_steps) {
  Machine machine = default_machine();
  apply_set(machine, "l2.size=1MiB");
  // 3 steps of 11776, at most; their sums become f16 in a launch of their own.
  EXPECT_EQ(check(product("f16", "4, 24576", "24576, 40"), Tiling::Dvm, machine, kHalf), 5u);
  EXPECT_EQ(
      check(product("bf16", "4, 24576", "24576, 64", "", "64"), Tiling::DvmV3, machine, kBfloat),
      6u);
  EXPECT_EQ(check(product("f16", "4, 20480", "20480, 64"), Tiling::Dvm, machine, kHalf), 1u);
}

TEST(Product, dvm_converts_a_bf16_bias_first) {
  const Machine machine = default_machine();
  const std::string text = product("bf16", "64, 128", "128, 256", "", "256");
  EXPECT_EQ(check(text, Tiling::Dvm, machine, kBfloat), 2u);
  EXPECT_EQ(check(text, Tiling::Cost, machine, kBfloat), 1u);
}

TEST(Product, ours_pads_where_it_pays) {
  const Machine machine = default_machine();
  EXPECT_EQ(check(product("f16", "64, 193", "193, 64"), Tiling::Cost, machine, kHalf), 1u);
}

}  // namespace
}  // namespace dvmsim
