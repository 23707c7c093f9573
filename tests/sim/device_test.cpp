// The device as the host sees it: one time line for two host threads and a stream, buffers, caches
// that live from launch to launch, several devices at once.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

/// One cycle is one nanosecond.
Machine host_machine(const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = {"clock.core=1GHz", "host.submit=2us", "host.relocate=10ns",
                                   "host.synchronize=5us"};
  sets.insert(sets.end(), more.begin(), more.end());
  return quiet_machine(sets);
}

const std::string kBusy = "vdup dtype=f32 dst=0 s=0 count=64 rows=40\n";

Program busy_program(int instructions) {
  return isa::assemble(
      ".vector\nloop count=" + std::to_string(instructions) + "\n" + kBusy + "endloop\nhalt\n",
      "busy");
}

Launch on_one_core(const Program& program) {
  return {&program, {}, CodePath::Bytecode, 0, 1, "busy"};
}

TEST(Timeline, launch_begins_when_the_queue_thread_has_handed_it_over) {
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  device.host_work(HostWork::Compile, 700, HostThread::Front, "compile");
  Launch launch = on_one_core(program);
  launch.arguments = {1, 2, 3};
  const LaunchReport report = device.wait(device.submit(launch));
  EXPECT_EQ(report.begin, Cycles(700 + 3 * 10 + 2000));
  EXPECT_EQ(device.host_ns(), report.end.count() + 5000);
}

TEST(Timeline, launches_of_a_stream_follow_one_another) {
  const Program program = busy_program(500);
  SimDevice device(host_machine());
  const Ticket first = device.submit(on_one_core(program));
  const Ticket second = device.submit(on_one_core(program));
  const LaunchReport a = device.wait(first), b = device.wait(second);
  ASSERT_GT(a.end, Cycles(4000));  // the host is ahead
  EXPECT_EQ(b.begin, a.end);
}

TEST(Timeline, host_threads_work_at_the_same_time) {
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  device.host_work(HostWork::Encode, 100, HostThread::Front, "encode");
  device.submit(on_one_core(program));  // queue thread: 100 to 2100
  device.host_work(HostWork::Encode, 300, HostThread::Front, "encode");
  EXPECT_EQ(device.host_ns(), 400);
  const Ticket second = device.submit(on_one_core(program));
  EXPECT_EQ(device.wait(second).begin, Cycles(4100));
}

TEST(Timeline, long_programs_are_copied_first) {
  std::string text = ".vector\n";
  for (int i = 0; i < 300; ++i) text += kBusy;
  const Program program = isa::assemble(text + "halt\n", "long");
  ASSERT_GT(program.bytes(), 4096);
  Recorder record;
  SimDevice device(host_machine({"launch.copy=5us", "launch.copy_rate=1B/cycle"}));
  device.listen({&record});
  const LaunchReport report = device.wait(device.submit(on_one_core(program)));
  EXPECT_EQ(report.begin, Cycles(5000 + program.bytes() + 2000));
  ASSERT_EQ(record.host.size(), 2u);
  EXPECT_EQ(record.host[0].work, HostWork::Copy);
  EXPECT_EQ(record.host[0].thread, HostThread::Queue);
  EXPECT_EQ(record.host[0].end_ns, 5000 + program.bytes());
  EXPECT_EQ(record.host[1].begin_ns, record.host[0].end_ns);
}

TEST(Timeline, full_stream_makes_the_queue_thread_wait) {
  const Program program = busy_program(500);
  SimDevice device(host_machine({"launch.stream_depth=1"}));
  const Ticket first = device.submit(on_one_core(program));
  const Ticket second = device.submit(on_one_core(program));
  EXPECT_EQ(device.wait(second).begin, device.wait(first).end + Cycles(2000));
}

TEST(Timeline, faster_host_spends_less) {
  const Program program = busy_program(1);
  SimDevice device(host_machine({"host.speed=4"}));
  EXPECT_EQ(device.wait(device.submit(on_one_core(program))).begin, Cycles(500));
}

TEST(Timeline, cores_start_after_the_launch_head_with_their_skew) {
  const Program program = busy_program(1);
  Recorder record;
  SimDevice device(host_machine({"launch.vector=1us", "launch.per_core=100ns", "launch.skew=50ns",
                                 "launch.entry=30ns", "launch.exit=20ns"}));
  device.listen({&record});
  Launch launch = on_one_core(program);
  launch.vector_cores = 2;
  const LaunchReport report = device.wait(device.submit(launch));
  for (int core : {0, 1}) {
    const auto& scalar = record.rows.at({{CoreKind::Vector, core}, Pipe::Scalar});
    EXPECT_EQ(scalar[0].reason, Reason::Idle);
    EXPECT_EQ(scalar[0].end, report.begin + Cycles(1000 + 2 * 100 + core * 50));
    EXPECT_EQ(scalar[1].end - scalar[1].begin, Cycles(30));
    EXPECT_EQ(scalar.back().end - scalar.back().begin, Cycles(20));
  }
  EXPECT_EQ(report.first_dispatch, report.begin + Cycles(1200 + 30));
}

const Program& load_program_of_a_page() {
  static const Program program = isa::assemble(R"(.arg input x 4096
.vector
ldarg rd=r4 index=0
load dst=0 src=r4 len=4096
halt
)",
                                               "load");
  return program;
}

TEST(SimDevice, cache_survives_from_launch_to_launch_until_it_is_flushed) {
  Recorder record;
  SimDevice device(quiet_machine());
  const std::uint64_t address = device.allocate(Bytes(4096));
  const Launch launch{&load_program_of_a_page(), {address}, CodePath::Bytecode, 0, 1, "load"};
  device.submit(launch);
  device.listen({&record});
  device.submit(launch);
  EXPECT_EQ(record.bytes[Place::HbmRead], 0);
  device.flush();
  device.submit(launch);
  EXPECT_EQ(record.bytes[Place::HbmRead], 4096);
}

TEST(SimDevice, warmed_ranges_are_hits) {
  Recorder record;
  SimDevice device(quiet_machine());
  device.listen({&record});
  const std::uint64_t address = device.allocate(Bytes(4096));
  device.warm(address, Bytes(4096));
  device.submit({&load_program_of_a_page(), {address}, CodePath::Bytecode, 0, 1, "load"});
  EXPECT_EQ(record.bytes[Place::HbmRead], 0);
  EXPECT_EQ(record.bytes[Place::L2Hit], 4096);
}

TEST(SimDevice, devices_take_turns) {
  const Program program = busy_program(9);
  SimDevice alone(host_machine());
  std::vector<Cycles> expected;
  for (int i = 0; i < 3; ++i)
    expected.push_back(alone.wait(alone.submit(on_one_core(program))).end);
  SimDevice a(host_machine()), b(host_machine());
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(a.wait(a.submit(on_one_core(program))).end, expected[static_cast<std::size_t>(i)]);
    EXPECT_EQ(b.wait(b.submit(on_one_core(program))).end, expected[static_cast<std::size_t>(i)]);
  }
}

TEST(SimDevice, many_devices_in_one_process) {
  const Program program = busy_program(1);
  Cycles end{};
  for (int i = 0; i < 50; ++i) {
    SimDevice device(host_machine());
    const Cycles now = device.wait(device.submit(on_one_core(program))).end;
    if (i == 0) end = now;
    EXPECT_EQ(now, end);
  }
}

TEST(SimDevice, refuses_what_the_machine_does_not_have) {
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  Launch launch = on_one_core(program);
  launch.vector_cores = 3;
  EXPECT_THROW(device.submit(launch), Error);
  launch.vector_cores = 1;
  launch.cube_cores = 1;
  EXPECT_THROW(device.submit(launch), Error);  // no code for it
  std::vector<std::byte> bytes(8);
  EXPECT_THROW(device.read(64, bytes), Error);
  EXPECT_THROW(device.write(64, bytes), Error);
}

TEST(SimDevice, timing_mode_has_no_data_to_read) {
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(host_machine(), options);
  const std::uint64_t address = device.allocate(Bytes(std::int64_t{32} << 20));
  std::vector<std::byte> bytes(8);
  device.write(address, bytes);
  EXPECT_THROW(device.read(address, bytes), Error);
}

TEST(SimDevice, later_launches_run_after_a_fault) {
  const Program stuck = isa::assemble(".vector\nwait pipe=vector other=mte2 id=0\nhalt\n", "stuck");
  const Program program = busy_program(1);
  SimDevice device(host_machine());
  EXPECT_EQ(device.wait(device.submit(on_one_core(stuck))).fault.kind, FaultKind::Deadlock);
  EXPECT_FALSE(device.wait(device.submit(on_one_core(program))).fault);
}

}  // namespace
}  // namespace dvmsim::testing
