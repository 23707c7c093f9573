// One core's queues at the exact cycle: the pipelined rule, flags, full queues, drains, deadlock.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/isa/cost.h"

namespace dvmsim::testing {
namespace {

constexpr RowId kVectorRow{kVector0, Pipe::Vector}, kScalarRow{kVector0, Pipe::Scalar},
    kMte2Row{kVector0, Pipe::MTE2};
constexpr std::string_view kAdd = "vadds dtype=f32 dst=0 a=0 s=f32:1 count=64\n";

Setting one_vector_core() {
  Setting setting;
  setting.vector_cores = 1;
  return setting;
}

Cost cost_of_add(const Machine& machine) {
  isa::Command command;
  command.op = isa::Op::vadds;
  command.pipe = Pipe::Vector;
  const isa::Row& row = isa::row_of(isa::Op::vadds);
  const auto put = [&](std::string_view name, std::int64_t value) {
    command.operand[static_cast<std::size_t>(row.find(name))] = value;
  };
  put("dtype", static_cast<std::int64_t>(DType::F32));
  put("count", 64);
  put("rows", 1);
  return CostModel(machine).of(command);
}

TEST(Core, one_instruction_alone_takes_head_busy_and_tail) {
  const Machine machine = quiet_machine({"vector.head=7cycles"});
  const Cost cost = cost_of_add(machine);
  ASSERT_GT(cost.busy, Cycles(0));
  ASSERT_EQ(cost.head, Cycles(7));
  const Simulated outcome =
      simulate(machine, ".vector\n" + std::string(kAdd) + "halt\n", one_vector_core());
  ASSERT_FALSE(outcome.report.fault) << outcome.report.fault.text;
  const auto work = outcome.record.work(kVectorRow);
  ASSERT_EQ(work.size(), 1u);
  EXPECT_EQ(work[0].end - work[0].begin, cost.head + cost.busy);
  EXPECT_EQ(work[0].visible - work[0].begin, cost.head + cost.busy + cost.tail);
  EXPECT_EQ(outcome.report.end - outcome.report.begin, cost.head + cost.busy + cost.tail);
}

TEST(Core, independent_instructions_follow_one_another_without_head) {
  const Machine machine = quiet_machine({"vector.head=7cycles"});
  const Cost cost = cost_of_add(machine);
  for (int n : {2, 3, 9}) {
    std::string text = ".vector\n";
    for (int i = 0; i < n; ++i) text += kAdd;
    const Simulated outcome = simulate(machine, text + "halt\n", one_vector_core());
    EXPECT_EQ(outcome.report.end - outcome.report.begin, cost.head + n * cost.busy + cost.tail);
  }
}

TEST(Core, drain_bit_waits_for_the_result_and_pays_the_head_again) {
  const Machine machine = quiet_machine({"vector.head=7cycles", "vector.tail=8cycles"});
  const Cost cost = cost_of_add(machine);
  ASSERT_GT(cost.tail, Cycles(0));
  const Simulated outcome = simulate(
      machine,
      ".vector\n" + std::string(kAdd) + "vadds dtype=f32 dst=0 a=0 s=f32:1 count=64 drain\nhalt\n",
      one_vector_core());
  EXPECT_EQ(outcome.report.end - outcome.report.begin, 2 * (cost.head + cost.busy + cost.tail));
  EXPECT_EQ(outcome.record.cycles(kVectorRow, Reason::WaitDependency), cost.tail.count());
}

TEST(Core, flag_is_seen_one_hop_after_the_result_is_visible) {
  const Machine machine = quiet_machine({"flag.hop=11cycles"});
  const Simulated outcome = simulate(machine, R"(.arg input x 512
.vector
ldarg rd=r4 index=0
load dst=0 src=r4 len=512 set=vector.3
vadds dtype=f32 dst=0 a=0 s=f32:1 count=64 wait=mte2.3
halt
)",
                                     one_vector_core());
  ASSERT_FALSE(outcome.report.fault) << outcome.report.fault.text;
  const auto load = outcome.record.work(kMte2Row), add = outcome.record.work(kVectorRow);
  ASSERT_EQ(load.size(), 1u);
  ASSERT_EQ(add.size(), 1u);
  EXPECT_EQ(add[0].begin, load[0].visible + Cycles(11));
  EXPECT_EQ(outcome.record.cycles(kVectorRow, Reason::WaitFlag),
            (add[0].begin - outcome.report.begin).count());
  ASSERT_EQ(outcome.record.edges.size(), 1u);
  EXPECT_EQ(outcome.record.edges[0].set, load[0].visible);
  EXPECT_EQ(outcome.record.edges[0].taken, add[0].begin);
}

TEST(Core, full_queue_stalls_the_scalar_unit_until_the_oldest_hold_ends) {
  const Machine machine = quiet_machine({"queue.vector=2", "vector.head=0cycles"});
  const Cost cost = cost_of_add(machine);
  std::string text = ".vector\n";
  for (int i = 0; i < 4; ++i) text += kAdd;
  const Simulated outcome = simulate(machine, text + "halt\n", one_vector_core());
  // Commands 2 and 3 are issued when holds 0 and 1 end.
  EXPECT_EQ(outcome.record.cycles(kScalarRow, Reason::QueueFull), 2 * cost.busy.count());
  EXPECT_EQ(outcome.record.work(kVectorRow).size(), 4u);
}

TEST(Core, decoding_leaves_the_queue_empty) {
  const Machine machine =
      quiet_machine({"decode.dispatch.nominal=100cycles", "vector.head=0cycles"});
  const Simulated outcome = simulate(
      machine, ".vector\n" + std::string(kAdd) + std::string(kAdd) + "halt\n", one_vector_core());
  const Cost cost = cost_of_add(machine);
  const auto work = outcome.record.work(kVectorRow);
  ASSERT_EQ(work.size(), 2u);
  EXPECT_EQ(work[0].begin - outcome.report.begin, Cycles(100));
  EXPECT_EQ(work[1].begin - outcome.report.begin, Cycles(200));
  EXPECT_EQ(outcome.record.cycles(kVectorRow, Reason::EmptyDecode), 200 - cost.busy.count());
  EXPECT_EQ(outcome.report.decode, Cycles(300));
  EXPECT_EQ(outcome.report.first_dispatch - outcome.report.begin, Cycles(100));
}

TEST(Core, drain_instruction_makes_the_scalar_unit_wait_for_the_result) {
  const Machine machine = quiet_machine({"vector.head=0cycles"});
  const Cost cost = cost_of_add(machine);
  const Simulated outcome = simulate(
      machine,
      ".vector\n" + std::string(kAdd) + "drain pipe=vector\n" + std::string(kAdd) + "halt\n",
      one_vector_core());
  const auto work = outcome.record.work(kVectorRow);
  ASSERT_EQ(work.size(), 2u);
  EXPECT_EQ(work[1].begin - work[0].begin, cost.busy + cost.tail);
  EXPECT_EQ(outcome.record.cycles(kVectorRow, Reason::EmptyIssueBlocked), cost.tail.count());
}

TEST(Core, deadlock_names_each_unit_its_command_and_what_it_waits_for) {
  const Simulated outcome = simulate(quiet_machine(), R"(.vector
vadds dtype=f32 dst=0 a=0 s=f32:1 count=64 wait=mte2.3
wait pipe=scalar other=vector id=5
halt
)",
                                     one_vector_core());
  EXPECT_EQ(outcome.report.fault.kind, FaultKind::Deadlock);
  EXPECT_EQ(outcome.report.fault.core, kVector0);
  EXPECT_EQ(outcome.report.fault.text,
            "deadlock: vector core 0 scalar: wait at word 4 waits for flag vector->scalar 5; "
            "vector core 0 vector: vadds at word 0 waits for flag mte2->vector 3");
}

TEST(Core, fault_of_a_command_names_core_and_word) {
  const Simulated outcome = simulate(quiet_machine(), R"(.vector
vadds dtype=f32 dst=0 a=0 s=f32:1 count=64
vadds dtype=f32 dst=0x4000 a=0 s=f32:1 count=64
halt
)",
                                     one_vector_core());
  EXPECT_EQ(outcome.report.fault.kind, FaultKind::OutOfBounds);
  EXPECT_EQ(outcome.report.fault.core, kVector0);
  const auto work = outcome.record.work(kVectorRow);
  ASSERT_EQ(work.size(), 2u);
  EXPECT_EQ(std::int64_t{outcome.report.fault.pc}, work[1].pc);
}

}  // namespace
}  // namespace dvmsim::testing
