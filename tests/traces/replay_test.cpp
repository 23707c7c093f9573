// The replay against the engine: on random programs it knows every start to the cycle, its path
// adds up, and its lanes keep the laws of maximum and addition.
#include "traces/replay.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/device/device.h"
#include "tests/sim/rig.h"
#include "tests/support/random_program.h"
#include "traces/critical_path.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

constexpr std::uint64_t kSeeds = 40;

Machine machine_for(std::uint64_t seed) {
  if (seed % 4 == 3) {
    Machine machine = load_machine(DVMSIM_SOURCE_DIR "/configs/hardware/ascend910a.yaml");
    apply_set(machine, "cores.cube=3");
    return machine;
  }
  Machine machine =
      quiet_machine({"cores.cube=2", "cores.vector=4", "decode.dispatch.nominal=3cycles",
                     "firmware.memory=ub", "launch.vector=0.1us", "launch.exit=50ns",
                     "launch.entry=40ns", "launch.per_core=10ns", "launch.skew=20ns"});
  if (seed % 2 == 1) apply_set(machine, "queue.vector=2");
  return machine;
}

class ReplayOf : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ReplayOf, a_random_program_knows_every_start_and_adds_up) {
  const Machine machine = machine_for(GetParam());
  const RandomProgram program = random_program(machine, GetParam());
  SimDevice device(machine);
  Replay replay(machine);
  device.listen({&replay});
  Launch launch = prepare(program, device);
  LaunchReport first = device.wait(device.submit(launch));
  LaunchReport last = device.wait(device.submit(launch));
  ASSERT_FALSE(last.fault) << last.fault.text;
  EXPECT_EQ(replay.contradictions(), 0);
  EXPECT_EQ(replay.unexplained(), 0);
  EXPECT_EQ(replay.end().at, last.end);
  EXPECT_EQ(replay.first_dispatch().at, first.first_dispatch);

  const CriticalPath path = critical_path(replay, machine, {});
  ASSERT_EQ(path.missing, "");
  std::int64_t sum = 0;
  for (const auto& part : path.parts) {
    sum += part.cycles;
    EXPECT_NE(part.cause, Cause::Other) << label_of(part.unit, part.cause);
  }
  EXPECT_EQ(sum, (last.end - first.first_dispatch).count());
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    EXPECT_LE(path.slack[lane].cycles, static_cast<double>(sum));
    EXPECT_GE(path.slack[lane].cycles, static_cast<double>(sum) / 1.1 - 1e-6);
    EXPECT_LE(path.slack[lane].gain, 0.1 + 1e-9);
    const bool on_path =
        std::any_of(path.parts.begin(), path.parts.end(), [&](const CriticalPath::Part& part) {
          return lane_of(part.unit.pipe) == lane && part.cause == Cause::Work;
        });
    const bool a_queue = lane != kMemoryLane && lane != lane_of(Pipe::Scalar);
    if (a_queue && !on_path) {
      EXPECT_EQ(path.slack[lane].gain, 0) << path.slack[lane].resource;
    }
  }
}

TEST(Replay, a_launch_without_commands_counts_from_its_end) {
  const Machine machine = quiet_machine();
  SimDevice device(machine);
  Replay replay(machine);
  device.listen({&replay});
  const Program program = isa::assemble(".vector\nhalt\n", "nothing");
  const LaunchReport report = device.wait(device.submit(on_one_core(program)));
  EXPECT_EQ(replay.first_dispatch().at, report.first_dispatch);
  EXPECT_EQ(critical_path(replay, machine, {}).missing, "nothing was dispatched");
}

INSTANTIATE_TEST_SUITE_P(Random, ReplayOf, ::testing::Range<std::uint64_t>(0, kSeeds));

}  // namespace
}  // namespace dvmsim::testing
