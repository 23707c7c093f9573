// Device memory of sessions: who shares what, what is given back, what does not fit.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/memory_plan.h"
#include "compiler/runtime/session.h"
#include "vm/base/error.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

constexpr const char* kLayers = R"(graph g
dim n
input x: f32[n, 64]
const w: f32[64, 64] = random(1, 0.1)
a = matmul(x, w)
b = tanh(a)
c = matmul(b, w)
d = softmax(c)
e = matmul(d, w)
output e
)";

Graph layers() {
  return parse_graph(kLayers, "layers.graph");
}

std::map<std::string, Tensor> rows(std::int64_t n) {
  return {{"x", filled(DType::F32, {n, 64}, {Fill::Kind::Random, n, 1.0})}};
}

ModuleStep launch_of(const std::vector<int>& tensors) {
  ModuleStep step;
  for (int tensor : tensors) step.arguments.push_back({ModuleArgument::Kind::Tensor, tensor, 0});
  return step;
}

TEST(MemoryPlan, tensors_that_live_together_lie_apart) {
  Module module;
  for (std::int64_t bytes : {4096, 512, 8192, 512, 4096, 1024}) {
    module.tensors.push_back({ModuleTensor::Kind::Workspace, "t", DType::U8, {bytes}, 0, bytes});
  }
  module.steps = {launch_of({0, 1}), launch_of({1, 2}), launch_of({2, 3}), launch_of({3, 4}),
                  launch_of({4, 5})};
  plan_memory(module);
  for (std::size_t step = 0; step < module.steps.size(); ++step) {
    const ModuleTensor& a = module.tensors[step];
    const ModuleTensor& b = module.tensors[step + 1];
    EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset) << step;
  }
  EXPECT_EQ(module.workspace_bytes, 8192 + 512);  // no more than the two that need most at once
}

TEST(MemoryPlan, arms_of_a_branch_share_memory) {
  Module module;
  for (std::int64_t bytes : {512, 8192, 8192}) {
    module.tensors.push_back({ModuleTensor::Kind::Workspace, "t", DType::U8, {bytes}, 0, bytes});
  }
  ModuleStep branch;
  branch.kind = ModuleStep::Kind::Branch;
  branch.condition = 0;
  branch.then_steps = {launch_of({1})};
  branch.else_steps = {launch_of({2})};
  module.steps = {launch_of({0}), branch};
  plan_memory(module);
  EXPECT_EQ(module.tensors[1].offset, module.tensors[2].offset);
}

TEST(Memory, modules_share_what_the_compiler_made_of_the_weights) {
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(parse_graph("graph g\ndim n\ninput x: f32[n, 8, 9, 9]\n"
                              "const w: f32[8, 8, 3, 3] = random(1, 0.1)\n"
                              "y = conv(x, w)\noutput y\n",
                              "conv.graph"),
                  machine, device, {});
  std::map<std::int64_t, const std::byte*> bytes;
  for (std::int64_t n : {1, 2}) {
    const Tensor x = filled(DType::F32, {n, 8, 9, 9}, {Fill::Kind::Random, n, 1.0});
    (void)session.run({}, {{"x", x}});
    for (const ModuleConstant& constant : session.module_for({{"n", n}}).constants) {
      if (constant.bytes) bytes[n] = constant.bytes->bytes().data();
    }
  }
  ASSERT_EQ(bytes.size(), 2u);
  EXPECT_EQ(bytes[1], bytes[2]);
}

TEST(Memory, weights_are_there_once_for_all_shapes) {
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(layers(), machine, device, {});
  (void)session.run({}, rows(3));
  const std::int64_t once = session.memory().weights;
  EXPECT_GE(once, 64 * 64 * 4);
  (void)session.run({}, rows(4));
  (void)session.run({}, rows(5));
  EXPECT_LT(session.memory().weights, once + 64 * 64 * 4);
}

TEST(Memory, a_session_keeps_a_bounded_number_of_modules) {
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.ready_modules = 4;
  Session session(layers(), machine, device, options);
  std::int64_t after_eight = 0;
  for (std::int64_t n = 1; n <= 40; ++n) {
    const auto result = session.run({}, rows(1 + n % 8));
    EXPECT_EQ(result.outputs[0], session.run({}, rows(1 + n % 8)).outputs[0]);
    EXPECT_LE(session.ready(), 4u);
    if (n == 8) after_eight = session.memory().total();
    if (n > 8) {
      EXPECT_LE(session.memory().total(), after_eight + 8192) << n;
    }
  }
  EXPECT_EQ(session.memory().inputs_outputs, 0);
}

TEST(Memory, a_peak_names_its_parts) {
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(layers(), machine, device, {});
  const MemoryUse use = session.run({}, rows(100)).memory;
  EXPECT_EQ(use.inputs_outputs, 2 * 100 * 64 * 4);
  EXPECT_GE(use.intermediates, 100 * 64 * 4);
  EXPECT_GT(use.programs, 0);
}

TEST(Memory, a_model_that_does_not_fit_is_refused_before_it_runs) {
  Machine machine = default_machine();
  machine.hbm.size = Bytes(64 * 1024);
  Reference device(machine);
  Session session(layers(), machine, device, {});
  EXPECT_NO_THROW((void)session.run({}, rows(4)));
  try {
    (void)session.run({}, rows(1000));
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("MiB of device memory (weights 16.00 KiB"), std::string::npos) << text;
    EXPECT_NE(text.find("has 64.00 KiB"), std::string::npos) << text;
    EXPECT_NE(text.find("hbm.size"), std::string::npos) << text;
  }
  EXPECT_NO_THROW((void)session.run({}, rows(5)));
}

TEST(Carry, state_stays_on_the_device_between_runs) {
  const Graph graph = parse_graph(R"(graph g
dim past
input x: f32[1, 16]
input cache: f32[past, 16]
grown = concat(cache, x) {axis=0}
y = reduce_sum(grown) {axes=[0], keepdims=0}
output y, grown
)",
                                  "t.graph");
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(graph, machine, device, {});
  session.carry("grown", "cache");
  std::map<std::string, Tensor> by_hand = {{"cache", Tensor(DType::F32, {0, 16})}};
  std::map<std::string, Tensor> first = by_hand;
  for (std::int64_t step = 0; step < 6; ++step) {
    const Tensor x = filled(DType::F32, {1, 16}, {Fill::Kind::Random, step + 1, 1.0});
    by_hand["x"] = x;
    const auto expected = evaluate(graph, by_hand);
    std::map<std::string, Tensor> given = {{"x", x}};
    if (step == 0) given.insert(first.begin(), first.end());
    const RunResult result = session.run({}, given);
    EXPECT_EQ(result.outputs[1], expected[1]);
    by_hand["cache"] = expected[1];
    EXPECT_EQ((*session.carried_shape("cache"))[0], step + 1);
  }
  session.forget_carried();
  EXPECT_THROW((void)session.run({}, {{"x", Tensor(DType::F32, {1, 16})}}), Error);
}

TEST(Carry, names_and_types_are_checked) {
  const Graph graph =
      parse_graph("graph g\ninput x: f32[4]\ninput n: i64[4]\ny = exp(x)\noutput y\n", "t.graph");
  const Machine machine = default_machine();
  Reference device(machine);
  Session session(graph, machine, device, {});
  EXPECT_THROW(session.carry("z", "x"), Error);
  EXPECT_THROW(session.carry("y", "z"), Error);
  EXPECT_THROW(session.carry("y", "n"), Error);
  EXPECT_NO_THROW(session.carry("y", "x"));
}

}  // namespace
}  // namespace dvmsim
