// The oracle itself against closed forms: what can be said of its times without a simulation.
#include <gtest/gtest.h>

#include "tests/support/oracle.h"
#include "vm/isa/cost.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

constexpr RowId row_of(Pipe pipe) {
  return {{CoreKind::Vector, 0}, pipe};
}

/// One vector core that is launched, fetches and decodes in no time.
class OracleForms : public ::testing::Test {
 protected:
  OracleForms() {
    machine_.launch.native = machine_.launch.per_core = machine_.launch.entry =
        machine_.launch.exit = Picoseconds(0);
    machine_.firmware.icache_miss = Delay(Cycles(0));
    machine_.firmware.native_command = machine_.firmware.flag_issue = Cycles(0);
    machine_.vector.head = Cycles(11);
    machine_.vector.tail = Cycles(8);
    machine_.flag.hop = Cycles(6);
    machine_.dma.chunk = machine_.dma.request;
  }

  OracleResult run(const std::string& code, bool ideal_memory = false) {
    const Program program = isa::assemble(".program p\n.vector\n" + code + "halt\n", "test");
    Launch launch;
    launch.program = &program;
    launch.path = CodePath::Native;
    launch.vector_cores = 1;
    return Oracle(machine_, ideal_memory).run(launch, 0, 0, 0);
  }
  /// What a vadd costs here.
  Cost add_cost() {
    isa::Command command;
    command.op = isa::Op::vadd;
    command.pipe = Pipe::Vector;
    const isa::Inst inst = isa::assemble_line(kAdd, "test");
    for (std::size_t i = 0; i < inst.lane.size(); ++i) {
      command.operand[i] = inst.lane[i].immediate;
    }
    return CostModel(machine_).of(command);
  }

  static inline const std::string kAdd =
      "vadd dtype=f32 dst=0 a=0x1000 b=0x2000 count=256 rows=2 dstride=1024 astride=1024 "
      "bstride=1024";
  Machine machine_ = default_machine();
};

TEST_F(OracleForms, one_command_takes_head_busy_and_tail) {
  const OracleResult result = run(kAdd + "\n");
  const Cost cost = add_cost();
  const std::vector<OracleSpan>& spans = result.rows.at(row_of(Pipe::Vector));
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].begin, 0);
  EXPECT_EQ(spans[0].end, (cost.head + cost.busy).count());
  EXPECT_EQ(spans[0].visible, (cost.head + cost.busy + cost.tail).count());
  EXPECT_EQ(result.end, spans[0].visible);
}

TEST_F(OracleForms, independent_commands_follow_each_other_without_another_head) {
  const OracleResult result = run(kAdd + "\n" + kAdd + "\n" + kAdd + "\n");
  const Cost cost = add_cost();
  EXPECT_EQ(result.end, (cost.head + 3 * cost.busy + cost.tail).count());
}

TEST_F(OracleForms, a_drain_bit_waits_for_the_result_and_pays_the_head_again) {
  const OracleResult result = run(kAdd + "\n" + kAdd + " drain\n");
  const Cost cost = add_cost();
  EXPECT_EQ(result.end, 2 * (cost.head + cost.busy + cost.tail).count());
}

TEST_F(OracleForms, a_flag_is_seen_a_hop_after_the_result) {
  const OracleResult result = run(kAdd +
                                  " set=mte3.0\n"
                                  "wait pipe=mte3 other=vector id=0\n");
  const Cost cost = add_cost();
  const OracleSpan waits = result.rows.at(row_of(Pipe::MTE3)).front();
  EXPECT_EQ(waits.reason, Reason::WaitFlag);
  EXPECT_EQ(waits.end, (cost.head + cost.busy + cost.tail).count() + 6);
}

TEST_F(OracleForms, a_full_queue_holds_the_scalar_unit_until_a_hold_ends) {
  machine_.queue.vector = 1;
  const OracleResult result = run(kAdd + "\n" + kAdd + "\n");
  const Cost cost = add_cost();
  const std::vector<OracleSpan>& spans = result.rows.at(row_of(Pipe::Scalar));
  ASSERT_GE(spans.size(), 1u);
  EXPECT_EQ(spans[0].reason, Reason::QueueFull);
  EXPECT_EQ(spans[0].end, (cost.head + cost.busy).count());
}

TEST_F(OracleForms, one_granule_from_hbm_takes_every_latency_once) {
  const OracleResult result = run("load dst=0 src=r40 len=512\n");
  const std::vector<OracleSpan>& spans = result.rows.at(row_of(Pipe::MTE2));
  ASSERT_EQ(spans.size(), 1u);
  const Rate channel(machine_.hbm.peak.per_cycle() * machine_.hbm.efficiency /
                     Rational(machine_.hbm.channels));
  const Cycles latency = machine_.tlb.walk.cycles() + machine_.mte2.latency +
                         machine_.l2.read_latency.cycles() + machine_.hbm.latency.cycles() +
                         channel.cycles_for(Bytes(512));
  EXPECT_EQ(spans[0].visible, latency.count());
  const Cycles port = machine_.mte2.gm_to_ub_miss.cycles_for(Bytes(512));
  EXPECT_EQ(spans[0].end, std::max(port, machine_.mte2.issue_gap).count());
}

TEST_F(OracleForms, with_one_request_in_flight_each_waits_for_the_one_before) {
  machine_.mte2.outstanding_ub = 1;
  const OracleResult result = run("load dst=0 src=r40 len=2048\n", true);
  const std::int64_t there_and_back =
      (machine_.mte2.latency + machine_.l2.read_latency.cycles()).count();
  EXPECT_EQ(result.end, 4 * there_and_back);
  const std::vector<OracleSpan>& spans = result.rows.at(row_of(Pipe::MTE2));
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[1].reason, Reason::WaitMemory);
  const Rate port = machine_.mte2.gm_to_ub;
  EXPECT_EQ(spans[0].end, port.cycles_for(Bytes(2048)).count());
  EXPECT_EQ(spans[1].end, 3 * there_and_back + port.cycles_for(Bytes(512)).count());
}

}  // namespace
}  // namespace dvmsim::testing
