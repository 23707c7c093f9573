// Random graphs under every strategy: what the evaluator says, the reference device does, and the
// simulator does the same to the byte. Every program verifies, and nothing in it is unordered.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/support/random_graph.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

/// Of the largest element: sums cancel.
double tolerance_of(DType dtype) {
  return dtype == DType::F32 ? 2e-4 : dtype == DType::F16 ? 2e-2 : 1.2e-1;
}

void expect_close(const Tensor& got, const Tensor& wanted, DType computed) {
  ASSERT_EQ(got.dtype(), wanted.dtype());
  ASSERT_EQ(got.shape(), wanted.shape());
  if (!is_float(got.dtype()) || !is_float(computed)) {
    ASSERT_EQ(got, wanted);
    return;
  }
  const std::vector<float> a = got.floats(), b = wanted.floats();
  double largest = 1;
  for (float each : b)
    largest = std::isfinite(each) ? std::fmax(largest, std::fabs(each)) : largest;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(b[i])) continue;
    ASSERT_NEAR(a[i], b[i], tolerance_of(computed) * largest) << "element " << i;
  }
}

/// Verifies every program that is launched.
class Verifier : public Probe {
 public:
  explicit Verifier(const Machine& machine) : machine_(machine) {}
  void on_launch_begin(const LaunchMark&, const Program& program) override {
    for (const isa::Finding& found : isa::verify(program, machine_)) ADD_FAILURE() << print(found);
  }

 private:
  const Machine& machine_;
};

RunResult run(const RandomGraph& made, const Machine& machine, const Strategy* strategy,
              Device& device) {
  SessionOptions options;
  options.strategy = strategy;
  Session session(made.graph, machine, device, options);
  Verifier verifier(machine);
  device.listen({&verifier});
  RunResult result = session.run({}, made.inputs);
  device.listen({});
  result.module = nullptr;
  EXPECT_FALSE(result.fault) << result.fault.text;
  return result;
}

void check_graph(const RandomGraph& made, const Machine& machine) {
  const std::vector<Tensor> wanted = evaluate(made.graph, made.inputs);
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    Reference reference(machine);
    HazardChecker hazards(machine);
    reference.listen_order(&hazards);
    const RunResult meant = run(made, machine, strategy, reference);
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    ASSERT_EQ(meant.outputs.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      SCOPED_TRACE("output " + meant.output_names[i]);
      expect_close(meant.outputs[i], wanted[i], made.dtype);
    }
    SimDevice simulator(machine);
    const RunResult simulated = run(made, machine, strategy, simulator);
    EXPECT_EQ(simulated.outputs, meant.outputs) << "the simulator and the reference differ";
  }
}

Machine without_windows() {
  Machine machine = default_machine();
  machine.can.img2col = false;
  return machine;
}

/// Most seeds: the default machine; some: one that does not gather windows, a small one, and one
/// whose cores are unified.
const Machine& machine_of(std::uint64_t seed) {
  const std::string folder = std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/";
  static const Machine usual = default_machine(), tiny = load_machine(folder + "tiny.yaml"),
                       unified = load_machine(folder + "ascend910a.yaml"),
                       plain = without_windows();
  return seed % 8 == 5 ? plain : seed % 8 == 6 ? tiny : seed % 8 == 7 ? unified : usual;
}

void check(std::uint64_t seed) {
  const RandomGraph made = random_graph(seed);
  SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + print_graph(made.graph, {true, true}));
  try {
    check_graph(made, machine_of(seed));
  } catch (const Error& error) {
    // Not every machine multiplies every type.
    const std::string what = error.what();
    EXPECT_EQ(what.find("node '"), 0u) << what;
    EXPECT_EQ(machine_of(seed).step(made.dtype).k, 0) << what;
  }
}

std::uint64_t setting(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::stoull(text);
}

/// DVMSIM_SEED=n checks that graph alone; DVMSIM_COUNT=m, the m from there.
TEST(RandomGraph, of_a_given_seed_agrees) {
  const std::uint64_t first = setting("DVMSIM_SEED", 0);
  for (std::uint64_t i = 0; i < setting("DVMSIM_COUNT", 1); ++i) {
    if (std::getenv("DVMSIM_VERBOSE") != nullptr) std::fprintf(stderr, "seed %zu\n", first + i);
    check(first + i);
  }
}

class RandomGraphs : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomGraphs, agree) {
  constexpr std::uint64_t kSeeds = 25;
  for (std::uint64_t i = 0; i < kSeeds && !HasFailure(); ++i) check(GetParam() * kSeeds + i);
}

INSTANTIATE_TEST_SUITE_P(Blocks, RandomGraphs, testing::Range<std::uint64_t>(0, 6));

}  // namespace
}  // namespace dvmsim
