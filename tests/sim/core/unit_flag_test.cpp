// A tile between the cube and FixPipe at the exact cycle, with and without the unit bit.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/sim/rig.h"

namespace dvmsim::testing {
namespace {

constexpr std::int64_t kHop = 3, kGap = 8, kTail = 2, kRead = 4;
constexpr RowId kCubeRow{kCube0, Pipe::Cube}, kFixRow{kCube0, Pipe::Fix};

/// product, write, product again: m x n tiles, k deep, at no cost but the instructions'.
struct Handover {
  RecordedSpan first{}, write{}, second{};
};
Handover hand_over(std::int64_t m, std::int64_t n, std::int64_t k, bool unit) {
  const Machine machine =
      quiet_machine({fmt::format("flag.hop={}cycles", kHop), fmt::format("cube.gap={}cycles", kGap),
                     fmt::format("cube.tail={}cycles", kTail), "cube.head=0cycles",
                     fmt::format("fix.tail={}cycles", kRead), "fix.l0c_to_gm=64B/cycle",
                     "fix.issue_gap=1cycles", "l2.write=1PB/s", "l2.same_line=0cycles"});
  const std::string bit = unit ? " unit" : "";
  const std::string product =
      fmt::format("mmad dtype=f16 c=0 a=0 b=0 m={} k={} n={} init=zero", m, k, n);
  const Simulated outcome = simulate(machine,
                                     fmt::format(R"(.arg output c 65536
.cube
  ldarg rd=r10 index=0
  {0} set=fix.0{1}
  fix dtype=f32 dst=r10 src=0 m={2} n={3} stride=1024 wait=cube.0 set=cube.0{1}
  {0} wait=fix.0{1}
  halt
)",
                                                 product, bit, m, n),
                                     {.options = {.mode = Mode::Timing}, .cube_cores = 1});
  EXPECT_FALSE(outcome.report.fault) << outcome.report.fault.text;
  const auto cube = outcome.record.work(kCubeRow), fix = outcome.record.work(kFixRow);
  if (cube.size() != 2 || fix.size() != 1) {
    ADD_FAILURE() << "two products and one write";
    return {};
  }
  return {cube[0], fix[0], cube[1]};
}

TEST(UnitFlag, without_the_bit_a_tile_is_handed_over_whole) {
  const Handover tile = hand_over(32, 32, 64, false);
  EXPECT_EQ(tile.write.begin, tile.first.end + Cycles(kTail + kHop));
  EXPECT_EQ(tile.second.begin, tile.write.end + Cycles(kRead + kHop));
}

TEST(UnitFlag, a_slower_reader_starts_with_the_first_granule) {
  const Handover tile = hand_over(32, 32, 64, true);
  const Cycles busy = tile.first.end - tile.first.begin;
  ASSERT_EQ(busy, Cycles(kGap + 2 * 2 * 4));
  // 4 KiB are 8 granules: 3 cycles each of the product's 24, 8 of the write's 64.
  EXPECT_EQ(tile.write.begin, tile.first.begin + Cycles(3 + kTail + kHop));
  ASSERT_EQ(tile.write.end - tile.write.begin, Cycles(64));
  // The next product is at its last granule after the last one has been read.
  EXPECT_EQ(tile.second.begin, tile.write.end + Cycles(kRead + kHop + 3) - busy);
}

TEST(UnitFlag, a_faster_reader_ends_one_granule_after_the_writer) {
  const Handover tile = hand_over(16, 16, 512, true);
  ASSERT_EQ(tile.first.end - tile.first.begin, Cycles(kGap + 32));
  ASSERT_EQ(tile.write.end - tile.write.begin, Cycles(32));  // two granules: short rows
  EXPECT_EQ(tile.write.end, tile.first.end + Cycles(kTail + kHop + 16));
  EXPECT_EQ(tile.second.begin, tile.write.begin + Cycles(16 + kRead + kHop));
}

}  // namespace
}  // namespace dvmsim::testing
