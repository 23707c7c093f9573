// Flags between cores as arithmetic on time stamps.
#include <gtest/gtest.h>

#include "sim/core/cross.h"
#include "tests/sim/rig.h"

namespace dvmsim::testing {
namespace {

using isa::CrossMode;

struct Woken : Neighbours {
  void wake(int core) override { ++times[core]; }
  std::map<int, int> times{};
};

/// Two cube cores (0, 1) and four vector cores (2..5): groups {0, 2, 3} and {1, 4, 5}.
struct Board {
  Board() { cross.begin({{0, 2}, {0, 4}}); }
  void set(int core, std::int64_t time, CrossMode mode) {
    cross.set(core, 3, mode, {Cycles(time), {}});
  }
  std::int64_t take(int core, CrossMode mode) {
    auto& tokens = cross.tokens(core, 3, mode);
    return tokens.empty() ? -1 : tokens.pop().time.count();
  }
  Machine machine = quiet_machine({"cores.cube=2", "cores.vector=4"});
  Woken woken{};
  CrossBoard cross{machine, woken};
};

TEST(CrossBoard, all_cores_of_a_kind_meet_at_the_latest) {
  Board board;
  for (int core : {2, 4, 5}) board.set(core, 10 * core, CrossMode::All);
  EXPECT_EQ(board.take(2, CrossMode::All), -1);
  board.set(3, 7, CrossMode::All);
  for (int core : {2, 3, 4, 5}) EXPECT_EQ(board.take(core, CrossMode::All), 50);
  EXPECT_EQ(board.take(0, CrossMode::All), -1);
  EXPECT_EQ(board.woken.times, (std::map<int, int>{{2, 1}, {3, 1}, {4, 1}, {5, 1}}));
}

TEST(CrossBoard, kth_sets_count_together_when_a_core_runs_ahead) {
  Board board;
  board.set(0, 5, CrossMode::All);
  board.set(0, 6, CrossMode::All);
  board.set(0, 7, CrossMode::All);
  board.set(1, 1, CrossMode::All);
  EXPECT_EQ(board.take(1, CrossMode::All), 5);
  EXPECT_EQ(board.take(1, CrossMode::All), -1);
  board.set(1, 100, CrossMode::All);
  EXPECT_EQ(board.take(1, CrossMode::All), 100);
}

TEST(CrossBoard, pair_stays_within_a_group) {
  Board board;
  board.set(2, 5, CrossMode::Pair);
  board.set(4, 6, CrossMode::Pair);
  EXPECT_EQ(board.take(3, CrossMode::Pair), -1);
  board.set(3, 9, CrossMode::Pair);
  EXPECT_EQ(board.take(2, CrossMode::Pair), 9);
  EXPECT_EQ(board.take(3, CrossMode::Pair), 9);
  EXPECT_EQ(board.take(5, CrossMode::Pair), -1);
}

TEST(CrossBoard, cube_core_tells_each_vector_core_of_its_group) {
  Board board;
  board.set(1, 42, CrossMode::Group);
  EXPECT_EQ(board.take(4, CrossMode::Group), 42);
  EXPECT_EQ(board.take(5, CrossMode::Group), 42);
  EXPECT_EQ(board.take(2, CrossMode::Group), -1);
  EXPECT_EQ(board.take(1, CrossMode::Group), -1);
}

TEST(CrossBoard, vector_cores_of_a_group_count_once_for_the_cube_core) {
  Board board;
  board.set(2, 42, CrossMode::Group);
  EXPECT_EQ(board.take(0, CrossMode::Group), -1);
  board.set(3, 12, CrossMode::Group);
  EXPECT_EQ(board.take(0, CrossMode::Group), 42);
}

TEST(CrossBoard, core_that_takes_no_part_is_not_waited_for) {
  Board board;
  board.cross.begin({{0, 1}, {0, 1}});
  board.set(2, 9, CrossMode::Group);
  EXPECT_EQ(board.take(0, CrossMode::Group), 9);
}

TEST(CrossBoard, a_team_in_the_middle_is_its_own) {
  Board board;
  board.cross.begin({{1, 1}, {2, 2}});
  board.set(4, 3, CrossMode::All);
  EXPECT_EQ(board.take(4, CrossMode::All), -1);
  board.set(5, 8, CrossMode::All);
  EXPECT_EQ(board.take(4, CrossMode::All), 8);
  board.set(1, 5, CrossMode::Group);
  EXPECT_EQ(board.take(4, CrossMode::Group), 5);
  EXPECT_EQ(board.take(2, CrossMode::Group), -1);
}

TEST(CrossBoard, latency_is_seen_by_the_waiting_pipe) {
  const Machine machine = quiet_machine({"xflag.latency=77cycles"});
  const Simulated outcome = simulate(machine, R"(.vector
vadds dtype=f32 dst=0 a=0 s=f32:1 count=64
xset pipe=vector id=1 mode=all
xwait pipe=mte3 id=1 mode=all
halt
)");
  ASSERT_FALSE(outcome.report.fault) << outcome.report.fault.text;
  const RowId vector{kVector0, Pipe::Vector}, mte3{kVector0, Pipe::MTE3};
  const auto set = outcome.record.work(vector), wait = outcome.record.work(mte3);
  ASSERT_EQ(set.size(), 2u);
  ASSERT_EQ(wait.size(), 1u);
  const Cycles visible = std::max(set[0].visible, set[1].visible);
  EXPECT_EQ(wait[0].begin, visible + Cycles(77));
  EXPECT_GT(outcome.record.cycles(mte3, Reason::WaitCrossCore), 0);
}

}  // namespace
}  // namespace dvmsim::testing
