// Even shares: a formula for each of hit, miss and write, and no neighbours.
#include "sim/mem/closed_form.h"

#include <gtest/gtest.h>

#include "sim/mem/server.h"

namespace dvmsim::testing {
namespace {

/// A core of four has 128 B/cycle of L2, 64 of writes and 16 of HBM.
Machine plain_machine() {
  Machine machine = default_machine();
  for (const char* set :
       {"l2.read=512B/cycle", "l2.write=256B/cycle", "hbm.peak=64B/cycle", "hbm.efficiency=1",
        "l2.read_latency=20cycles", "l2.write_latency=30cycles", "hbm.latency=50cycles"}) {
    apply_set(machine, set);
  }
  return machine;
}

class Closed {
 public:
  Closed() { form_.begin(4); }
  std::int64_t ask(std::int64_t at, bool write, std::uint64_t line, int core = 0) {
    const Piece piece{line * 512, 512, 512};
    const RequestKey key{Cycles(at), static_cast<std::uint16_t>(core), Pipe::MTE2};
    return form_.serve({key, write, {&piece, 1}}, tally).completion.count() - at;
  }
  ClosedForm& form() { return form_; }
  Tally tally{};

 private:
  Machine machine_ = plain_machine();
  ClosedForm form_{machine_};
};

TEST(ClosedForm, first_touch_misses_then_hits) {
  Closed memory;
  EXPECT_EQ(memory.ask(100, false, 0), 512 / 16 + 20 + 50);
  EXPECT_EQ(memory.ask(1000, false, 0), 512 / 128 + 20);
  EXPECT_EQ(memory.ask(2000, true, 7), 512 / 64 + 30);
  EXPECT_EQ(memory.ask(3000, false, 7), 512 / 128 + 20);
  EXPECT_EQ(memory.tally.hbm_read, 512);
  EXPECT_EQ(memory.tally.hit, 2 * 512);
}

TEST(ClosedForm, a_core_queues_behind_itself_only) {
  Closed memory;
  memory.form().touch(0, 4096);
  EXPECT_EQ(memory.ask(100, false, 0), 4 + 20);
  EXPECT_EQ(memory.ask(101, false, 1), 3 + 4 + 20);
  EXPECT_EQ(memory.ask(101, false, 2, 1), 4 + 20);
}

TEST(MemoryServer, bypassed_bytes_do_not_stay_in_l2) {
  const Machine machine = plain_machine();
  MemoryServer server(machine, MemoryModel::Detailed);
  server.bypass(0, 512);
  const auto ask = [&](int at, bool write, std::uint64_t line) {
    const Piece piece{line * 512, 512, 512};
    return server.request({{Cycles(at), 0, Pipe::MTE2}, write, {&piece, 1}}).completion.count() -
           at;
  };
  ask(0, false, 1);  // the page
  const std::int64_t miss = ask(1000, false, 0), kept = ask(2000, false, 2);
  EXPECT_EQ(ask(3000, false, 0), miss);
  EXPECT_LT(ask(4000, false, 2), kept);
  ask(5000, true, 0);
  EXPECT_EQ(ask(6000, false, 0), miss);
  server.end_bypass(512, 512);
  EXPECT_EQ(ask(7000, false, 0), miss);
  server.end_bypass(0, 1);
  ask(8000, false, 0);
  EXPECT_LT(ask(9000, false, 0), miss);
}

}  // namespace
}  // namespace dvmsim::testing
