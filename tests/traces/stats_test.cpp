#include "traces/stats.h"

#include <gtest/gtest.h>

#include <vector>

namespace dvmsim {
namespace {

const CoreId kCore{CoreKind::Vector, 0};

Span span(Pipe pipe, int begin, int end, Reason reason) {
  return {{kCore, pipe}, Cycles(begin), Cycles(end), reason, nullptr, Cycles(end)};
}

/// A core that fetches for 100 cycles, dispatches at 130, loads until 200 and finishes at 230.
Stats small_run() {
  Stats stats;
  stats.on_span(span(Pipe::Scalar, 0, 100, Reason::EmptyFetch));
  stats.on_span(span(Pipe::Scalar, 100, 160, Reason::Work));
  stats.on_span(span(Pipe::MTE2, 0, 100, Reason::EmptyFetch));
  stats.on_span(span(Pipe::MTE2, 100, 130, Reason::EmptyDecode));
  stats.on_span(span(Pipe::MTE2, 130, 180, Reason::Work));
  stats.on_span(span(Pipe::MTE2, 180, 200, Reason::WaitMemory));
  return stats;
}

LaunchReport report(int first, int end) {
  LaunchReport launch;
  launch.first_dispatch = Cycles(first);
  launch.end = Cycles(end);
  launch.commands = 3;
  launch.decode = Cycles(40);
  return launch;
}

TEST(Stats, fills_every_row_to_the_cycles_of_the_run) {
  Stats stats = small_run();
  stats.close(Cycles(130), Cycles(230));
  ASSERT_EQ(stats.rows().size(), 2u);
  for (const RowSum& row : stats.rows()) EXPECT_EQ(row.total(), 100) << name_of(row.row);
}

TEST(Stats, cuts_what_lies_before_the_first_dispatch) {
  Stats stats = small_run();
  stats.close(Cycles(120), Cycles(230));
  const auto rows = stats.rows();
  EXPECT_EQ(rows[0].of(Reason::EmptyFetch), 0);
  EXPECT_EQ(rows[0].of(Reason::Work), 40);
  EXPECT_EQ(rows[1].of(Reason::EmptyDecode), 10);
  EXPECT_EQ(rows[1].of(Reason::Work), 50);
  EXPECT_EQ(rows[1].of(Reason::WaitMemory), 20);
  EXPECT_EQ(rows[1].of(Reason::Idle), 30);
}

TEST(Stats, takes_the_run_from_the_launches_added) {
  Stats stats = small_run();
  stats.add(report(130, 230));
  stats.add(report(300, 450));
  stats.close();
  EXPECT_EQ(stats.cycles(), Cycles(320));
  EXPECT_EQ(stats.firmware().commands, 6);
  EXPECT_EQ(stats.firmware().decode, Cycles(80));
  EXPECT_EQ(stats.firmware().launches, 2);
}

TEST(Stats, keeps_later_launches_whole) {
  Stats stats = small_run();
  stats.on_span(span(Pipe::MTE2, 300, 340, Reason::Work));
  stats.close(Cycles(130), Cycles(400));
  EXPECT_EQ(stats.work(CoreKind::Vector, Pipe::MTE2), 90);
}

TEST(Stats, sums_host_time_by_thread_and_work) {
  Stats stats;
  stats.on_host({HostThread::Front, HostWork::Encode, "a", 100, 400});
  stats.on_host({HostThread::Queue, HostWork::Launch, "a", 400, 900});
  stats.on_host({HostThread::Front, HostWork::Encode, "b", 400, 500});
  EXPECT_EQ(stats.host_ns(HostThread::Front, HostWork::Encode), 400);
  EXPECT_EQ(stats.host_ns(HostWork::Launch), 500);
  EXPECT_EQ(stats.host_end_ns(), 900);
}

TEST(Stats, sums_bytes_by_place) {
  Stats stats;
  stats.on_traffic({Place::HbmRead, Bytes(512), Cycles(0), Cycles(1)});
  stats.on_traffic({Place::HbmRead, Bytes(512), Cycles(1), Cycles(2)});
  stats.on_traffic({Place::L2Hit, Bytes(64), Cycles(1), Cycles(2)});
  EXPECT_EQ(stats.bytes(Place::HbmRead), Bytes(1024));
  EXPECT_EQ(stats.bytes(Place::HbmWrite), Bytes(0));
  EXPECT_EQ(stats.bytes(Place::L2Hit), Bytes(64));
}

TEST(StatsDeathTest, overlapping_spans_break_the_invariant) {
  Stats stats = small_run();
  EXPECT_DEATH(stats.on_span(span(Pipe::MTE2, 199, 210, Reason::Work)), "never overlap");
}

TEST(StatsDeathTest, work_after_the_end_breaks_the_invariant) {
  Stats stats = small_run();
  EXPECT_DEATH(stats.close(Cycles(130), Cycles(199)), "after the end of the run");
}

TEST(Stats, leaves_out_pipes_that_the_core_does_not_have) {
  Stats stats = small_run();
  stats.on_span(span(Pipe::Cube, 0, 200, Reason::Idle));
  stats.close(Cycles(130), Cycles(230));
  EXPECT_EQ(stats.rows().size(), 2u);
}

TEST(Stats, names_rows_by_core_and_pipe) {
  EXPECT_EQ(name_of(RowId{{CoreKind::Cube, 12}, Pipe::MTE1}), "cube12.mte1");
}

}  // namespace
}  // namespace dvmsim
