// The host's two threads and the device stream on one time line.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

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
  for (int i = 0; i < 300; ++i) text += kBusyLine;
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

}  // namespace
}  // namespace dvmsim::testing
