#include "vm/isa/text.h"

#include <gtest/gtest.h>

#include "tests/support/random_inst.h"
#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim::isa {
namespace {

using testing::pick;
using testing::Random;
using testing::random_inst;

constexpr std::string_view kText = R"(.program "scale rows" machine=0x1f
.arg input x 4096
.arg output y 4096
.arg scalar n 0
.cube
  halt
.vector
  ldarg rd=r4
  ldarg rd=r5 index=2
  loop count=r5 rotate=3
.mark tile rows
  load dst=r6+i%2*0x4000 src=r4 len=512 set=vector.0
  vmuls dtype=f32 dst=r6+i%2*0x4000^1 s=f32:1.5 count=128 wait=mte2.0,mte3.1 drain
  jz a=r7 skip=@w18
  sadd rd=r4 a=r4 b=512
w18:
  endloop
  vcmps dtype=i32 dst=32 s=-7 count=8 order=ge
  halt
)";

TEST(Text, PrintsWhatItReads) {
  const Program program = assemble(kText, "scale.s");
  EXPECT_EQ(program.name, "scale rows");
  EXPECT_EQ(program.machine, 0x1fu);
  ASSERT_EQ(program.arguments.size(), 3u);
  EXPECT_EQ(program.arguments[1], (Argument{Argument::Kind::Output, "y", 4096}));
  ASSERT_EQ(program.marks.size(), 1u);
  EXPECT_EQ(program.marks[0].pc, 6u);
  EXPECT_EQ(disassemble(program), kText);
}

TEST(Text, AcceptsCommentsHexAndAnyOrder) {
  const Inst inst = assemble_line("load len=0x40 src=r3 dst=-32 ; a comment", "here");
  EXPECT_EQ(inst.lane[0], Lane::imm(-32));
  EXPECT_EQ(inst.lane[1], Lane::r(3));
  EXPECT_EQ(inst.lane[2], Lane::imm(64));
  EXPECT_EQ(assemble("# nothing\n\n .vector ; code\n  nop\r\n", "t").vector.size(), 1u);
}

TEST(Text, EveryRandomInstructionIsOneLineThatReadsBack) {
  Random random(5);
  for (int i = 0; i < 50000; ++i) {
    const Inst inst = random_inst(random);
    const std::string line = print(inst);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    ASSERT_EQ(assemble_line(line, "t"), inst) << line;
  }
}

std::string random_name(Random& random) {
  constexpr std::string_view kLetters = "ab Z09_.-/\"\\\n\r\t;#=@:+";
  std::string name;
  for (std::int64_t i = pick(random, 0, 6); i > 0; --i) {
    name += kLetters[static_cast<std::size_t>(
        pick(random, 0, static_cast<std::int64_t>(kLetters.size()) - 1))];
  }
  return name;
}

TEST(Text, RandomProgramsReadBackWhateverTheyHold) {
  Random random(6);
  for (int i = 0; i < 2000; ++i) {
    Program program;
    program.name = random_name(random);
    program.machine = random();
    for (std::int64_t n = pick(random, 0, 12); n > 0; --n)
      append(random_inst(random), program.cube);
    for (std::int64_t n = pick(random, 0, 12); n > 0; --n) {
      Inst inst = random_inst(random);
      const int skip = row_of(inst.op).find("skip");
      if (skip >= 0) {
        inst.lane[static_cast<std::size_t>(skip)] =
            Lane::imm(static_cast<std::int32_t>(pick(random, 0, 9)));
      }
      append(inst, program.vector);
    }
    for (std::int64_t n = pick(random, 0, 3); n > 0; --n) {
      program.arguments.push_back({static_cast<Argument::Kind>(pick(random, 0, 3)),
                                   random_name(random), pick(random, 0, 99)});
      Argument& argument = program.arguments.back();
      if (argument.kind == Argument::Kind::Scalar && pick(random, 0, 1) == 1) {
        argument.value = static_cast<std::int64_t>(random());
      }
      program.marks.push_back({static_cast<DebugMark::Kind>(pick(random, 0, 1)),
                               static_cast<CoreKind>(pick(random, 0, 2)),
                               static_cast<std::uint32_t>(pick(random, 0, 9)),
                               random_name(random)});
    }
    if (pick(random, 0, 1) == 1) {
      program.launch = LaunchForm{static_cast<CodePath>(pick(random, 0, 1)),
                                  static_cast<int>(pick(random, 0, 3)),
                                  static_cast<int>(pick(random, 0, UINT16_MAX))};
    }
    const std::string text = disassemble(program);
    ASSERT_EQ(assemble(text, "t"), program) << text;
    ASSERT_EQ(disassemble(assemble(text, "t")), text);
  }
}

TEST(Text, ConstantsStandForNumbers) {
  const Program program = assemble(
      ".let ROWS 6\n.let bytes ROWS*512-0x10*2\n.arg input x bytes+1\n.launch cube=ROWS\n"
      ".vector\n load dst=-1*bytes+4*ROWS src=r4+i%2*ROWS*32^1 len=ROWS rows=2-ROWS--9\n",
      "t");
  EXPECT_EQ(program.arguments[0].bytes, 3041);
  EXPECT_EQ(program.launch, (LaunchForm{CodePath::Bytecode, 6, 0}));
  EXPECT_EQ(program.vector,
            assemble(".vector\n load dst=-3016 src=r4+i%2*0xc0^1 len=6 rows=5\n", "t").vector);
}

TEST(Text, EveryPathOfALaunchComesBack) {
  for (const std::string path : {"bytecode", "native", "kept"}) {
    const std::string launch = ".launch path=" + path + " vector=2\n";
    const std::string text = disassemble(assemble(launch + ".vector\n halt\n", "t"));
    EXPECT_NE(text.find(launch), std::string::npos) << text;
  }
}

TEST(Text, JumpsCountWordsFromTheirOwnEnd) {
  const Program program = assemble(".vector\n jnz a=1 skip=@end\n nop\n end:\n halt\n", "t");
  Inst inst;
  DecodeError error;
  ASSERT_EQ(decode(program.vector, 0, inst, error), 2);
  EXPECT_EQ(inst.lane[1], Lane::imm(1));
}

std::string complaint(std::string_view text) {
  try {
    (void)assemble(text, "f.s");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Text, ErrorsNameTheLineAndWhatToDo) {
  EXPECT_EQ(complaint(".vector\n halt\n frob\n"), "f.s:3: 'frob' is no instruction");
  EXPECT_EQ(complaint("halt\n"), "f.s:1: an instruction outside .cube and .vector");
  EXPECT_EQ(complaint(".vector\n mov rd=r64\n"), "f.s:2: 64 is not in 0..63");
  EXPECT_EQ(complaint(".vector\n mov rd=5\n"), "f.s:2: operand must be a register");
  EXPECT_EQ(complaint(".vector\n mov a=1 a=2\n"), "f.s:2: 'a' is given twice");
  EXPECT_EQ(complaint(".vector\n mov c=1\n"), "f.s:2: mov has no operand 'c'");
  EXPECT_EQ(complaint(".vector\n mov a=9999999999\n"),
            "f.s:2: 9999999999 does not fit a 32-bit immediate; use a register");
  EXPECT_EQ(complaint(".vector\n mov a=12z\n"), "f.s:2: '12z' is not a number; write 12 or 0x1f");
  EXPECT_EQ(complaint(".vector\n mov a=99999999999999999999\n"),
            "f.s:2: '99999999999999999999' is not a number; write 12 or 0x1f");
  EXPECT_EQ(complaint(".vector\n mov a=-9999999999999999999\n"),
            "f.s:2: '-9999999999999999999' does not fit 64 bits");
  EXPECT_EQ(complaint(".vector\n mov a=f32:x\n"), "f.s:2: 'x' is not an f32; write f32:1.5");
  EXPECT_EQ(complaint(".vector\n mov a=r3+i%2\n"), "f.s:2: a rotating register is r6+i%2*0x4000");
  EXPECT_EQ(complaint(".vector\n mov a=r3+i%1*32\n"), "f.s:2: a rotation is by 2 to 7");
  EXPECT_EQ(complaint(".vector\n mov a=r3+i%2*33\n"),
            "f.s:2: the step of a rotation is a multiple of 32 bytes");
  EXPECT_EQ(complaint(".vector\n vadd dtype=f64\n"),
            "f.s:2: 'f64' is no type; use one of bool i8 u8 i32 i64 f16 bf16 f32");
  EXPECT_EQ(complaint(".vector\n drain pipe=x\n"),
            "f.s:2: 'x' is none of: scalar mte1 mte2 mte3 cube vector fix");
  EXPECT_EQ(complaint(".vector\n nop wait=mte2\n"),
            "f.s:2: 'mte2' is no flag; write pipe.id, as in mte2.0");
  EXPECT_EQ(complaint(".vector\n nop wait=mte2.0,mte2.1,mte2.2\n"),
            "f.s:2: at most two flags each way; use wait and set instructions for more");
  EXPECT_EQ(complaint(".vector\n jz a=1 skip=@x\n"), "f.s:2: no label 'x' here");
  EXPECT_EQ(complaint(".vector\nx:\n nop\n jz a=1 skip=@x\n"),
            "f.s:4: jumps go forward only; use loop");
  EXPECT_EQ(complaint(".vector\n jz skip=@x\nx:\n"),
            "f.s:2: a jump to the next instruction; leave it out");
  EXPECT_EQ(complaint(".vector\nx:\nx:\n"), "f.s:3: label 'x' is there twice");
  EXPECT_EQ(complaint("x:\n"), "f.s:1: a label outside .cube and .vector");
  EXPECT_EQ(complaint(".vector\n nop\n.vector\n"),
            "f.s:3: the section was there before; write each kind of core once");
  EXPECT_EQ(
      complaint(".bad\n"),
      "f.s:1: '.bad' is no directive; use .program .launch .let .arg .task .cube .vector .mark");
  EXPECT_EQ(complaint(".vector extra\n"), "f.s:1: '.vector' takes 0 to 0 words");
  EXPECT_EQ(complaint(".program \"x\n"), "f.s:1: a quote is not closed");
  EXPECT_EQ(complaint(".program x y\n"), "f.s:1: expected machine=0x...");
  EXPECT_EQ(complaint(".arg in x 5\n"), "f.s:1: an argument is input, output, workspace or scalar");
  EXPECT_EQ(complaint(".arg input x 5 value=1\n"),
            "f.s:1: only a scalar has one more word, value=N");
  EXPECT_EQ(complaint(".arg scalar x 0 5\n"), "f.s:1: only a scalar has one more word, value=N");
  EXPECT_EQ(complaint(".launch cores=3\n"),
            "f.s:1: 'cores=3': write path=native, path=bytecode, path=kept, cube=N or vector=N");
  EXPECT_EQ(complaint(".launch cube=70000\n"), "f.s:1: 70000 is not in 0..65535");
  EXPECT_EQ(complaint(".launch\n.launch\n"),
            "f.s:2: how it is launched was said before; write .launch once");
  EXPECT_EQ(complaint(".let r5 1\n"),
            "f.s:1: 'r5' cannot name a constant; use letters, digits and _, and no register");
  EXPECT_EQ(complaint(".let A 1\n.let A 2\n"), "f.s:2: constant 'A' is there twice");
  EXPECT_EQ(complaint(".let A B\n"), "f.s:1: no constant 'B' so far; write .let B VALUE before");
  EXPECT_EQ(complaint(".let A 0x7fffffffffffffff*2\n"), "f.s:1: a product does not fit 64 bits");
  EXPECT_EQ(complaint(".let A 0x7fffffffffffffff+2\n"), "f.s:1: a sum does not fit 64 bits");
  EXPECT_EQ(complaint(".let A 3+\n"), "f.s:1: '' is not a number; write 12 or 0x1f");
  EXPECT_EQ(complaint(".vector\n mov a=r4+512\n"),
            "f.s:2: '4+512' is not a number; write 12 or 0x1f");
  EXPECT_EQ(complaint(".mark tile x\n"),
            "f.s:1: a mark needs a place: put it into .cube or .vector");
  EXPECT_EQ(complaint(".mark tiles x\n"), "f.s:1: a mark is tile or operator");
  EXPECT_EQ(complaint(".mark tile x core 1\n"), "f.s:1: a core is cube, vector or unified");
  EXPECT_THROW((void)assemble_line("", "t"), Error);
  EXPECT_THROW((void)assemble_line("jz a=r1 skip=@x", "t"), Error);
}

TEST(Text, WordsThatDoNotDecodeAreNamedByOffset) {
  const std::vector<std::uint64_t> code = {0x100, 0xff};
  try {
    (void)disassemble(code);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "offset 1: no such instruction; not bytecode of this version");
  }
}

TEST(Text, ACommandIsPrintedWithItsNumbers) {
  Command command;
  command.op = Op::load;
  command.operand = {64, 0x1000, 32, 2, 32, 64};
  command.sets = 1;
  command.set[0] = {true, Pipe::Vector, 4};
  EXPECT_EQ(print(command),
            "load dst=64 src=4096 len=32 rows=2 dstride=32 sstride=64 set=vector.4");
  command = {};
  command.op = Op::vcmps;
  command.operand = {static_cast<int>(DType::F16), 0, 0, 0, 4, 1, 0, 0, 2};
  EXPECT_EQ(print(command), "vcmps dtype=f16 dst=0 a=0 count=4 order=lt");
}

}  // namespace
}  // namespace dvmsim::isa
