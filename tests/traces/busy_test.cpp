// Busy time as a profiler counts it: start to visible, overlaps once, averages over cores.
#include "traces/busy.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

constexpr auto kMte2 = static_cast<std::size_t>(Pipe::MTE2);
constexpr auto kScalar = static_cast<std::size_t>(Pipe::Scalar);

void work(Busy& busy, int core, std::int64_t begin, std::int64_t end, std::int64_t visible,
          isa::Op op = isa::Op::load) {
  isa::Command command;
  command.op = op;
  busy.on_span({{{CoreKind::Vector, core}, Pipe::MTE2},
                Cycles(begin),
                Cycles(end),
                Reason::Work,
                &command,
                Cycles(visible)});
}
void scalar(Busy& busy, int core, std::int64_t begin, std::int64_t end, Reason reason) {
  busy.on_span({{{CoreKind::Vector, core}, Pipe::Scalar}, Cycles(begin), Cycles(end), reason});
}

TEST(Busy, counts_from_start_to_visible_and_overlaps_once) {
  Busy busy;
  scalar(busy, 0, 0, 500, Reason::Work);
  work(busy, 0, 10, 30, 231);
  work(busy, 0, 16, 36, 237);                  // 6 more
  work(busy, 0, 100, 120, 130);                // inside
  work(busy, 0, 300, 320, 310);                // held longer than it takes to be seen
  work(busy, 0, 400, 401, 450, isa::Op::set);  // flags move nothing
  busy.on_launch_end({});
  EXPECT_EQ(busy.of(CoreKind::Vector).pipes[kMte2], 227 + 20);
}

TEST(Busy, fixpipe_is_done_when_the_accumulators_are_read) {
  Busy busy;
  isa::Command command;
  command.op = isa::Op::fix;
  const RowId fix{{CoreKind::Cube, 0}, Pipe::Fix};
  busy.on_span({{{CoreKind::Cube, 0}, Pipe::Scalar}, Cycles(0), Cycles(9), Reason::Work});
  busy.on_span({fix, Cycles(0), Cycles(800), Reason::Work, &command, Cycles(1000), Cycles(800),
                Cycles(837)});
  busy.on_launch_end({});
  EXPECT_EQ(busy.of(CoreKind::Cube).pipes[static_cast<std::size_t>(Pipe::Fix)], 837);
}

TEST(Busy, averages_over_the_cores_that_took_part_and_sums_launches) {
  Busy busy;
  scalar(busy, 0, 0, 50, Reason::Idle);
  scalar(busy, 0, 50, 90, Reason::Work);
  scalar(busy, 0, 90, 150, Reason::WaitResult);
  scalar(busy, 2, 50, 90, Reason::Work);
  scalar(busy, 1, 0, 500, Reason::Idle);
  work(busy, 0, 60, 70, 80);
  busy.on_launch_end({});
  scalar(busy, 1, 500, 507, Reason::Work);
  busy.on_launch_end({});
  const BusySum& sum = busy.of(CoreKind::Vector);
  EXPECT_EQ(sum.core, (100 + 40) / 2 + 7);
  EXPECT_EQ(sum.longest_core, 100 + 7);
  EXPECT_EQ(sum.pipes[kScalar], 40 + 7);
  EXPECT_EQ(sum.pipes[kMte2], 10);
  EXPECT_TRUE(busy.took_part(CoreKind::Vector));
  EXPECT_FALSE(busy.took_part(CoreKind::Cube));
}

TEST(Busy, names_are_those_of_the_report) {
  EXPECT_EQ(busy_name(CoreKind::Cube, Pipe::Cube), "aic_mac_us");
  EXPECT_EQ(busy_name(CoreKind::Vector, Pipe::Vector), "aiv_vec_us");
  EXPECT_EQ(busy_name(CoreKind::Unified, Pipe::MTE2), "ai_mte2_us");
  EXPECT_EQ(busy_name(CoreKind::Cube), "aic_us");
}

}  // namespace
}  // namespace dvmsim
