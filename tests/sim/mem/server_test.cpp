// The memory server at the exact cycle. Numbers are chosen so that every term is a whole cycle.
#include <gtest/gtest.h>

#include "sim/mem/server.h"
#include "tests/sim/rig.h"

namespace dvmsim::testing {
namespace {

/// L2: 64 B/cycle (a line takes 8), hit 20, write 30. HBM: 2 channels of 16 B/cycle (a line takes
/// 32), 50 more than a hit; writing costs twice.
Machine plain_memory(const std::vector<std::string>& more = {}) {
  std::vector<std::string> sets = {"l2.size=8KiB",
                                   "l2.ways=2",
                                   "l2.line=512B",
                                   "l2.read=64B/cycle",
                                   "l2.write=64B/cycle",
                                   "l2.read_latency=20cycles",
                                   "l2.write_latency=30cycles",
                                   "l2.same_line=4cycles",
                                   "hbm.channels=2",
                                   "hbm.peak=32B/cycle",
                                   "hbm.efficiency=1",
                                   "hbm.write_cost=2",
                                   "hbm.latency=50cycles",
                                   "hbm.interleave=512B"};
  sets.insert(sets.end(), more.begin(), more.end());
  return quiet_machine(sets);
}
constexpr std::int64_t kHit = 8 + 20, kMiss = 32 + 20 + 50, kWrite = 8 + 30;

class Memory {
 public:
  explicit Memory(const Machine& machine, MemoryModel model = MemoryModel::Detailed)
      : machine_(machine), server_(machine_, model) {
    server_.listen(&probes_);
  }
  Cycles ask(std::int64_t at, bool write, std::vector<Piece> pieces, int core = 0) {
    return server_
        .request({{Cycles(at), static_cast<std::uint16_t>(core), Pipe::MTE2}, write, pieces})
        .completion;
  }
  std::int64_t read(std::int64_t at, std::int64_t line, int core = 0) {
    return ask(at, false, {line_piece(line)}, core).count() - at;
  }
  std::int64_t write(std::int64_t at, std::int64_t line, int core = 0) {
    return ask(at, true, {line_piece(line)}, core).count() - at;
  }
  static Piece line_piece(std::int64_t line) {
    return {static_cast<std::uint64_t>(line * 512), 512, 512};
  }
  MemoryServer& server() { return server_; }
  Recorder record{};

 private:
  Machine machine_;
  Probes probes_{&record};
  MemoryServer server_;
};

TEST(MemoryServer, miss_then_hit) {
  Memory memory(plain_memory());
  EXPECT_EQ(memory.read(100, 0), kMiss);
  EXPECT_EQ(memory.read(1000, 0), kHit);
  EXPECT_EQ(memory.record.bytes[Place::HbmRead], 512);
  EXPECT_EQ(memory.record.bytes[Place::L2Hit], 512);
  EXPECT_EQ(memory.record.bytes[Place::L2Miss], 512);
}

TEST(MemoryServer, hit_and_missed_bytes_are_told_apart) {
  Memory memory(plain_memory());
  memory.read(0, 1);
  memory.ask(1000, false, {Memory::line_piece(0), Memory::line_piece(1), {1024, 8, 128}});
  EXPECT_EQ(memory.record.bytes[Place::L2Miss], 512 + 512 + 8);
  EXPECT_EQ(memory.record.bytes[Place::L2Hit], 512);
  EXPECT_EQ(memory.record.bytes[Place::HbmRead], 3 * 512);
}

TEST(MemoryServer, part_of_a_request_leaves_nothing_behind) {
  const Piece odd{512 + 300, 212, 256};
  Memory forgets(plain_memory()), keeps(plain_memory({"l2.keep_partial=true"}));
  for (Memory* memory : {&forgets, &keeps}) {
    memory->ask(0, false, {odd});
    memory->ask(1000, false, {odd});
  }
  EXPECT_EQ(forgets.record.bytes[Place::HbmRead], 2 * 512);
  EXPECT_EQ(keeps.record.bytes[Place::HbmRead], 512);
  // A line that is there is used.
  forgets.read(2000, 1);
  forgets.ask(3000, false, {odd});
  EXPECT_EQ(forgets.record.bytes[Place::HbmRead], 3 * 512);
}

TEST(MemoryServer, requests_share_the_bandwidth_of_l2) {
  Memory memory(plain_memory());
  for (int line : {0, 1, 2}) memory.server().touch(static_cast<std::uint64_t>(line) * 512, 512);
  EXPECT_EQ(memory.read(100, 0, 0), kHit);
  EXPECT_EQ(memory.read(100, 1, 1), kHit + 8);
  EXPECT_EQ(memory.read(100, 2, 2), kHit + 16);
}

TEST(MemoryServer, lines_of_one_channel_follow_one_another_and_of_two_do_not) {
  Memory memory(plain_memory());
  EXPECT_EQ(memory.read(100, 0, 0), kMiss);
  EXPECT_EQ(memory.read(100, 1, 1), kMiss + 8);   // the other channel, behind on L2 only
  EXPECT_EQ(memory.read(100, 2, 2), kMiss + 32);  // channel of line 0
}

TEST(MemoryServer, line_on_its_way_is_waited_for) {
  Memory memory(plain_memory());
  EXPECT_EQ(memory.read(100, 0, 0), kMiss);
  const std::int64_t filled = 100 + kMiss;
  EXPECT_EQ(memory.read(110, 0, 1), filled + 8 - 110);      // its own transfer after the fill
  EXPECT_EQ(memory.read(111, 0, 2), filled + 4 + 8 - 111);  // and a turn behind that one
}

TEST(MemoryServer, accesses_of_one_line_keep_their_distance) {
  Memory memory(plain_memory({"l2.read=512B/cycle"}));
  memory.server().touch(0, 512);
  EXPECT_EQ(memory.read(100, 0, 0), 1 + 20);
  EXPECT_EQ(memory.read(100, 0, 1), 4 + 1 + 20);
  EXPECT_EQ(memory.read(100, 0, 2), 8 + 1 + 20);
}

TEST(MemoryServer, write_is_accepted_by_l2_without_fetching) {
  Memory memory(plain_memory());
  EXPECT_EQ(memory.write(100, 0), kWrite);
  EXPECT_EQ(memory.read(1000, 0), kHit);
  EXPECT_EQ(memory.record.bytes[Place::HbmRead], 0);
}

TEST(MemoryServer, least_recently_used_line_of_the_set_is_evicted) {
  Memory memory(plain_memory());  // 8 sets of 2 ways: lines 0, 8, 16 share a set
  memory.read(0, 0);
  memory.read(1000, 8);
  memory.read(2000, 0);
  memory.read(3000, 16);  // takes the place of 8
  EXPECT_EQ(memory.read(4000, 0), kHit);
  EXPECT_EQ(memory.read(5000, 8), kMiss);
}

TEST(MemoryServer, dirty_victim_holds_its_channel_but_not_the_answer) {
  Memory memory(plain_memory());
  memory.write(0, 0);
  memory.read(1000, 8);
  EXPECT_EQ(memory.read(2000, 16), kMiss);  // evicts dirty line 0
  EXPECT_EQ(memory.record.bytes[Place::HbmWrite], 512);
  // Lines 0, 16 and 2 share a channel: fetch 32, write back 64, then this one.
  EXPECT_EQ(memory.read(2000, 2, 1), 32 + 64 + kMiss);
}

TEST(MemoryServer, clean_victim_costs_nothing) {
  Memory memory(plain_memory());
  memory.read(0, 0);
  memory.read(1000, 8);
  memory.read(2000, 16);
  EXPECT_EQ(memory.record.bytes[Place::HbmWrite], 0);
}

TEST(MemoryServer, without_l2_everything_goes_to_memory) {
  Memory memory(plain_memory({"l2.size=0B"}));
  EXPECT_EQ(memory.read(0, 0), kMiss);
  EXPECT_EQ(memory.read(1000, 0), kMiss);
  EXPECT_EQ(memory.write(2000, 0), kWrite);
  EXPECT_EQ(memory.record.bytes[Place::HbmWrite], 512);
}

TEST(MemoryServer, fractions_of_a_cycle_add_up_and_round_up_once) {
  Memory memory(plain_memory({"l2.read=3B/cycle"}));  // a line takes 170 2/3
  memory.server().touch(0, 3 * 512);
  const Cycles three =
      memory.ask(100, false, {Memory::line_piece(0), Memory::line_piece(1), Memory::line_piece(2)});
  EXPECT_EQ(three, Cycles(100 + 513 + 20));  // ticks round up: a hair over 512
}

TEST(MemoryServer, ideal_memory_knows_no_neighbours) {
  Memory memory(plain_memory(), MemoryModel::Ideal);
  for (int core = 0; core < 5; ++core) {
    EXPECT_EQ(memory.read(100, 0, core), 20);
    EXPECT_EQ(memory.ask(100, true, {Memory::line_piece(7)}, core), Cycles(130));
  }
}

TEST(MemoryServer, strides_of_powers_of_two_use_every_channel) {
  // 32 channels: 64 lines, 32 lines apart, all at once. Folded, each channel gets two.
  Memory memory(plain_memory(
      {"hbm.channels=32", "hbm.peak=512B/cycle", "l2.size=1MiB", "l2.read=500000B/cycle"}));
  std::vector<Piece> pieces;
  for (int i = 0; i < 64; ++i) pieces.push_back(Memory::line_piece(i * 32));
  const Cycles answer = memory.ask(0, false, pieces);
  EXPECT_LE(answer, Cycles(4 * 32 + 20 + 50 + 1));
}

}  // namespace
}  // namespace dvmsim::testing
