// The critical path of tiny programs whose every cycle can be told by hand.
#include "traces/critical_path.h"

#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

struct Told {
  LaunchReport report{};
  CriticalPath path{};
  std::vector<PathPiece> pieces{};  // front to back
};

Told told(const Machine& machine, const std::vector<std::string>& programs, int vector_cores,
          const ReplayOptions& options = {}) {
  SimOptions timing;
  timing.mode = Mode::Timing;
  SimDevice device(machine, timing);
  Replay replay(machine, options);
  device.listen({&replay});
  Told result;
  for (const std::string& text : programs) {
    const Program program = isa::assemble(text, "told");
    Launch launch{&program, {}, CodePath::Bytecode, 0, vector_cores, "told"};
    for (const Argument& argument : program.arguments) {
      launch.arguments.push_back(device.allocate(Bytes(argument.bytes)));
    }
    result.report = device.wait(device.submit(launch));
    EXPECT_FALSE(result.report.fault) << result.report.fault.text;
  }
  EXPECT_EQ(replay.contradictions() + replay.unexplained(), 0);
  result.path = critical_path(replay, machine, {});
  if (!result.path.missing.empty()) return result;
  walk_back(replay, machine,
            [&](const PathPiece& piece) { result.pieces.insert(result.pieces.begin(), piece); });
  return result;
}

std::int64_t cycles_of(const CriticalPath& path, const std::string& label) {
  std::int64_t sum = 0;
  for (const auto& part : path.parts) {
    if (label_of(part.unit, part.cause) == label) sum += part.cycles;
  }
  return sum;
}

double gain_of(const CriticalPath& path, const std::string& resource) {
  for (const auto& item : path.slack) {
    if (item.resource == resource) return item.gain;
  }
  return -1;
}

TEST(CriticalPath, work_that_follows_work_is_all_there_is) {
  const Machine machine = quiet_machine();
  const Told run =
      told(machine, {".vector\nloop count=10\n" + std::string(kBusyLine) + "endloop\nhalt\n"}, 1);
  ASSERT_EQ(run.path.missing, "");
  const std::int64_t each = 40 + machine.vector.fixed.count();
  EXPECT_EQ(cycles_of(run.path, "vector"), 10 * each);
  EXPECT_EQ(cycles_of(run.path, "vector latency"), machine.vector.tail.count());
  EXPECT_EQ(run.path.cycles, 10 * each + machine.vector.tail.count());
  EXPECT_EQ(run.path.top.front().instruction, "vdup");
  EXPECT_EQ(run.path.top.front().commands, 10);
  const double scaled =
      10 * static_cast<double>(each) / 1.1 + static_cast<double>(machine.vector.tail.count());
  EXPECT_NEAR(gain_of(run.path, "vector"), static_cast<double>(run.path.cycles) / scaled - 1, 1e-9);
  for (const char* other : {"cube", "scalar", "mte1", "mte2", "mte3", "fix", "memory"}) {
    EXPECT_EQ(gain_of(run.path, other), 0) << other;
  }
}

TEST(CriticalPath, a_flag_costs_latency_and_hop) {
  const Machine machine = quiet_machine({"flag.hop=6cycles"});
  const Told run = told(machine,
                        {".vector\n"
                         "vdup dtype=f32 dst=0 s=0 count=64 rows=40\n"
                         "set pipe=vector other=scalar id=0\n"
                         "wait pipe=scalar other=vector id=0\n"
                         "vdup dtype=f32 dst=0 s=0 count=64 rows=40\n"
                         "halt\n"},
                        1);
  EXPECT_EQ(cycles_of(run.path, "flag"), 6);
  EXPECT_EQ(cycles_of(run.path, "vector latency"), 2 * machine.vector.tail.count());
  EXPECT_EQ(cycles_of(run.path, "vector"), run.path.cycles - 6 - 2 * machine.vector.tail.count());
}

TEST(CriticalPath, pieces_touch_from_first_dispatch_to_end) {
  const Machine machine = host_machine({"launch.vector=1us", "launch.exit=100ns"});
  const std::string busy = ".vector\nloop count=3\n" + std::string(kBusyLine) + "endloop\nhalt\n";
  const Told run = told(machine, {busy, busy, busy}, 2);
  ASSERT_FALSE(run.pieces.empty());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < run.pieces.size(); ++i) {
    if (i > 0) {
      EXPECT_EQ(run.pieces[i].begin, run.pieces[i - 1].end);
    }
    sum += (run.pieces[i].end - run.pieces[i].begin).count();
  }
  EXPECT_EQ(run.pieces.back().end, run.report.end);
  EXPECT_EQ(sum, run.path.cycles);
  EXPECT_GT(cycles_of(run.path, "host"), 0);
  // Two heads of 1 us lie inside the run, and an exit ends each of its three launches.
  EXPECT_EQ(cycles_of(run.path, "launch"), 2 * 1000 + 3 * 100);
}

TEST(CriticalPath, a_host_that_waits_for_a_launch_goes_on_earlier_when_it_ends_earlier) {
  const Machine machine = host_machine({"launch.vector=1us"});
  const std::string busy = ".vector\nloop count=300\n" + std::string(kBusyLine) + "endloop\nhalt\n";
  const Told run = told(machine, {busy, busy, busy}, 1);
  const std::int64_t work = cycles_of(run.path, "vector");
  EXPECT_EQ(work, 3 * 300 * (40 + machine.vector.fixed.count()));
  EXPECT_GT(cycles_of(run.path, "host"), 2 * 5000);  // two times host.synchronize
  const double scaled =
      static_cast<double>(run.path.cycles - work) + static_cast<double>(work) / 1.1;
  EXPECT_NEAR(gain_of(run.path, "vector"), static_cast<double>(run.path.cycles) / scaled - 1, 1e-9);
}

TEST(CriticalPath, a_program_for_many_operators_is_named_after_its_launch) {
  const std::string busy = ".vector\n.mark operator vdup\n" + std::string(kBusyLine) + "halt\n";
  EXPECT_EQ(told(quiet_machine(), {busy}, 1).path.top.front().operation, "told");
}

TEST(CriticalPath, decoding_that_keeps_the_pipe_waiting_is_the_path) {
  const Machine machine = quiet_machine({"decode.dispatch.nominal=500cycles"});
  const Told run =
      told(machine, {".vector\nloop count=8\n" + std::string(kBusyLine) + "endloop\nhalt\n"}, 1);
  EXPECT_GT(cycles_of(run.path, "vector.scalar"), run.path.cycles * 8 / 10);
  EXPECT_GT(gain_of(run.path, "scalar"), 0.07);
  EXPECT_LT(gain_of(run.path, "vector"), 0.02);
}

TEST(CriticalPath, beyond_its_limit_there_is_none_but_the_slack_stays) {
  const Machine machine = quiet_machine();
  const std::string busy = ".vector\nloop count=50\n" + std::string(kBusyLine) + "endloop\nhalt\n";
  const Told cut = told(machine, {busy}, 1, {1.1, 20});
  EXPECT_NE(cut.path.missing.find("more than 20 steps"), std::string::npos) << cut.path.missing;
  EXPECT_TRUE(cut.path.parts.empty());
  EXPECT_EQ(gain_of(cut.path, "vector"), gain_of(told(machine, {busy}, 1).path, "vector"));
}

TEST(CriticalPath, no_gain_beyond_what_memory_needs) {
  const Machine machine = quiet_machine();
  Replay replay(machine);
  SimDevice device(machine);
  device.listen({&replay});
  const Program program = busy_program(10);
  const LaunchReport report = device.wait(device.submit(on_one_core(program)));
  const std::int64_t total = (report.end - report.first_dispatch).count();
  const CriticalPath path = critical_path(replay, machine, {total, 0});
  EXPECT_EQ(gain_of(path, "vector"), 0);
}

}  // namespace
}  // namespace dvmsim::testing
