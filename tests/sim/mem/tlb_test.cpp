// Pages at hand: order of use, cores apart, and what a walk costs in the server.
#include "sim/mem/tlb.h"

#include <gtest/gtest.h>

#include "sim/mem/server.h"

namespace dvmsim::testing {
namespace {

Machine small_machine() {
  Machine machine = default_machine();
  for (const char* set : {"tlb.page=4KiB", "tlb.entries=2", "tlb.walk=100cycles"}) {
    apply_set(machine, set);
  }
  return machine;
}

TEST(Tlb, the_page_used_longest_ago_goes) {
  Tlb tlb(small_machine(), 1);
  EXPECT_FALSE(tlb.access(0, 0));
  EXPECT_FALSE(tlb.access(0, 4096));
  EXPECT_TRUE(tlb.access(0, 100));
  EXPECT_FALSE(tlb.access(0, 8192));  // drives out 4096
  EXPECT_TRUE(tlb.access(0, 4095));
  EXPECT_FALSE(tlb.access(0, 5000));
}

TEST(Tlb, cores_look_up_for_themselves_and_a_touch_is_for_all) {
  Tlb tlb(small_machine(), 2);
  EXPECT_FALSE(tlb.access(0, 0));
  EXPECT_FALSE(tlb.access(1, 0));
  tlb.touch(100'000, 4096);  // two pages
  EXPECT_TRUE(tlb.access(0, 100'000));
  EXPECT_TRUE(tlb.access(1, 104'000));
  tlb.clear();
  EXPECT_FALSE(tlb.access(0, 100'000));
}

TEST(Tlb, a_sweep_larger_than_the_reach_never_finds_a_page) {
  Tlb tlb(small_machine(), 1);
  for (int sweep = 0; sweep < 3; ++sweep) {
    for (std::uint64_t page = 0; page < 3; ++page) EXPECT_FALSE(tlb.access(0, page * 4096));
  }
}

/// A core's requests wait for its walks one after another; another core's do not.
TEST(MemoryServer, requests_wait_for_the_walk_of_their_own_core) {
  const Machine machine = small_machine();
  MemoryServer server(machine, MemoryModel::Detailed);
  server.touch(0, 1 << 20);
  const auto ask = [&](int at, int core, std::uint64_t address) {
    const Piece piece{address, 512, 512};
    return server
               .request(
                   {{Cycles(at), static_cast<std::uint16_t>(core), Pipe::MTE2}, false, {&piece, 1}})
               .completion.count() -
           at;
  };
  const std::int64_t there = ask(1000, 0, (1 << 20) - 512);
  EXPECT_EQ(ask(2000, 0, 0), there + 100);
  EXPECT_EQ(ask(3000, 0, 8192), there + 100);
  EXPECT_EQ(ask(3010, 0, 12288), there + 190) << "behind the walk before";
  EXPECT_EQ(ask(3020, 0, 12288), there + 180) << "its page is at hand, but it stays in order";
  EXPECT_EQ(ask(3030, 1, (1 << 20) - 512), there);
}

}  // namespace
}  // namespace dvmsim::testing
