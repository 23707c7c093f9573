#include "compiler/runtime/strategy/strategy.h"

#include <gtest/gtest.h>

#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "vm/base/error.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Strategy, is_found_by_its_name) {
  for (const Strategy* strategy : strategies()) {
    EXPECT_EQ(&find_strategy(strategy->name), strategy);
  }
}

TEST(Strategy, eager_is_native_per_operator_and_dvm_is_bytecode_fused) {
  EXPECT_EQ(kEager.fusion, Fusion::PerOperator);
  EXPECT_EQ(kEager.path, CodePath::Native);
  EXPECT_FALSE(kEager.compiles);
  EXPECT_EQ(kDvm.fusion, Fusion::Patterns);
  EXPECT_EQ(kDvm.path, CodePath::Bytecode);
  EXPECT_TRUE(kDvm.compiles);
}

TEST(Strategy, that_is_not_available_is_refused_with_those_that_are) {
  const std::string text = error_of([] { (void)find_strategy("lazy"); });
  EXPECT_NE(text.find("eager, graph, sink, jit, bucket, dvm"), std::string::npos) << text;
}

TEST(Strategy, sink_refuses_by_name_what_the_host_decides) {
  const Machine machine = default_machine();
  const std::string branch = R"(graph g
input c: bool[]
input x: f32[4]
y = if(c, x) then (p) { q = exp(p)  output q } else (p) { output p }
output y
)";
  const std::string loop = R"(graph g
input n: i64[]
input x: f32[4]
y = loop(n, _, x) {carried=1} do (i, go, p) { q = exp(p)  output go, q }
output y
)";
  for (const std::string& text : {branch, loop}) {
    Reference device(machine);
    SessionOptions options;
    options.strategy = &kSink;
    Session session(parse_graph(text, "test.graph"), machine, device, options);
    const std::string why = error_of([&] { (void)session.module_for({}); });
    EXPECT_EQ(why.find("node '"), 0u) << why;
    EXPECT_NE(why.find("strategy sink"), std::string::npos) << why;
  }
}

CompileWork work_of(int kernels, GroupKind kind) {
  CompileWork work;
  work.kernels.assign(static_cast<std::size_t>(kernels), {kind, 2, 1});
  return work;
}

TEST(Strategy, kernels_are_compiled_by_workers_in_parallel_and_products_come_from_a_library) {
  StrategyConstants constants;
  constants.jit.kernel = Picoseconds(1000);
  constants.jit.workers = 4;
  EXPECT_EQ(native_compile_time(work_of(4, GroupKind::Vector), constants), Picoseconds(1000));
  EXPECT_EQ(native_compile_time(work_of(5, GroupKind::Vector), constants), Picoseconds(2000));
  EXPECT_EQ(native_compile_time(work_of(9, GroupKind::Cube), constants), Picoseconds(0));
  constants.jit.max_autotune = true;
  constants.jit.candidates = 2;
  EXPECT_EQ(native_compile_time(work_of(4, GroupKind::Cube), constants), Picoseconds(2000));
}

TEST(Strategy, measured_compilers_take_time_for_each_loop_nest) {
  StrategyConstants constants;
  constants.jit.compiler = JitCompiler::Measured;
  constants.jit.measured_kernel = Picoseconds(3);
  constants.jit.measured_nest = Picoseconds(5);
  EXPECT_EQ(native_compile_time(work_of(1, GroupKind::Vector), constants), Picoseconds(13));
}

TEST(Strategy, kernels_that_are_the_same_are_compiled_once) {
  const Machine machine = default_machine();
  Reference device(machine);
  SessionOptions options;
  options.strategy = &kJit;
  options.constants.jit.kernel = Picoseconds(1'000'000);
  const std::string text =
      "graph g\ninput x: f32[64, 64]\ninput w: f32[64, 64]\na = exp(x)\n"
      "b = matmul(a, w)\nc = exp(b)\noutput c\n";
  Session session(parse_graph(text, "test.graph"), machine, device, options);
  const Tensor tensor(DType::F32, {64, 64});
  EXPECT_EQ(session.run({}, {{"x", tensor}, {"w", tensor}}).compile_ns, 1000);
  EXPECT_EQ(session.run({}, {{"x", tensor}, {"w", tensor}}).compile_ns, 0);
}

}  // namespace
}  // namespace dvmsim
