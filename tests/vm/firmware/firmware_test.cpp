#include "vm/firmware/firmware.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "vm/firmware/mode.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

/// What a program made the firmware do, in words.
struct Result {
  std::vector<std::string> did{};  // print() of each command; "read ...", "drain ..."
  isa::Command last{};             // the last command
  Fault fault{};
  Cycles scalar{};
  int instructions = 0;
};

class FirmwareTest : public ::testing::Test {
 protected:
  /// Values for reads are taken from `reads_` in order.
  Result run(const std::string& code, CoreKind kind = CoreKind::Vector,
             CodePath path = CodePath::Bytecode) {
    const std::string section = kind == CoreKind::Vector ? ".vector\n" : ".cube\n";
    program_ = isa::assemble(section + code, "test");
    return run_program(kind, path);
  }
  Result run_program(CoreKind kind, CodePath path) {
    launch_.program = &program_;
    Firmware firmware(machine_, launch_, {kind, core_}, path);
    Result result;
    for (std::size_t read = 0;;) {
      const Step step = firmware.step();
      result.scalar += step.scalar;
      result.instructions += step.instructions;
      switch (step.kind) {
        case Step::Kind::Command:
          result.did.push_back(isa::print(*step.command));
          result.last = *step.command;
          break;
        case Step::Kind::Read:
          result.did.push_back("read " + isa::print(*step.command));
          firmware.supply(reads_.at(read++));
          break;
        case Step::Kind::Drain:
          result.did.push_back(isa::print(*step.command));
          break;
        case Step::Kind::Halt:
          return result;
        case Step::Kind::Fault:
          result.fault = firmware.fault();
          return result;
      }
    }
  }
  /// What r9 holds at the end.
  std::int64_t value(const std::string& code) {
    const Result result = run(code + "\n vdup dtype=i32 dst=0 s=r9 count=1\n halt\n");
    EXPECT_FALSE(result.fault) << result.fault.text;
    return result.last.at(2);
  }

  Machine machine_ = default_machine();
  Program program_{};
  Launch launch_{};
  int core_ = 0;
  std::vector<std::int64_t> reads_{};
};

std::string dup(std::int64_t value) {
  isa::Command command;
  command.op = isa::Op::vdup;
  command.pipe = Pipe::Vector;
  command.operand = {static_cast<std::int64_t>(DType::I32), 0, value, 1, 1, 0};
  return isa::print(command);
}
const char* const kDup = " vdup dtype=i32 dst=0 s=r9 count=1\n";

TEST_F(FirmwareTest, tells_a_core_who_it_is) {
  launch_.vector_cores = 6;
  launch_.cube_cores = 3;
  core_ = 5;
  EXPECT_EQ(value("mov rd=r9 a=r0"), 5);
  EXPECT_EQ(value("mov rd=r9 a=r1"), 6);
  EXPECT_EQ(value("mov rd=r9 a=r2"), 2);
  EXPECT_EQ(value("mov rd=r9 a=r3"), 1);
}

TEST_F(FirmwareTest, computes_like_64_bit_registers) {
  EXPECT_EQ(value("mov rd=r8 a=-7\n sdiv rd=r9 a=r8 b=2"), -3);
  EXPECT_EQ(value("mov rd=r8 a=-7\n smod rd=r9 a=r8 b=2"), -1);
  EXPECT_EQ(value("mov rd=r8 a=3\n sshl rd=r9 a=r8 b=40"), std::int64_t{3} << 40);
  EXPECT_EQ(value("mov rd=r8 a=-64\n sshr rd=r9 a=r8 b=3"), -8);
  EXPECT_EQ(value("mov rd=r8 a=1\n sshl rd=r8 a=r8 b=63\n sdiv rd=r9 a=r8 b=-1"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value("slt rd=r9 a=-1 b=0"), 1);
  EXPECT_EQ(value("seq rd=r9 a=4 b=5"), 0);
  EXPECT_EQ(value("smin rd=r9 a=4 b=-5"), -5);
  EXPECT_EQ(value("smax rd=r9 a=4 b=-5"), 4);
  EXPECT_EQ(value("sand rd=r9 a=12 b=10"), 8);
  EXPECT_EQ(value("sor rd=r9 a=12 b=10"), 14);
  EXPECT_EQ(value("sxor rd=r9 a=12 b=10"), 6);
  EXPECT_EQ(value("mov rd=r8 a=6\n smul rd=r9 a=r8 b=-7"), -42);
  EXPECT_EQ(value("mov rd=r8 a=6\n ssub rd=r9 a=r8 b=7"), -1);
}

TEST_F(FirmwareTest, repeats_a_loop_its_count_and_skips_an_empty_one) {
  EXPECT_EQ(value("loop count=5\n sadd rd=r9 a=r9 b=2\n endloop"), 10);
  EXPECT_EQ(value("loop count=0\n loop count=3\n sadd rd=r9 a=r9 b=1\n endloop\n endloop"), 0);
  EXPECT_EQ(value("loop count=2\n loop count=r8\n sadd rd=r9 a=r9 b=1\n endloop\n"
                  "sadd rd=r8 a=r8 b=3\n endloop"),
            3);
}

TEST_F(FirmwareTest, jumps_forward_on_zero_and_on_not_zero) {
  EXPECT_EQ(value("jz a=r8 skip=@x\n mov rd=r9 a=1\nx:\n sadd rd=r9 a=r9 b=4"), 4);
  EXPECT_EQ(value("jnz a=r8 skip=@x\n mov rd=r9 a=1\nx:\n sadd rd=r9 a=r9 b=4"), 5);
}

TEST_F(FirmwareTest, rotates_operands_with_the_loop_they_name) {
  const Result result =
      run("mov rd=r9 a=100\n loop count=2\n loop count=3\n"
          " vdup dtype=i32 dst=0 s=r9+i%2*0x20 count=1\n"
          " vdup dtype=i32 dst=0 s=r9+i%2*0x20^1 count=1\n endloop\n endloop\n halt\n");
  const std::vector<std::int64_t> want = {100, 100, 132, 100, 100, 100,
                                          100, 132, 132, 132, 100, 132};
  ASSERT_EQ(result.did.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(result.did[i], dup(want[i])) << i;
}

TEST_F(FirmwareTest, rotates_flag_ids_of_the_innermost_mask) {
  const Result result =
      run("loop count=2 rotate=0x60\n loop count=3 rotate=0x07\n set pipe=vector other=mte3 id=1\n"
          " endloop\n loop count=1\n set pipe=vector other=mte3 id=5\n endloop\n endloop\n"
          " set pipe=vector other=mte3 id=5\n halt\n");
  std::vector<char> ids;
  for (const std::string& text : result.did) ids.push_back(text[text.find("mte3.") + 5]);
  EXPECT_EQ(std::string(ids.begin(), ids.end()), "120512065");
}

TEST_F(FirmwareTest, hands_reads_out_and_takes_their_values) {
  reads_ = {42};
  const Result result = run(std::string("ldub rd=r9 dtype=i32 src=64 drain\n") + kDup + "halt\n");
  ASSERT_EQ(result.did.size(), 2u);
  EXPECT_EQ(result.did[1], dup(42));
}

TEST_F(FirmwareTest, reads_arguments_and_faults_beyond_them) {
  launch_.arguments = {11, 22};
  EXPECT_EQ(value("ldarg rd=r9 index=1"), 22);
  EXPECT_EQ(run("ldarg rd=r9 index=2\n halt\n").fault.kind, FaultKind::OutOfBounds);
  EXPECT_EQ(value("ldarg rd=r8 count=2"), 22);
  EXPECT_EQ(run("ldarg rd=r8 count=3\n halt\n").fault.kind, FaultKind::OutOfBounds);
  EXPECT_EQ(run("ldarg rd=r8 count=0\n halt\n").fault.kind, FaultKind::BadInstruction);
  EXPECT_EQ(run("ldarg rd=r63 count=2\n halt\n").fault.kind, FaultKind::BadInstruction);
}

TEST_F(FirmwareTest, sets_and_waits_several_times_at_the_price_of_one_decoding) {
  const Result once = run("set pipe=vector other=mte3 id=1\n halt\n");
  const Result result =
      run("set pipe=vector other=mte3 id=1 count=3\n wait pipe=mte3 other=vector id=1 count=2\n"
          " halt\n");
  ASSERT_EQ(result.did.size(), 5u);
  EXPECT_EQ(result.did[0], result.did[2]);
  EXPECT_EQ(result.did[3], result.did[4]);
  EXPECT_EQ(result.instructions, 3);
  const Result thrice = run("set pipe=vector other=mte3 id=1 count=3\n halt\n");
  EXPECT_EQ(thrice.scalar - once.scalar, machine_.firmware.flag_issue * 2);
  EXPECT_EQ(run("set pipe=vector other=mte3 id=1 count=0\n halt\n").fault.kind,
            FaultKind::BadInstruction);
  EXPECT_EQ(run("set pipe=vector other=mte3 id=1 count=65\n halt\n").fault.kind,
            FaultKind::BadInstruction);
  const Result turning =
      run("loop count=2 rotate=0x3\n set pipe=vector other=mte3 count=2\n endloop\n halt\n");
  ASSERT_EQ(turning.did.size(), 4u);
  EXPECT_EQ(turning.did[0], turning.did[1]);
  EXPECT_NE(turning.did[1], turning.did[2]);
}

TEST_F(FirmwareTest, faults_where_an_operand_breaks_its_rule) {
  const auto kind = [&](const std::string& code) { return run(code + "\n halt\n").fault.kind; };
  EXPECT_EQ(kind("sdiv rd=r9 a=1 b=r8"), FaultKind::DivideByZero);
  EXPECT_EQ(kind("smod rd=r9 a=1 b=0"), FaultKind::DivideByZero);
  EXPECT_EQ(kind("mov rd=r8 a=-1\n vdup dtype=i32 dst=0 s=1 count=r8"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("vdup dtype=i32 dst=0 s=1 count=-1"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("mov rd=r8 a=4\n vdup dtype=i32 dst=r8 s=1 count=1"), FaultKind::Misaligned);
  EXPECT_EQ(kind("vdup dtype=i32 dst=4 s=1 count=1"), FaultKind::Misaligned);
  EXPECT_EQ(kind("loop count=-1\n endloop"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("endloop"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("vdup dtype=i32 dst=r8+i%2*0x20 s=1 count=1"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("xset pipe=mte3 id=15 mode=all"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("jz a=0 skip=-1"), FaultKind::BadInstruction);
  EXPECT_EQ(kind("loop count=0\n nop"), FaultKind::BadInstruction);
  EXPECT_EQ(run("nop\n", CoreKind::Vector).fault.kind, FaultKind::BadInstruction);
}

TEST_F(FirmwareTest, names_core_and_word_of_a_fault_and_stays_there) {
  core_ = 3;
  const Result result = run("nop\n sdiv rd=r9 a=1 b=0\n halt\n");
  EXPECT_EQ(result.fault.pc, 1u);
  EXPECT_EQ(result.fault.core, (CoreId{CoreKind::Vector, 3}));
  Firmware firmware(machine_, launch_, {CoreKind::Vector, 3}, CodePath::Bytecode);
  EXPECT_EQ(firmware.step().kind, Step::Kind::Fault);
  EXPECT_EQ(firmware.step().kind, Step::Kind::Fault);
}

TEST_F(FirmwareTest, refuses_code_of_another_kind_of_core) {
  program_ = isa::assemble(".vector\n vdup dtype=i32 dst=0 s=1 count=1\n halt\n", "test");
  program_.cube = program_.vector;
  EXPECT_EQ(run_program(CoreKind::Cube, CodePath::Bytecode).fault.kind, FaultKind::BadInstruction);
  EXPECT_FALSE(run_program(CoreKind::Vector, CodePath::Bytecode).fault);
}

TEST_F(FirmwareTest, refuses_words_that_are_no_instruction) {
  program_ = {};
  program_.vector = {0xff};
  EXPECT_EQ(run_program(CoreKind::Vector, CodePath::Bytecode).fault.kind,
            FaultKind::BadInstruction);
}

// -- cycles: the nominal profile costs 5 a word, 8 an instruction, 2 an operand, 4 an issue
// ----------

TEST_F(FirmwareTest, charges_words_dispatch_operands_and_work) {
  const auto cycles = [&](const std::string& code) {
    return (run(code + "\n halt\n").scalar - Cycles(5 + 8)).count();
  };
  EXPECT_EQ(cycles(""), 0);
  EXPECT_EQ(cycles("nop"), 5 + 8);
  // rd, a, b: three lanes in two words, one cycle of work.
  EXPECT_EQ(cycles("sadd rd=r9 a=r9 b=7"), 3 * 5 + 8 + 3 * 2 + 1);
  EXPECT_EQ(cycles("sdiv rd=r9 a=r9 b=7"), 3 * 5 + 8 + 3 * 2 + 24);
  EXPECT_EQ(cycles("smul rd=r9 a=r9 b=7"), 3 * 5 + 8 + 3 * 2 + 3);
  // dtype, dst, s, count in two words; the rest holds its default and is left out.
  EXPECT_EQ(cycles("vdup dtype=i32 dst=0 s=1 count=8"), 3 * 5 + 8 + 4 * 2 + 4);
  EXPECT_EQ(cycles("vdup dtype=i32 dst=0 s=1 count=8 wait=mte2.0,mte3.0 set=mte3.0"),
            3 * 5 + 8 + 4 * 2 + 4 + 3);
  EXPECT_EQ(cycles("set pipe=vector other=mte3 id=1"), 3 * 5 + 8 + 4 * 2 + 4 + 1);
}

TEST_F(FirmwareTest, charges_a_branch_for_each_turn_of_a_loop) {
  const auto cycles = [&](int count) {
    return run("loop count=" + std::to_string(count) + "\n nop\n endloop\n halt\n").scalar;
  };
  EXPECT_EQ((cycles(3) - cycles(2)).count(), (5 + 8) + (5 + 8 + 4));
}

TEST_F(FirmwareTest, charges_native_code_per_command) {
  const Result result =
      run("ldarg rd=r9 index=0\n sadd rd=r9 a=r9 b=7\n vdup dtype=i32 dst=0 s=1 count=8\n"
          " vdup dtype=i32 dst=0 s=1 count=8 set=mte3.0\n halt\n",
          CoreKind::Vector, CodePath::Native);
  EXPECT_EQ(result.fault.kind, FaultKind::OutOfBounds);
  launch_.arguments = {1};
  EXPECT_EQ(run_program(CoreKind::Vector, CodePath::Native).scalar.count(), 13 + 13 + 1);
}

TEST_F(FirmwareTest, decodes_for_less_what_the_decode_cache_holds) {
  const std::string loop = "loop count=10\n vdup dtype=i32 dst=0 s=1 count=8\n endloop\n halt\n";
  const Cycles without = run(loop).scalar;
  machine_.firmware.decode_cache = 64;
  const Cycles with = run(loop).scalar;
  // Nine times each: 3 cycles instead of 31 for vdup and of 13 for endloop.
  EXPECT_EQ((without - with).count(), 9 * (31 - 3) + 9 * (13 - 3));
}

TEST_F(FirmwareTest, keeps_what_it_decoded_for_a_launch_that_asks_for_it) {
  const std::string loop = "loop count=10\n vdup dtype=i32 dst=0 s=1 count=8\n endloop\n halt\n";
  const Cycles without = run(loop).scalar;
  const Cycles kept = run(loop, CoreKind::Vector, CodePath::Kept).scalar;
  EXPECT_EQ((without - kept).count(), 9 * (31 - 3) + 9 * (13 - 3));
  machine_.firmware.kept = 0;
  EXPECT_EQ(run(loop, CoreKind::Vector, CodePath::Kept).scalar, without);
}

TEST_F(FirmwareTest, mode_follows_the_path_and_the_size_of_the_program) {
  program_ = isa::assemble(".vector\nnop\nnop\nhalt\n", "test");
  const auto mode = [&](CodePath path) { return firmware_mode(machine_, program_, path); };
  machine_.firmware.memory = ProgramMemory::Ub;
  machine_.firmware.decode_cache = 5;
  EXPECT_EQ(mode(CodePath::Bytecode).memory, ProgramMemory::Ub);
  EXPECT_EQ(mode(CodePath::Bytecode).decode_cache, 5);
  EXPECT_FALSE(mode(CodePath::Bytecode).prefetch);
  EXPECT_EQ(mode(CodePath::Native).decode_cache, 0);
  EXPECT_EQ(mode(CodePath::Kept).memory, ProgramMemory::Tcm);
  EXPECT_EQ(mode(CodePath::Kept).decode_cache, machine_.firmware.kept);
  EXPECT_TRUE(mode(CodePath::Kept).prefetch);
  machine_.firmware.tcm = Bytes(16);  // the program has 24 bytes
  EXPECT_EQ(mode(CodePath::Kept).memory, ProgramMemory::Cached);
  EXPECT_FALSE(mode(CodePath::Kept).prefetch);
}

TEST_F(FirmwareTest, tiles_are_planned_without_a_program_in_ub) {
  machine_.firmware.memory = ProgramMemory::Ub;
  const Machine same = as_planned(machine_, CodePath::Bytecode);
  EXPECT_EQ(hash_of(same), hash_of(machine_));
  const Machine kept = as_planned(machine_, CodePath::Kept);
  EXPECT_EQ((kept.ub_for_tiles(Bytes(4096)) - machine_.ub_for_tiles(Bytes(4096))).count(), 4096);
}

TEST_F(FirmwareTest, does_the_same_on_either_path) {
  const std::string code =
      "mov rd=r9 a=3\n loop count=4 rotate=3\n vdup dtype=i32 dst=r8+i%2*0x40 s=r9 count=8 "
      "set=mte3.0\n sadd rd=r9 a=r9 b=1\n endloop\n drain pipe=vector\n halt\n";
  EXPECT_EQ(run(code).did, run(code, CoreKind::Vector, CodePath::Native).did);
  EXPECT_EQ(run(code).did, run(code, CoreKind::Vector, CodePath::Kept).did);
}

}  // namespace
}  // namespace dvmsim
