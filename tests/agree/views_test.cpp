// Random moves before and behind kernels: what lies in another value's tensor is read and written
// there as the evaluator says, in bytes that the simulator makes too.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/support/random_graph.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim {
namespace {

RunResult run(const RandomGraph& made, const Machine& machine, const Strategy* strategy,
              Device& device) {
  SessionOptions options;
  options.strategy = strategy;
  Session session(made.graph, machine, device, options);
  RunResult result = session.run({}, made.inputs);
  EXPECT_FALSE(result.fault) << result.fault.text;
  return result;
}

void check(const RandomGraph& made, const Machine& machine) {
  const Tensor wanted = evaluate(made.graph, made.inputs).front();
  const double bound = made.dtype == DType::F32 ? 2e-4 : 3e-2;
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    Reference reference(machine);
    HazardChecker hazards(machine);
    reference.listen_order(&hazards);
    const RunResult meant = run(made, machine, strategy, reference);
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    ASSERT_EQ(meant.outputs.size(), 1u);
    ASSERT_EQ(meant.outputs[0].shape(), wanted.shape());
    const auto a = meant.outputs[0].floats(), b = wanted.floats();
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_NEAR(a[i], b[i], bound * (1 + std::fabs(b[i]))) << "element " << i;
    }
    SimDevice simulator(machine);
    EXPECT_EQ(run(made, machine, strategy, simulator).outputs, meant.outputs);
  }
}

class RandomViews : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomViews, agree) {
  constexpr std::uint64_t kSeeds = 40;
  // Dear launches, so that whatever can fold does.
  Machine dear = default_machine();
  dear.launch.vector = machine_types::Time(10'000'000'000);
  const std::string folder = std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/";
  const Machine unified = load_machine(folder + "ascend910a.yaml");
  int views = 0, copies = 0;
  for (std::uint64_t i = 0; i < kSeeds && !HasFailure(); ++i) {
    const std::uint64_t seed = GetParam() * kSeeds + i;
    const RandomGraph made = random_moves(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print_graph(made.graph));
    const bool on_unified = seed % 8 == 7 && made.dtype == DType::F16;
    const Machine& machine = on_unified ? unified : seed % 2 == 0 ? dear : default_machine();
    check(made, machine);
    const PlannedGraph plan =
        plan_graph(run_passes(made.graph, {machine}), machine, Fusion::Patterns, {});
    for (const Group& group : plan.partition.groups) {
      views += group.kind == GroupKind::View ? 1 : 0;
      copies += group.kind == GroupKind::Copy ? 1 : 0;
    }
  }
  EXPECT_GT(views, 20);
  EXPECT_GT(copies, 5);
}

INSTANTIATE_TEST_SUITE_P(Blocks, RandomViews, testing::Range<std::uint64_t>(0, 4));

}  // namespace
}  // namespace dvmsim
