#include "vm/isa/cost.h"

#include <gtest/gtest.h>

#include <string>

#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

/// The default machine, but every vector instruction holds its pipe for 23 cycles besides its
/// repeats: what an instruction is made of shows in the sums.
const Machine& machine() {
  static const Machine kMachine = [] {
    Machine machine = default_machine();
    machine.vector.fixed = Cycles(23);
    machine.vector.tail = Cycles(8);
    for (VectorRate& rate : machine.vector_rate) rate.extra = Cycles(0);
    return machine;
  }();
  return kMachine;
}
const Machine& published() {
  static const Machine kMachine = default_machine();
  return kMachine;
}

isa::Command command(const std::string& line) {
  const isa::Inst inst = isa::assemble_line(line, "t");
  isa::Command command;
  command.op = inst.op;
  command.pipe = isa::row_of(inst.op).pipe;
  for (std::size_t i = 0; i < inst.lane.size(); ++i) {
    command.operand[i] = inst.lane[i].is_register ? 0 : inst.lane[i].immediate;
  }
  return command;
}
Cost cost(const std::string& line, const Machine& on = machine()) {
  return CostModel(on).of(command(line));
}
std::int64_t busy(const std::string& line, const Machine& on = machine()) {
  return cost(line, on).busy.count();
}
std::int64_t alone(const std::string& line, const Machine& on = machine()) {
  const Cost c = cost(line, on);
  return (c.head + c.busy + c.tail).count();
}

/// Ticks of 20 ns of a thousand instructions, as cycles of 1.85 GHz each.
double ticks(double thousand) {
  return thousand * 20 * 1.85 / 1000;
}
void expect_near(std::int64_t cycles, double published, double share) {
  EXPECT_NEAR(static_cast<double>(cycles), published, published * share);
}

// Published: a product of 128 x 128 x 128 halves takes 575 cycles (512 steps).
TEST(Cost, ACubeProductTakesItsStepsAndSixtyCycles) {
  const std::string product = "mmad dtype=f16 m=128 k=128 n=128";
  EXPECT_EQ(alone(product), 572);
  expect_near(alone(product), 575, 0.01);
  EXPECT_EQ(busy(product), 520) << "behind another one";
  EXPECT_EQ(busy("mmad dtype=f16 m=129 k=128 n=128"), 8 + 9 * 8 * 8) << "whole blocks";
  EXPECT_EQ(busy("mmad dtype=f32 m=16 k=16 n=16"), 8 + 4);
  EXPECT_EQ(busy("mmad dtype=i8 m=16 k=64 n=16"), 8 + 2);
  EXPECT_EQ(busy("mmad dtype=f16 m=0 k=16 n=16"), 8);
}

// Published: 512 B a cycle over n + 2 to L0A for windows in n rows, 256 if they are neighbours in
// one, over twice the stride (of 2, 4, 8) and n; at least 32.
TEST(Cost, WindowsArriveByTheRowsTheyLieIn) {
  const auto windows = [](const std::string& rest) {
    return busy("img2col dtype=f16 dst=0 src=0 m=64 k=64 prows=4096 h=64 w=64 " + rest) -
           machine().mte1.fixed.count();
  };
  EXPECT_EQ(windows("ow=64"), 64 * 64 * 2 / 256);
  EXPECT_EQ(windows("ow=64 m0=16"), 64 * 64 * 2 / 256) << "the last is whole in the next row";
  EXPECT_EQ(windows("ow=64 m0=8"), 3 * 8 + 4 * 4 * 512 / 512)
      << "the last fractal lies in two rows";
  EXPECT_EQ(windows("ow=8"), 4 * 4 * 4);
  EXPECT_EQ(windows("ow=4"), 4 * 4 * 6);
  EXPECT_EQ(windows("ow=1"), 4 * 4 * 16) << "the floor";
  EXPECT_EQ(windows("ow=64 steps=0x100"), 4 * 4 * 4) << "stride 2";
  EXPECT_EQ(windows("ow=8 steps=0x100"), 4 * 4 * 6);
  EXPECT_EQ(windows("ow=64 steps=0x300"), 4 * 4 * 8) << "stride 4";
  EXPECT_EQ(windows("ow=64 steps=0x200"), 4 * 4 * 16) << "others";
  EXPECT_EQ(windows("ow=64 steps=0x1"), 64 * 64 * 2 / 256) << "distance of rows does not matter";
}

// Published: 64 KiB of accumulators in 817 cycles, whatever they become.
TEST(Cost, NarrowResultsLeaveAtTheRateOfAccumulators) {
  const std::string rest = " dst=r2 src=0 m=128 n=128 stride=";
  expect_near(busy("fix dtype=f32" + rest + "512"), 817, 0.01);
  expect_near(busy("fixq dtype=f16 from=i32" + rest + "256"), 817, 0.01);
  expect_near(busy("fixq dtype=i8 from=i32" + rest + "128"), 817, 0.01);
  EXPECT_EQ(busy("fixnz dtype=f16 dst=0 src=0 m=128 n=128 prows=128"), 128 * 128 / 64)
      << "64 accumulators a cycle";
  EXPECT_EQ(busy("ldfb dst=0 src=0 n=64"), machine().mte1.fixed.count() + 64 * 4 / 32);
}

// Published, one instruction behind the other on 2 repeats of halves: add 26.0 cycles, mul 27.0,
// max and min 24.0; exp, ln, sqrt, rsqrt, each on the result of the last, 122 together.
TEST(Cost, VectorInstructionsHoldThePipeByClass) {
  const auto two = [](const char* op, const char* operands) {
    return busy(std::string(op) + " dtype=f16 dst=0x20000 " + operands + " count=256", published());
  };
  EXPECT_EQ(two("vadd", "a=0 b=0x10100"), 26);
  EXPECT_EQ(two("vmul", "a=0 b=0x10100"), 27);
  EXPECT_EQ(two("vmax", "a=0 b=0x10100"), 24);
  EXPECT_EQ(two("vmin", "a=0 b=0x10100"), 24);
  EXPECT_EQ(two("vexp", "a=0") + two("vlog", "a=0") + two("vsqrt", "a=0") + two("vrsqrt", "a=0"),
            122);
}

// Published: 64 repeats, one instruction behind the other, 86 to 88 cycles.
TEST(Cost, AVectorInstructionTakesItsRepeatsAndAFixedPart) {
  EXPECT_EQ(busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=4096"), 87);
  EXPECT_EQ(busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=4033"), 87);
  EXPECT_EQ(busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=4032"), 86);
  EXPECT_EQ(busy("vadd dtype=f16 dst=0x20000 a=0 b=0x10100 count=4096"), 55);
  EXPECT_EQ(cost("vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=64").tail, machine().vector.tail);
  EXPECT_EQ(busy("vadd dtype=f32 dst=0 a=0 b=0x10100 count=0"), 23);
}

TEST(Cost, BanksConflictAsPublished) {
  const auto add = [](const std::string& places) {
    return busy("vadd dtype=f32 count=4096 " + places);
  };
  expect_near(add("a=0 b=0x10100 dst=0x20000"), ticks(2390), 0.03);  // none
  expect_near(add("a=0 b=0x4000 dst=0x10000"), ticks(4167), 0.03);   // sources in one bank
  expect_near(add("a=0 b=0x10000 dst=0x14100"), ticks(4167), 0.03);  // sources in one bank group
  expect_near(add("a=0 b=0x10100 dst=0x4000"), ticks(2389), 0.03);   // one bank, aligned
  expect_near(add("a=0 b=0x10100 dst=0x4020"), ticks(3751), 0.03);   // one bank, not aligned
  expect_near(add("a=0 b=0x10100 dst=0x10100"), ticks(2390), 0.03);  // in place
}

TEST(Cost, BankConflictsNeedTheSameBlocks) {
  EXPECT_EQ(busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10080 count=32"), 24) << "four blocks each";
  EXPECT_EQ(busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10080 count=33"), 25);
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x20 a=0 count=64"), 24) << "no repeat follows";
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x1020 a=0 count=128"), 23 + 4);
}

TEST(Cost, SlowClassesHideBankConflicts) {
  EXPECT_EQ(busy("vdiv dtype=f32 dst=0x20000 a=0 b=0x10100 count=4096"), 23 + 2 * 64);
  EXPECT_EQ(busy("vdiv dtype=f32 dst=0x20000 a=0 b=0x10000 count=4096"), 23 + 2 * 64);
  EXPECT_EQ(busy("vdiv dtype=f16 dst=0x20000 a=0 b=0x10100 count=4096"), 23 + 4 * 32);
  EXPECT_EQ(busy("vexp dtype=f16 dst=0x20000 count=4096"), 23 + 4 * 32);
}

TEST(Cost, RowsWithGapsTakeARepeatEach) {
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x10000 count=32 rows=100 dstride=128 astride=128"), 23 + 50)
      << "packed rows are one run";
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x10000 count=32 rows=100 dstride=128 astride=256"), 23 + 100);
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x10000 count=128 rows=100 dstride=512 astride=1024"),
            2 * 23 + 200)
      << "an instruction for each column of repeats";
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x10000 count=4096 rows=2 dstride=16384 astride=32768"),
            2 * 23 + 128)
      << "or for each row";
  EXPECT_EQ(busy("vabs dtype=f32 dst=0x10000 count=64 rows=300 dstride=256 astride=512"),
            2 * 23 + 300)
      << "at most 255 repeats in one";
}

TEST(Cost, TypesAClassDoesNotTakeAreConverted) {
  const std::int64_t one = busy("vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=640");
  EXPECT_EQ(one, 23 + 10);
  EXPECT_EQ(busy("vabs dtype=bf16 dst=0x20000 count=640"), 3 * (23 + 10)) << "there, abs, back";
  EXPECT_EQ(busy("vadd dtype=bf16 dst=0x20000 a=0 b=0x10100 count=640"), 4 * (23 + 10));
  EXPECT_EQ(busy("vabs dtype=i8 dst=0x20000 count=640"), 3 * (23 + 5)) << "as halves";
  EXPECT_EQ(busy("vabs dtype=i64 dst=0x20000 count=640"), 4 * (23 + 10));
  EXPECT_EQ(busy("vand dtype=i8 dst=0x20000 a=0 b=0x10100 count=640"), 23 + 3) << "any bits";
  EXPECT_EQ(busy("vdiv dtype=i32 dst=0x20000 a=0 b=0x10100 count=640"), 3 * (23 + 10) + 23 + 20);
}

TEST(Cost, ConversionsGoTheWaysTheHardwareHas) {
  const auto cvt = [](const std::string& from, const std::string& to) {
    return busy("vcvt dtype=" + from + " to=" + to + " dst=0x20000 count=1280");
  };
  EXPECT_EQ(cvt("f16", "f32"), 23 + 20);
  EXPECT_EQ(cvt("f32", "bf16"), 23 + 20);
  EXPECT_EQ(cvt("i8", "f16"), 23 + 10);
  EXPECT_EQ(cvt("i8", "f32"), 23 + 10 + 23 + 20);
  EXPECT_EQ(cvt("i64", "i32"), 23 + 40);
  EXPECT_EQ(cvt("f16", "bf16"), 2 * (23 + 20));
  EXPECT_EQ(cvt("f32", "f32"), 23 + 20) << "a copy";
  EXPECT_EQ(cvt("f32", "bool"), 23 + 20 + 2 * (23 + 10)) << "compare, select, to bytes";
}

TEST(Cost, ComparisonsMakeBytesOutOfBits) {
  EXPECT_EQ(busy("vcmp dtype=f32 dst=0x20000 a=0 b=0x10100 count=1280"), 23 + 20 + 2 * (23 + 10));
  EXPECT_EQ(busy("vsel dtype=f32 dst=0x20000 mask=0 a=0 b=0x10100 count=1280"),
            2 * (23 + 10) + 23 + 20);
}

TEST(Cost, SequencesAddUpTheirSteps) {
  EXPECT_EQ(busy("vtanh dtype=f32 dst=0x20000 count=640"), 4 * 33 + 33 + 2 * (23 + 20));
  EXPECT_EQ(busy("vsigmoid dtype=f32 dst=0x20000 count=640"), 3 * 33 + 2 * (23 + 20));
}

TEST(Cost, ReductionsTakeBlocksOrHalvesAndThenWholeRepeats) {
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=64 rows=10 astride=256"), (23 + 10) + (23 + 2))
      << "blocks to 8, to 1";
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=256 rows=10 astride=1024"),
            (23 + 40) + (23 + 5) + 2 * (23 + 1))
      << "blocks to 32, to 4, pairs to 2, to 1";
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=250 rows=10 astride=1024"),
            2 * 23 + 20 + 23 + 10 + 23 + 70)
      << "no whole blocks: to 125, to 63, to 1";
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=768 rows=2 astride=3072"),
            (23 + 24) + (23 + 2) + (23 + 14))
      << "blocks to 96, halves to 48, to 1";
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=4096 how=max"), 4 * 23 + 64 + 8 + 1 + 1)
      << "blocks alone";
  EXPECT_EQ(busy("vredx dtype=f16 dst=0x20000 count=64 rows=10 astride=128 how=max"), 23 + 70)
      << "a maximum stays in halves";
  EXPECT_EQ(busy("vredx dtype=f16 dst=0x20000 count=64 rows=10 astride=128"),
            23 + 10 + 23 + 1 + (23 + 10) + (23 + 2))
      << "a sum is made in f32, of blocks";
  EXPECT_EQ(busy("vredx dtype=f32 dst=0x20000 count=8 rows=10 astride=32 how=prod"), 3 * (23 + 10));
  EXPECT_EQ(busy("vredy dtype=f32 dst=0x20000 count=64 rows=8 astride=256"), 3 * 23 + 4 + 2 + 1);
  EXPECT_EQ(busy("vredy dtype=f32 dst=0x20000 count=64 rows=1 astride=256"), 23 + 1);
}

TEST(Cost, BroadcastsMakeBlocksThenRows) {
  EXPECT_EQ(busy("vbrc dtype=f32 dst=0x20000 count=8 rows=64 dstride=32"), 23 + 8);
  EXPECT_EQ(busy("vbrc dtype=f32 dst=0x20000 count=64 rows=64 dstride=256"), 23 + 8 + 23 + 64);
  EXPECT_EQ(busy("vdup dtype=f16 dst=0x20000 count=1280"), 23 + 10);
  EXPECT_EQ(busy("vtrans dtype=f16 dst=0x20000 count=17 rows=16 dstride=32 astride=64"), 23 + 4);
}

// Published: 5 single elements a cycle gathered; 2 sorted or merged.
TEST(Cost, ElementsByNumberAndOrderGoOneByOne) {
  EXPECT_EQ(busy("vgather dtype=f32 dst=0x20000 index=0x10000 count=100 limit=64"),
            23 + 2 + 23 + 26);
  EXPECT_EQ(busy("vscany dtype=f32 dst=0x20000 count=64 rows=4 dstride=256 astride=256"),
            4 * (23 + 1 + 8));
  EXPECT_EQ(busy("vscanx dtype=f32 dst=0x20000 count=16 rows=16 dstride=64 astride=64"),
            2 * (23 + 4) + 16 * (23 + 1 + 8));
  EXPECT_EQ(busy("vsort dtype=f32 dst=0x20000 index=0x10000 count=128"),
            23 + 2 + 2 * (23 + 64) + 2 * (23 + 8));
}

// Published: 16 KiB from L1 to L0A in 65 cycles.
TEST(Cost, OperandBuffersFillAtTheirRates) {
  EXPECT_EQ(busy("l0a dtype=f16 m=64 k=128 prows=64"), 66);
  expect_near(busy("l0a dtype=f16 m=64 k=128 prows=64"), 65, 0.03);
  EXPECT_EQ(busy("l0b dtype=f16 k=128 n=64 prows=128"), 130);
  EXPECT_EQ(busy("l0a dtype=f16 m=1 k=1 prows=16"), 4) << "a whole fractal";
  EXPECT_EQ(busy("ldbt dtype=f16 n=64"), 2 + 8);
}

// Published: one 512 B load 221 cycles, two 227, one store 256 to 270.
TEST(Cost, SmallCopiesTakeTheirLatency) {
  expect_near(alone("load src=r1 len=512"), 221, 0.05);
  expect_near(alone("store dst=r1 len=512"), 263, 0.1);
  EXPECT_EQ(busy("load src=r1 len=512"), 9);
  EXPECT_EQ(busy("load src=r1 len=16384"), 262) << "62.7 bytes a cycle";
  EXPECT_EQ(busy("store dst=r1 len=16384"), 164);
  EXPECT_EQ(busy("load src=r1 len=32 rows=64 sstride=512 dstride=32"), 131) << "128 bytes at least";
}

TEST(Cost, LoadsIntoL1PayForRowsThatDoNotConvertWell) {
  Machine on = machine();
  apply_set(on, "mte2.gm_to_l1=96B/cycle");
  EXPECT_EQ(busy("loadl1 src=r1 len=9600", on), 102) << "75 lines";
  EXPECT_EQ(busy("loadnz dtype=f16 src=r1 rows=75 cols=128 prows=80 stride=256", on), 200);
  EXPECT_EQ(busy("loadnz dtype=f16 src=r1 rows=75 cols=64 prows=80 stride=128", on), 102);
  EXPECT_EQ(busy("loadnz dtype=f16 src=r1 rows=64 cols=256 prows=64 stride=8190", on) / 64, 31)
      << "rows at odd addresses, two requests each, 20 bytes a cycle";
}

// Published: 64 KiB of accumulators in 817 cycles.
TEST(Cost, FixPipeWritesTwentyAccumulatorsACycle) {
  expect_near(busy("fix dtype=f32 dst=r1 m=128 n=128 stride=512"), 817, 0.01);
  expect_near(busy("fix dtype=f16 dst=r1 m=128 n=128 stride=256"), 817, 0.01);
}

TEST(Cost, ScalarWorkIsTheFirmwares) {
  EXPECT_EQ(alone("sadd rd=r4"), 0);
  EXPECT_EQ(alone("ldgm dtype=i32 src=r4"), 0);
  EXPECT_EQ(alone("set pipe=vector other=mte2"), 1);
  EXPECT_EQ(alone("xwait pipe=mte2"), 1);
}

TEST(Cost, NoPipeIsHeldForNothing) {
  for (const isa::Row& row : isa::rows()) {
    if (row.pipe == Pipe::Scalar && !row.named_pipe) continue;
    for (const DType type : kDTypes) {
      isa::Command c;
      c.op = row.op;
      for (int i = 0; i < row.operands; ++i) {
        const isa::Operand& operand = row.operand[static_cast<std::size_t>(i)];
        if (operand.kind == isa::OperandKind::Value) c.operand[static_cast<std::size_t>(i)] = 16;
        if (operand.kind == isa::OperandKind::Type) {
          c.operand[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(type);
        }
      }
      if (row.dtypes != 0 && !contains(row.dtypes, type)) continue;
      EXPECT_GT(CostModel(machine()).of(c).busy.count(), 0) << row.mnemonic << name_of(type);
    }
  }
}

TEST(Cost, EveryParameterIsInUse) {
  const auto changes = [](const char* assignment, const std::string& line) {
    Machine changed = machine();
    apply_set(changed, assignment);
    const Cost now = cost(line, changed), before = cost(line);
    return now.head != before.head || now.busy != before.busy || now.tail != before.tail;
  };
  const std::string add = "vadd dtype=f32 dst=0x20000 a=0 b=0x10100 count=4096";
  const std::string product = "mmad dtype=f16 m=64 k=64 n=64";
  EXPECT_TRUE(changes("vector.fixed=24cycles", add));
  EXPECT_TRUE(changes("vector.head=1cycles", add));
  EXPECT_TRUE(changes("vector.tail=9cycles", add));
  EXPECT_TRUE(changes("vector.rate.simple.b32=32", add));
  EXPECT_TRUE(changes("cube.head=53cycles", product));
  EXPECT_TRUE(changes("cube.gap=9cycles", product));
  EXPECT_TRUE(changes("cube.tail=1cycles", product));
  EXPECT_TRUE(changes("cube.step.f16=16x16x32", product));
  EXPECT_TRUE(changes("mte1.fixed=3cycles", "l0a dtype=f16 m=16 k=16 prows=16"));
  EXPECT_TRUE(changes("mte1.l0b=64B/cycle", "l0b dtype=f16 k=16 n=16 prows=16"));
  EXPECT_TRUE(changes("mte2.issue_gap=21cycles", "load src=r1 len=32"));
  EXPECT_TRUE(changes("mte2.latency=101cycles", "load src=r1 len=32"));
  EXPECT_TRUE(changes("mte2.gm_to_ub=61B/cycle", "load src=r1 len=65536"));
  EXPECT_TRUE(changes("l2.read_latency=112cycles", "load src=r1 len=32"));
  EXPECT_TRUE(changes("fix.l0c_to_gm=81B/cycle", "fix dtype=f32 dst=r1 m=128 n=128 stride=512"));
  EXPECT_TRUE(changes("firmware.flag_issue=2cycles", "set pipe=vector other=mte2"));
  EXPECT_TRUE(changes("ub.bank_groups=32", "vadd dtype=f32 dst=0x20000 a=0 b=0x200 count=4096"));
}

TEST(Cost, AMachineThatComputesNothingIsRefused) {
  Machine broken = machine();
  broken.vector_rate[static_cast<std::size_t>(VectorClass::special)].types = 0;
  EXPECT_THROW(CostModel{broken}, Error);
}

}  // namespace
}  // namespace dvmsim
