// Grouped products: every strategy against the evaluator, the simulator against the reference, and
// against plain products, for lists that are data.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <map>
#include <random>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/captured_modules.h"
#include "compiler/runtime/lazy.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

using Lists = std::vector<std::int64_t>;
using Inputs = std::map<std::string, Tensor>;

Graph shaped(const std::string& text) {
  return deduce_shapes(parse_graph("graph g\n" + text, "grouped.graph"));
}

Tensor list_of(const Lists& values, DType type = DType::I64) {
  return Tensor::of_ints(type, {static_cast<std::int64_t>(values.size())}, values);
}

/// Random values, and the list for the input of that name.
Inputs inputs_for(const Graph& graph, const Lists& list) {
  Inputs inputs;
  for (ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    const Fill random{Fill::Kind::Random, id + 1, 1.0};
    inputs[value.name] = value.name == "list"
                             ? list_of(list, value.type.dtype)
                             : filled(value.type.dtype, resolve(*value.type.shape, {}), random);
  }
  return inputs;
}

RunResult run(const Graph& graph, const Inputs& inputs, Device& device, const Strategy* strategy,
              Mode mode = Mode::Functional) {
  SessionOptions options;
  options.strategy = strategy;
  options.mode = mode;
  const Machine machine = default_machine();
  Session session(graph, machine, device, options);
  RunResult result = session.run({}, inputs);
  result.module = nullptr;
  return result;
}

const Strategy* named(std::string_view name) {
  return &find_strategy(std::string(name));
}

void expect_close(const Tensor& got, const Tensor& want, double bound) {
  ASSERT_EQ(got.shape(), want.shape());
  const auto a = got.floats(), b = want.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_NEAR(a[i], b[i], bound * (1 + std::abs(b[i]))) << "element " << i;
  }
}

void check(const std::string& text, const Lists& list, double bound = 2e-3) {
  const Graph graph = shaped(text);
  const Inputs inputs = inputs_for(graph, list);
  const std::vector<Tensor> wanted = evaluate(graph, inputs);
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(std::string(strategy->name) + "\n" + text);
    Reference reference(default_machine(), 3);
    HazardChecker hazards(default_machine());
    reference.listen_order(&hazards);
    const RunResult meant = run(graph, inputs, reference, strategy);
    ASSERT_FALSE(meant.fault) << meant.fault.text;
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    ASSERT_EQ(meant.outputs.size(), 1u);
    expect_close(meant.outputs[0], wanted[0], bound);
    SimDevice simulator(default_machine());
    const RunResult simulated = run(graph, inputs, simulator, strategy);
    EXPECT_EQ(simulated.outputs, meant.outputs) << "the simulator and the reference differ";
  }
}

std::string rows(const std::string& how, const std::string& type = "f16", bool bias = false,
                 const std::string& list = "i64") {
  return fmt::format(
      "input a: {0}[150, 90]\ninput b: {0}[5, 90, 70]\ninput list: {1}[5]\n{2}"
      "c = grouped_matmul(a, b, list{3}) {4}\noutput c\n",
      type, list, bias ? fmt::format("input d: {}[5, 70]\n", type) : "", bias ? ", d" : "", how);
}

TEST(GroupedProduct, of_rows_agrees_under_every_strategy) {
  check(rows(""), {40, 0, 1, 77, 30});
  check(rows("{cumulative=1}", "f16", false, "i32"), {40, 40, 41, 118, 150});
  check(rows("", "f16", true), {40, 0, 1, 77, 0});  // zeros behind the last group
}

TEST(GroupedProduct, adds_a_bias_in_bfloat) {
  check(rows("", "bf16", true), {0, 0, 150, 0, 0}, 2e-2);
}

TEST(GroupedProduct, takes_operands_as_they_are_stored) {
  check(R"(input a: f16[90, 150]
input b: f16[3, 70, 90]
input list: i64[3]
c = grouped_matmul(a, b, list) {trans_a=1, trans_b=1, to=f32}
output c
)",
        {33, 64, 53});
}

TEST(GroupedProduct, along_k_agrees_under_every_strategy) {
  check(R"(input a: f16[50, 333]
input b: f16[333, 70]
input list: i32[6]
c = grouped_matmul(a, b, list) {axis="k"}
output c
)",
        {0, 100, 17, 0, 200, 0});
}

TEST(GroupedProduct, sizes_and_ends_give_the_same_bytes) {
  const Graph sizes = shaped(rows("")), ends = shaped(rows("{cumulative=1}"));
  Reference one(default_machine()), two(default_machine());
  const Lists list = {10, 60, 0, 50, 30};
  EXPECT_EQ(run(sizes, inputs_for(sizes, list), one, named("resident")).outputs,
            run(ends, inputs_for(ends, {10, 70, 70, 120, 150}), two, named("resident")).outputs);
}

TEST(GroupedProduct, is_a_loop_of_plain_products_to_the_byte) {
  const Graph grouped = shaped(rows("", "f16", true)), plain = shaped(R"(input a: f16[150, 90]
input b: f16[5, 90, 70]
input list: i64[5]
input d: f16[5, 70]
a0, a1, a2 = split(a) {axis=0, sizes=[40, 33, 77]}
b0, b1, b2, b3, b4 = split(b) {axis=0, sizes=[1, 1, 1, 1, 1]}
d0, d1, d2, d3, d4 = split(d) {axis=0, sizes=[1, 1, 1, 1, 1]}
e0 = reshape(b0) {shape=[90, 70]}
e2 = reshape(b2) {shape=[90, 70]}
e4 = reshape(b4) {shape=[90, 70]}
f0 = reshape(d0) {shape=[70]}
f2 = reshape(d2) {shape=[70]}
f4 = reshape(d4) {shape=[70]}
c0 = matmul(a0, e0, f0)
c1 = matmul(a1, e2, f2)
c2 = matmul(a2, e4, f4)
c = concat(c0, c1, c2) {axis=0}
output c
)");
  const Inputs inputs = inputs_for(grouped, {40, 0, 33, 0, 77});
  Reference one(default_machine()), two(default_machine());
  const RunResult a = run(grouped, inputs, one, named("eager"));
  const RunResult b = run(plain, inputs, two, named("eager"));
  ASSERT_FALSE(a.fault || b.fault);
  EXPECT_EQ(a.outputs, b.outputs);
}

TEST(GroupedProduct, random_lists_agree) {
  std::mt19937 random(5);
  const Graph graph = shaped(rows("", "f16", true));
  for (int round = 0; round < 10; ++round) {
    Lists list;
    std::int64_t left = 150;
    for (int g = 0; g < 5; ++g) {
      list.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(left + 1)));
      left -= list.back();
    }
    const Inputs inputs = inputs_for(graph, list);
    for (const char* strategy : {"dvm", "resident"}) {
      SimDevice device(default_machine());
      const RunResult result = run(graph, inputs, device, named(strategy));
      ASSERT_FALSE(result.fault) << result.fault.text;
      expect_close(result.outputs[0], evaluate(graph, inputs)[0], 2e-3);
    }
  }
}

TEST(GroupedProduct, a_list_that_does_not_fit_is_a_fault_on_every_device) {
  const Graph graph = shaped(rows(""));
  for (const Lists& list : {Lists{40, 0, 1, 77, 33}, Lists{40, -1, 1, 7, 3}}) {
    const Inputs inputs = inputs_for(graph, list);
    EXPECT_THROW((void)evaluate(graph, inputs), Error);
    Reference reference(default_machine());
    SimDevice simulator(default_machine());
    for (Device* device : {static_cast<Device*>(&reference), static_cast<Device*>(&simulator)}) {
      const Fault fault = run(graph, inputs, *device, named("resident")).fault;
      EXPECT_EQ(fault.kind, FaultKind::OutOfBounds);
      EXPECT_NE(fault.text.find("of the list has"), std::string::npos) << fault.text;
    }
  }
}

std::int64_t cycles_of(const RunResult& result) {
  return (result.launches.back().end - result.launches.front().begin).count();
}

RunResult timed(const Graph& graph, const Inputs& inputs, Mode mode) {
  SimOptions options;
  options.mode = mode;
  SimDevice device(default_machine(), options);
  return run(graph, inputs, device, named("resident"), mode);
}

TEST(GroupedProduct, without_values_a_constant_list_is_known) {
  const std::string text =
      "input a: f16[150, 90]\ninput b: f16[5, 90, 70]\nconst list: i64[5] = [3, 0, 60, 7, 80]\n"
      "c = grouped_matmul(a, b, list)\noutput c\n";
  const Graph graph = shaped(text);
  const RunResult functional = timed(graph, inputs_for(graph, {}), Mode::Functional);
  const RunResult timing = timed(graph, {}, Mode::Timing);
  EXPECT_EQ(cycles_of(timing), cycles_of(functional));
  EXPECT_EQ(timing.launches[0].assumed, 0);
}

TEST(GroupedProduct, without_values_groups_count_as_equal) {
  const Graph graph = shaped(rows(""));
  const RunResult timing = timed(graph, {}, Mode::Timing);
  EXPECT_GT(timing.launches[0].assumed, 0);
  const RunResult equal = timed(graph, inputs_for(graph, {30, 30, 30, 30, 30}), Mode::Functional);
  EXPECT_EQ(cycles_of(timing), cycles_of(equal));
  const RunResult one = timed(graph, inputs_for(graph, {150, 0, 0, 0, 0}), Mode::Functional);
  EXPECT_NE(cycles_of(one), cycles_of(equal));
}

TEST(GroupedProduct, one_graph_takes_any_number_of_rows) {
  const Graph graph = shaped(
      "dim m\ninput a: f16[m, 64]\ninput b: f16[3, 64, 48]\ninput list: i64[3]\n"
      "c = grouped_matmul(a, b, list)\nd = abs(c)\noutput d\n");
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    if (strategy->one_submission) continue;  // static shapes only
    Reference device(default_machine());
    SessionOptions options;
    options.strategy = strategy;
    const Machine machine = default_machine();
    Session session(graph, machine, device, options);
    for (const std::int64_t m : {7, 100, 300, 101}) {
      const Fill random{Fill::Kind::Random, m, 1.0};
      const Inputs inputs = {{"a", filled(DType::F16, {m, 64}, random)},
                             {"b", filled(DType::F16, {3, 64, 48}, random)},
                             {"list", list_of({m / 2, 0, m / 3})}};
      const RunResult result = session.run({}, inputs);
      ASSERT_FALSE(result.fault) << result.fault.text;
      expect_close(result.outputs[0], evaluate(graph, inputs)[0], 2e-3);
    }
  }
}

TEST(GroupedProduct, is_a_verb_of_the_lazy_queue) {
  const Machine machine = default_machine();
  Reference device(machine);
  ModuleRunner runner(machine, device, {.strategy = named("dvm-eager")});
  CompileOptions captured;
  captured.fusion = Fusion::Captured;
  CapturedModules modules(machine, runner, captured, 512);
  RunResult result{};
  Lazy lazy(machine, runner, modules, result);
  const Graph graph = shaped(rows("", "f16", true));
  const Inputs inputs = inputs_for(graph, {40, 0, 1, 77, 30});
  const auto load = [&](const char* name) { return lazy.load(runner.upload(inputs.at(name))); };
  const LazyTensor c =
      lazy.grouped_matmul(load("a"), load("b"), load("list"), "m", false, load("d"));
  expect_close(lazy.read(c, "the test"), evaluate(graph, inputs)[0], 2e-3);
  EXPECT_THROW((void)lazy.grouped_matmul(load("a"), load("a"), load("list")), Error);
}

TEST(GroupedProduct, shapes_that_do_not_fit_are_refused) {
  const auto problem = [](const std::string& a, const std::string& b, const std::string& list,
                          const std::string& how) -> std::string {
    try {
      (void)shaped("input a: f16" + a + "\ninput b: f16" + b + "\ninput list: " + list +
                   "\nc = grouped_matmul(a, b, list) " + how + "\noutput c\n");
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  const auto expect = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  EXPECT_EQ(problem("[9, 8]", "[2, 8, 7]", "i64[2]", ""), "");
  expect(problem("[9, 8]", "[2, 8, 7]", "i64[2]", "{axis=\"n\"}"), "not m or k");
  expect(problem("[9, 8]", "[8, 7]", "i64[2]", ""), "not [groups, k, n]");
  expect(problem("[9, 8]", "[2, 6, 7]", "i64[2]", ""), "inner dimensions differ");
  expect(problem("[9, 8]", "[3, 8, 7]", "i64[2]", ""), "2 groups have 3 matrices");
  expect(problem("[9, 8]", "[2, 8, 7]", "i64[2, 1]", ""), "one dimension");
  expect(problem("[9, 8]", "[2, 8, 7]", "i8[2]", ""), "not i32 or i64");
}

}  // namespace
}  // namespace dvmsim
