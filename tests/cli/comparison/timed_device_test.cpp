// Launches that are simulated once and timed many times take what they take when each launch cost
// is simulated by itself.
#include "cli/comparison/timed_device.h"

#include <gtest/gtest.h>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/runtime/session.h"

namespace dvmsim {
namespace {

using Account = TimedDevice::Account;
using Free = TimedDevice::Free;

Machine at_cost(const std::string& cost) {
  Machine machine = default_machine();
  for (const char* key : {"launch.vector", "launch.cube", "launch.mix", "launch.native"}) {
    apply_set(machine, std::string(key) + "=" + cost);
  }
  return machine;
}

const Graph& encoder() {
  static const Graph graph =
      infer_shapes(load_graph(std::string(DVMSIM_SOURCE_DIR) + "/configs/workloads/encoder.graph"));
  return graph;
}

SessionOptions options_of(const Strategy& strategy) {
  SessionOptions options;
  options.strategy = &strategy;
  options.mode = Mode::Timing;
  options.constants.jit.kernel = Picoseconds(1'000'000'000);
  options.constants.graph.infer = Picoseconds(1'000'000);
  return options;
}

SimOptions timing() {
  SimOptions options;
  options.mode = Mode::Timing;
  return options;
}

/// When the host knew the result of each run.
std::vector<std::int64_t> simulated(const Strategy& strategy, const Machine& machine) {
  SimDevice device(machine, timing());
  Session session(encoder(), machine, device, options_of(strategy));
  std::vector<std::int64_t> times;
  for (std::int64_t seq : {100, 33, 100}) {
    (void)session.run({{"seq", seq}}, {});
    times.push_back(device.host_ns());
  }
  return times;
}

TEST(TimedDevice, gives_the_times_of_a_simulation_at_each_launch_cost) {
  const std::vector<std::string> costs = {"0us", "5us", "20us"};
  std::vector<Machine> machines = {default_machine()};
  for (const std::string& cost : costs) machines.push_back(at_cost(cost));
  for (const Strategy* strategy : strategies()) {
    SCOPED_TRACE(strategy->name);
    TimedDevice device(machines, timing());
    device.simulate();
    Session session(encoder(), machines[0], device, options_of(*strategy));
    std::vector<std::vector<std::int64_t>> times(machines.size());
    std::int64_t launches = 0;
    for (std::int64_t seq : {100, 33, 100}) {
      launches += static_cast<std::int64_t>(session.run({{"seq", seq}}, {}).launches.size());
      for (std::size_t i = 0; i < machines.size(); ++i) {
        times[i].push_back(device.spent(i).host_ns);
      }
    }
    EXPECT_EQ(device.launches(), launches);
    for (std::size_t i = 0; i < machines.size(); ++i) {
      const auto wanted = simulated(*strategy, machines[i]);
      for (std::size_t run = 0; run < wanted.size(); ++run) {
        // A launch's cycles may differ by rounding with the cycle it begins at.
        EXPECT_NEAR(static_cast<double>(times[i][run]), static_cast<double>(wanted[run]),
                    static_cast<double>(wanted[run]) * 1e-3)
            << "cost " << i << " run " << run;
      }
      if (i == 0) {
        EXPECT_EQ(times[0], wanted) << "at its own cost nothing is changed";
      }
    }
  }
}

TEST(TimedDevice, plays_what_was_noted_in_the_same_time) {
  const std::vector<Machine> machines = {default_machine()};
  TimedDevice device(machines, timing());
  Session session(encoder(), machines[0], device, options_of(kEager));
  device.simulate();
  (void)session.run({{"seq", 64}}, {});
  const std::int64_t first = device.spent(0).host_ns;
  const LaunchBodies noted = device.noted();
  device.use(Account::Again);
  device.play(noted);
  (void)session.run({{"seq", 64}}, {});
  EXPECT_EQ(device.spent(0).host_ns, first);
  device.use(Account::Stream);
  EXPECT_EQ(device.spent(0).host_ns, first) << "the stream has not moved";
}

TEST(TimedDevice, free_compiling_and_encoding_leave_the_rest) {
  const std::vector<Machine> machines = {default_machine()};
  TimedDevice jit(machines, timing()), dvm(machines, timing());
  Session compiled(encoder(), machines[0], jit, options_of(kJit));
  jit.simulate();
  const RunResult result = compiled.run({{"seq", 64}}, {});
  EXPECT_EQ(jit.spent(0).host_ns - jit.spent(0, Free::Compiling).host_ns, result.compile_ns);
  EXPECT_EQ(jit.spent(0, Free::Compiling).host_ns, jit.spent(0, Free::Encoding).host_ns);
  Session encoded(encoder(), machines[0], dvm, options_of(kDvm));
  dvm.simulate();
  (void)encoded.run({{"seq", 64}}, {});
  EXPECT_GT(dvm.spent(0, Free::Compiling).host_ns, dvm.spent(0, Free::Encoding).host_ns);
}

}  // namespace
}  // namespace dvmsim
