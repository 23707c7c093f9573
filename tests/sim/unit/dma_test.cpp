// Copies at the exact cycle: pieces, chunks, the window of granules in flight, work against
// waiting.
#include <gtest/gtest.h>

#include "sim/unit/dma.h"
#include "tests/sim/rig.h"
#include "vm/isa/cost.h"

namespace dvmsim::testing {
namespace {

/// Loads to UB at 64 B/cycle over a port of latency 100; L2 hits take 30 more. Chunks are 1 KiB.
std::vector<std::string> plain_port() {
  return {"mte2.gm_to_ub=64B/cycle", "mte2.latency=100cycles",   "mte2.issue_gap=20cycles",
          "mte2.outstanding_ub=64",  "l2.read_latency=30cycles", "dma.chunk=1KiB",
          "dma.request=512B",        "dma.least_request=128B"};
}
Machine port_machine(const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = plain_port();
  sets.insert(sets.end(), more.begin(), more.end());
  return quiet_machine(sets);
}
constexpr RowId kLoads{kVector0, Pipe::MTE2};

Simulated load(const Machine& machine, const std::string& operands) {
  Setting setting;
  setting.vector_cores = 1;
  setting.options.memory = MemoryModel::Ideal;
  return simulate(
      machine, ".arg input x 65536\n.vector\nldarg rd=r4 index=0\n" + operands + "halt\n", setting);
}

/// Cut so many at a time.
std::vector<Piece> pieces_of(const isa::Region& region, const Machine& machine,
                             std::size_t together = 3) {
  PieceCutter cutter{Cutting(machine)};
  std::vector<Piece> pieces, room(together);
  for (cutter.begin(region); !cutter.done();) {
    const PieceCutter::Cut cut = cutter.cut(room);
    std::int64_t moved = 0;
    for (const Piece& piece : cut.pieces) moved += piece.moved;
    EXPECT_EQ(cut.moved, moved);
    pieces.insert(pieces.end(), cut.pieces.begin(), cut.pieces.end());
  }
  return pieces;
}

TEST(PieceCutter, cuts_runs_at_granules_and_rounds_what_moves) {
  isa::Region region{Space::GM, isa::Access::Read, 500, 600, 1};
  const auto pieces = pieces_of(region, port_machine());
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].bytes, 12);
  EXPECT_EQ(pieces[0].moved, 128);
  EXPECT_FALSE(pieces[0].whole());
  EXPECT_EQ(pieces[1].address, 512u);
  EXPECT_EQ(pieces[1].bytes, 512);
  EXPECT_EQ(pieces[1].moved, 512);
  EXPECT_EQ(pieces[2].bytes, 76);
  EXPECT_EQ(pieces[2].moved, 128);
}

TEST(PieceCutter, cuts_the_same_whatever_there_is_room_for) {
  isa::Region region{Space::GM, isa::Access::Read, 1000, 1024, 5, 1024};
  region.outer[0] = 3, region.outer_stride[0] = 7000;
  region.outer[1] = 2, region.outer_stride[1] = 512 * 64;
  const auto one = pieces_of(region, port_machine(), 1);
  std::int64_t bytes = 0;
  for (const Piece& piece : one) bytes += piece.bytes;
  EXPECT_EQ(bytes, region.bytes());
  for (std::size_t together : {2u, 7u, 8u, 1000u}) {
    const auto pieces = pieces_of(region, port_machine(), together);
    ASSERT_EQ(pieces.size(), one.size()) << together;
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_EQ(pieces[i].address, one[i].address) << together;
      EXPECT_EQ(pieces[i].bytes, one[i].bytes) << together;
      EXPECT_EQ(pieces[i].moved, one[i].moved) << together;
    }
  }
}

TEST(PieceCutter, requests_are_aligned_blocks) {
  const auto moved = [](std::int64_t offset, std::int64_t bytes) {
    return isa::request_bytes(offset, bytes, 128, 512);
  };
  EXPECT_EQ(moved(0, 128), 128);
  EXPECT_EQ(moved(300, 84), 128);   // 256..384
  EXPECT_EQ(moved(300, 212), 256);  // 256..512
  EXPECT_EQ(moved(200, 100), 512);  // across the middle
  EXPECT_EQ(moved(0, 400), 512);
}

TEST(PieceCutter, runs_without_a_gap_share_requests) {
  isa::Region region{Space::GM, isa::Access::Read, 0, 96, 16, 96};
  const auto pieces = pieces_of(region, port_machine());
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[0].bytes, 512);
  EXPECT_TRUE(pieces[0].whole());
}

TEST(PieceCutter, walks_rows_then_outer_dimensions) {
  isa::Region region{Space::GM, isa::Access::Read, 0, 32, 2, 1024, {2, 2}, {64, 8192}};
  std::vector<std::uint64_t> addresses;
  for (const Piece& piece : pieces_of(region, port_machine())) addresses.push_back(piece.address);
  EXPECT_EQ(addresses, (std::vector<std::uint64_t>{0, 1024, 64, 1088, 8192, 9216, 8256, 9280}));
}

TEST(Dma, short_copy_takes_the_gap_and_the_latency) {
  const Simulated outcome = load(port_machine(), "load dst=0 src=r4 len=512\n");
  const auto work = outcome.record.work(kLoads);
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].end - work[0].begin, Cycles(20));
  EXPECT_EQ(work[0].visible - work[0].begin, Cycles(100 + 30));
}

TEST(Dma, long_copy_holds_the_port_for_its_bytes) {
  const Simulated outcome = load(port_machine(), "load dst=0 src=r4 len=8192\n");
  const auto work = outcome.record.work(kLoads);
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].end - work[0].begin, Cycles(8192 / 64));
  // The last of sixteen granules is sent when fifteen have crossed.
  EXPECT_EQ(work[0].visible - work[0].begin, Cycles(15 * 8 + 130));
  EXPECT_EQ(outcome.record.cycles(kLoads, Reason::WaitMemory), 0);
}

TEST(Dma, port_waits_while_too_many_granules_are_in_flight) {
  const Simulated outcome =
      load(port_machine({"mte2.outstanding_ub=4"}), "load dst=0 src=r4 len=8192\n");
  const auto work = outcome.record.work(kLoads);
  ASSERT_EQ(work.size(), 1u);
  // Two chunks of two granules are in flight: a pair every 130 cycles, the second 16 after the
  // first.
  EXPECT_EQ(work[0].end - work[0].begin, Cycles(128));
  EXPECT_EQ(work[0].visible - work[0].begin, Cycles(3 * 130 + 16 + 8 + 130));
  EXPECT_EQ(outcome.record.cycles(kLoads, Reason::WaitMemory), 3 * 130 + 2 * 16 - 128);
}

TEST(Dma, window_outlives_the_command) {
  const std::string two = "load dst=0 src=r4 len=1024\nload dst=1024 src=r4 len=1024\n";
  const Simulated wide = load(port_machine(), two);
  const Simulated narrow = load(port_machine({"mte2.outstanding_ub=2"}), two);
  EXPECT_EQ(wide.record.work(kLoads)[1].visible - wide.report.begin, Cycles(20 + 8 + 130));
  EXPECT_EQ(narrow.record.work(kLoads)[1].visible - narrow.report.begin, Cycles(130 + 8 + 130));
}

TEST(Dma, short_rows_move_more_than_their_bytes) {
  const Simulated outcome =
      load(port_machine(), "load dst=0 src=r4 len=32 rows=64 dstride=32 sstride=512\n");
  EXPECT_EQ(outcome.record.work(kLoads)[0].end - outcome.record.work(kLoads)[0].begin,
            Cycles(64 * 128 / 64));
}

/// Law: alone on an idle machine a copy takes what the cost model says, but for the rounding of
/// each chunk.
TEST(Dma, copy_alone_takes_what_its_cost_says) {
  const Machine machine = port_machine({"mte2.gm_to_ub=60B/cycle"});
  for (const char* text : {"load dst=0 src=r4 len=8192", "load dst=0 src=r4 len=96",
                           "load dst=0 src=r4 len=700 rows=5 "
                           "dstride=704 sstride=1000",
                           "store dst=r4 src=0 len=5000 dtype=u8"}) {
    const Simulated outcome = load(machine, std::string(text) + "\n");
    ASSERT_FALSE(outcome.report.fault) << outcome.report.fault.text;
    const bool is_load = text[0] == 'l';
    const auto work = outcome.record.work({kVector0, is_load ? Pipe::MTE2 : Pipe::MTE3});
    ASSERT_EQ(work.size(), 1u);
    const Cost cost = CostModel(machine).of(outcome.record.last);
    const std::int64_t chunks = 8192 / 1024 + 1;
    EXPECT_GE(work[0].end - work[0].begin, cost.busy) << text;
    EXPECT_LE(work[0].end - work[0].begin, cost.busy + Cycles(chunks)) << text;
    // The latency counts from the last chunk's start, the cost's from the end of the hold.
    EXPECT_LE(work[0].visible - work[0].begin, cost.busy + cost.tail + Cycles(chunks)) << text;
    EXPECT_GE(work[0].visible - work[0].begin, cost.tail) << text;
  }
}

TEST(Dma, port_time_does_not_depend_on_the_chunk) {
  for (const char* chunk : {"dma.chunk=512B", "dma.chunk=4KiB"}) {
    const Machine machine = port_machine({"mte2.gm_to_ub=62.7B/cycle", chunk});
    const Simulated outcome = load(machine, "load dst=0 src=r4 len=32768\n");
    const auto work = outcome.record.work(kLoads);
    EXPECT_EQ(work.at(0).end - work.at(0).begin, Cycles(523)) << chunk;  // 32768 / 62.7
  }
}

TEST(Dma, window_is_that_of_the_destination) {
  const Machine machine =
      quiet_machine({"mte2.gm_to_l1=512B/cycle", "mte2.outstanding_l1=2", "mte2.outstanding_ub=64",
                     "mte2.latency=100cycles", "l2.read_latency=0cycles", "dma.chunk=512B"});
  Setting setting;
  setting.cube_cores = 1;
  setting.options.memory = MemoryModel::Ideal;
  const Simulated outcome = simulate(machine,
                                     ".arg input x 4096\n.cube\nldarg rd=r4 index=0\n"
                                     "loadl1 dst=0 src=r4 len=4096\nhalt\n",
                                     setting);
  // Two of eight granules at a time: the third leaves when the first is back.
  const auto work = outcome.record.work({kCube0, Pipe::MTE2});
  EXPECT_EQ(work.at(0).visible - work.at(0).begin, Cycles(4 * 100 + 1));
}

TEST(Dma, rows_at_odd_addresses_convert_slowly) {
  const Machine machine = quiet_machine(
      {"mte2.gm_to_l1=64B/cycle", "mte2.nz_align=32B", "mte2.nz_unaligned=16B/cycle"});
  Setting setting;
  setting.cube_cores = 1;
  setting.options.memory = MemoryModel::Ideal;
  const auto hold = [&](int stride) {
    const Simulated outcome =
        simulate(machine,
                 ".arg input x 65536\n.cube\nldarg rd=r4 index=0\n"
                 "loadnz dtype=f16 dst=0 src=r4 rows=16 cols=64 prows=16 stride=" +
                     std::to_string(stride) + "\nhalt\n",
                 setting);
    const auto work = outcome.record.work({kCube0, Pipe::MTE2});
    return (work.at(0).end - work.at(0).begin).count();
  };
  EXPECT_EQ(hold(512), 16 * 128 / 64);
  EXPECT_GE(hold(514), 16 * 128 / 16);
}

TEST(Dma, results_of_the_accumulators_cross_at_their_own_width) {
  const Machine machine = quiet_machine({"fix.l0c_to_gm=64B/cycle"});
  Setting setting;
  setting.cube_cores = 1;
  setting.options.memory = MemoryModel::Ideal;
  const auto hold = [&](const std::string& type, int stride) {
    const Simulated outcome = simulate(
        machine,
        ".arg output y 65536\n.cube\nldarg rd=r4 index=0\n"
        "fix dtype=" +
            type + " dst=r4 src=0 m=16 n=128 stride=" + std::to_string(stride) + "\nhalt\n",
        setting);
    EXPECT_FALSE(outcome.report.fault) << outcome.report.fault.text;
    const auto work = outcome.record.work({kCube0, Pipe::Fix});
    return (work.at(0).end - work.at(0).begin).count();
  };
  EXPECT_EQ(hold("f32", 512), 16 * 128 * 4 / 64);
  EXPECT_EQ(hold("f16", 256), 16 * 128 * 4 / 64);
}

}  // namespace
}  // namespace dvmsim::testing
