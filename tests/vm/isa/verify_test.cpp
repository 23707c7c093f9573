#include "vm/isa/verify.h"

#include <gtest/gtest.h>

#include "tests/support/random_program.h"
#include "vm/base/error.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

namespace dvmsim::isa {
namespace {

using testing::random_program;
using testing::RandomOptions;

const Machine& machine() {
  static const Machine kMachine = default_machine();
  return kMachine;
}

/// The findings of a text, one a line, without their place.
std::string findings(const std::string& text, const Machine& on = machine()) {
  std::string all;
  for (const Finding& finding : verify(assemble(text, "t"), on)) {
    all += (all.empty() ? "" : "\n") + finding.text;
  }
  return all;
}
std::string vector(const std::string& body) {
  return findings(".arg input x 64\n.vector\n" + body);
}
std::string cube(const std::string& body) {
  return findings(".arg input x 64\n.cube\n" + body);
}

TEST(Verify, AcceptsRandomProgramsOnEveryMachine) {
  for (const char* file : {"tiny", "ascend910b1", "ascend910a", "onnxim_tpuv4_4x128"}) {
    const Machine on =
        load_machine(std::string(DVMSIM_SOURCE_DIR "/configs/hardware/") + file + ".yaml");
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      RandomOptions options;
      options.device_data = seed % 2 == 0;
      options.cube = seed % 5 != 1;
      options.vector = seed % 5 != 2;
      const auto found = verify(random_program(on, seed, options).program, on);
      ASSERT_TRUE(found.empty()) << file << " seed " << seed << ": " << print(found[0]);
    }
  }
}

/// Every program that has one flag less: a wait or set left out of an instruction, or a whole one.
template <class Visit>
void without_each_flag(const std::vector<std::uint64_t>& code, const Visit& visit) {
  std::vector<Inst> insts;
  Inst inst;
  DecodeError error;
  for (std::size_t at = 0; at < code.size();) {
    at += static_cast<std::size_t>(decode(code, at, inst, error));
    insts.push_back(inst);
  }
  const auto visit_without = [&](std::size_t index, const Inst& changed) {
    std::vector<std::uint64_t> less;
    for (std::size_t i = 0; i < insts.size(); ++i) append(i == index ? changed : insts[i], less);
    visit(less, print(insts[index]));
  };
  for (std::size_t i = 0; i < insts.size(); ++i) {
    for (auto member : {&Inst::waits, &Inst::sets}) {
      Inst changed = insts[i];
      if (!(changed.*member)[0].valid) continue;
      (changed.*member)[0] = (changed.*member)[1];
      (changed.*member)[1] = {};
      visit_without(i, changed);
    }
    if (insts[i].op == Op::set || insts[i].op == Op::wait) visit_without(i, blank(Op::nop));
  }
}

TEST(Verify, NoticesEachFlagThatIsLeftOut) {
  int tried = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Program program =
        random_program(machine(), seed, {.exchange = false, .blocks = 4}).program;
    const auto refused = [&](Program changed, const std::string& what) {
      ++tried;
      // Jumps over arms have moved: their own findings do not count.
      bool about_flags = false;
      for (const Finding& finding : verify(changed, machine())) {
        about_flags |= finding.text.find("flag") != std::string::npos ||
                       finding.text.find("jump") != std::string::npos;
      }
      ASSERT_TRUE(about_flags) << "seed " << seed << ": " << what;
    };
    without_each_flag(program.vector, [&](const auto& code, const std::string& what) {
      Program changed = program;
      changed.vector = code;
      refused(changed, what);
    });
    without_each_flag(program.cube, [&](const auto& code, const std::string& what) {
      Program changed = program;
      changed.cube = code;
      refused(changed, what);
    });
  }
  EXPECT_GT(tried, 500);
}

TEST(Verify, EveryInstructionDecodes) {
  Program program;
  program.vector = {0x100, 0xff};
  const auto found = verify(program, machine());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(print(found[0]), "vector 1: no such instruction");
}

TEST(Verify, InstructionsStandOnTheirKindOfCore) {
  EXPECT_EQ(vector(" mmad dtype=f16\n halt\n"), "mmad does not run on vector cores");
  EXPECT_EQ(cube(" vadd dtype=f16\n halt\n"), "vadd does not run on cube cores");
  Machine unified = machine();
  unified.cores.unified = true;
  unified.cores.per_group = 0;
  EXPECT_EQ(findings(".cube\n vadd dtype=f16\n mmad dtype=f16\n halt\n", unified), "");
  EXPECT_EQ(findings(".vector\n halt\n", unified),
            "code for vector cores on a machine without them");
}

TEST(Verify, PipesAndFlagsExist) {
  EXPECT_EQ(vector(" drain pipe=cube\n halt\n"), "vector cores have no pipe cube");
  EXPECT_EQ(vector(" drain pipe=scalar\n halt\n"),
            "the scalar unit cannot wait until it is drained itself");
  EXPECT_EQ(vector(" set pipe=vector other=vector\n halt\n"),
            "a flag from vector to itself; use drain");
  EXPECT_EQ(vector(" vadd dtype=f32 wait=fix.0\n halt\n"), "vector cores have no pipe fix");
  EXPECT_EQ(vector(" set pipe=vector other=mte2 id=8\n halt\n"), "flag 8 on a machine with 8");
  EXPECT_EQ(vector(" nop drain\n halt\n"), "flags on an instruction that no queue runs");
  EXPECT_EQ(vector(" set pipe=vector other=mte2 set=mte3.0\n halt\n"),
            "set and wait carry no further flags of their kind");
  Machine few = machine();
  few.flag.ids = 4;
  EXPECT_EQ(findings(".vector\n vadd dtype=f32 set=mte2.4\n halt\n", few),
            "flag 4 on a machine with 4");
  EXPECT_EQ(vector(" loop count=1 rotate=256\n endloop\n halt\n"),
            "rotates flags the machine has not");
}

TEST(Verify, CrossCoreFlagsExist) {
  EXPECT_EQ(vector(" xset pipe=mte3 id=10 mode=pair\n halt\n"), "");
  EXPECT_EQ(vector(" xset pipe=mte3 id=11\n halt\n"), "flag 11 between cores on a machine with 11");
  Machine alone = machine();
  alone.cores.per_group = 0;
  EXPECT_EQ(findings(".vector\n xwait pipe=mte2 mode=group\n halt\n", alone),
            "flags inside a group on a machine without groups");
}

TEST(Verify, ArgumentsExist) {
  EXPECT_EQ(vector(" ldarg rd=r4\n halt\n"), "");
  EXPECT_EQ(vector(" ldarg rd=r4 index=1\n halt\n"), "argument word 1 of 1");
  EXPECT_EQ(cube(" matmul dtype=f16\n halt\n").substr(0, 13), "argument word");
  EXPECT_EQ(cube(" gmatmul dtype=f16\n halt\n").substr(0, 13), "argument word");
}

TEST(Verify, RotationNamesALoopAroundIt) {
  EXPECT_EQ(vector(" mov a=r4+i%2*32\n halt\n"),
            "an operand rotates with a loop that does not enclose it");
  EXPECT_EQ(vector(" loop count=2\n mov a=r4+i%2*32\n endloop\n halt\n"), "");
  EXPECT_EQ(vector(" loop count=2\n mov a=r4+i%2*32^1\n endloop\n halt\n"),
            "an operand rotates with a loop that does not enclose it");
}

TEST(Verify, ImmediateOperandsStayInTheirMemory) {
  const std::int64_t size = machine().ub.size.count();
  const auto dup = [](std::int64_t dst, std::int64_t count) {
    return vector(" vdup dtype=f32 dst=" + std::to_string(dst) + " count=" + std::to_string(count) +
                  "\n halt\n");
  };
  EXPECT_EQ(dup(size - 64, 16), "");
  EXPECT_EQ(dup(size - 64, 17), "dst touches ub bytes 196544 to 196612 of 196608");
  EXPECT_EQ(dup(16, 4), "dst at 16, not a multiple of 32");
  EXPECT_EQ(dup(-32, 4), "dst is -32\ndst touches ub bytes -32 to -16 of 196608");
  EXPECT_EQ(dup(0, -4), "count is -4");
  EXPECT_EQ(vector(" vdup dtype=f32 dst=r9 count=99999999\n halt\n"), "") << "known when it runs";
  EXPECT_EQ(cube(" loadnz dtype=f16 src=r4 rows=8 cols=8 prows=8\n halt\n"),
            "prows is not a multiple of 16");
  EXPECT_EQ(cube(" mmad dtype=f16 a=65024 m=16 k=16 n=16\n halt\n"), "");
  EXPECT_EQ(cube(" mmad dtype=f16 a=65024 m=17 k=16 n=16\n halt\n"),
            "a touches l0a bytes 65024 to 66048 of 65536");
}

TEST(Verify, TypesAreTheMachines) {
  Machine on = machine();
  on.cube_step[static_cast<std::size_t>(DType::F32)] = {};
  EXPECT_EQ(findings(".cube\n mmad dtype=f32 m=16 k=8 n=16\n halt\n", on),
            "the cube cannot multiply f32");
  EXPECT_EQ(vector(" store dst=r4 len=32 dtype=f32 atomic=add\n halt\n"), "");
  EXPECT_EQ(vector(" store dst=r4 len=32 dtype=i64 atomic=add\n halt\n"),
            "no atomic stores of i64");
  Machine without = machine();
  without.can.l0c_to_l1 = false;
  const char* kept = ".cube\n fixnz dtype=f16 m=16 n=16 prows=16\n halt\n";
  EXPECT_EQ(findings(kept, machine()), "");
  EXPECT_EQ(findings(kept, without), "accumulators do not go back to L1 on this machine");
}

TEST(Verify, WhatIsDoneSeveralTimes) {
  EXPECT_EQ(vector(" set pipe=mte2 other=vector id=1 count=3\n wait pipe=vector other=mte2 id=1 "
                   "count=2\n wait pipe=vector other=mte2 id=1\n halt\n"),
            "");
  EXPECT_NE(vector(" set pipe=mte2 other=vector id=1 count=2\n wait pipe=vector other=mte2 id=1\n "
                   "halt\n"),
            "");
  EXPECT_EQ(vector(" set pipe=mte2 other=vector id=1 count=0\n halt\n"), "done 0 times");
  EXPECT_EQ(vector(" ldarg rd=r63 index=0 count=2\n halt\n"),
            "register 64 of 64\nargument word 1 of 1");
  EXPECT_EQ(vector(" ldarg rd=r4 index=0 count=0\n halt\n"), "loads 0 argument words");
}

TEST(Verify, LoopsAreBalancedAndShallow) {
  EXPECT_EQ(vector(" loop count=1\n halt\n"), "a loop without its endloop");
  EXPECT_EQ(vector(" endloop\n halt\n"), "an endloop without its loop");
  EXPECT_EQ(vector(" loop count=-1\n endloop\n halt\n"), "a negative loop count");
  std::string deep, ends;
  for (int i = 0; i < 8; ++i) deep += " loop count=1\n", ends += " endloop\n";
  EXPECT_EQ(vector(deep + ends + " halt\n"), "");
  EXPECT_EQ(vector(deep + " loop count=1\n endloop\n" + ends + " halt\n"),
            "more than 8 loops in one another");
}

TEST(Verify, JumpsEndOnAnInstructionOfTheSameBody) {
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n mov a=5\nx:\n halt\n"), "");
  EXPECT_EQ(vector(" jz a=r4 skip=1\n mov a=5\n halt\n"),
            "a jump to word 3, where no instruction begins");
  EXPECT_EQ(vector(" jz a=r4 skip=9\n halt\n"), "a jump to word 11, where no instruction begins");
  EXPECT_EQ(vector(" jz a=r4 skip=-2\n halt\n"), "a jump goes forward only");
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n loop count=1\nx:\n nop\n endloop\n halt\n"),
            "a jump into or out of a loop");
  EXPECT_EQ(vector(" loop count=1\n jz a=r4 skip=@x\n nop\n endloop\nx:\n halt\n"),
            "a jump into or out of a loop");
  EXPECT_EQ(vector(" loop count=1\n jz a=r4 skip=@x\n nop\nx:\n endloop\n halt\n"), "");
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n loop count=1\n nop\n endloop\nx:\n halt\n"), "")
      << "over a whole loop";
}

TEST(Verify, EveryPathEndsInHalt) {
  EXPECT_EQ(vector(" nop\n"), "the code goes on behind its end; end with halt");
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n halt\nx:\n nop\n"),
            "the code goes on behind its end; end with halt");
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n halt\nx:\n halt\n"), "");
  EXPECT_EQ(vector(" halt\n halt\n"), "no path leads here; leave it out");
  EXPECT_EQ(vector(" loop count=1\n jz a=r4 skip=@x\n halt\nx:\n endloop\n halt\n"),
            "halt inside a loop; branch to behind it");
}

TEST(Verify, FlagsAreBackAtZeroAtHalt) {
  EXPECT_EQ(vector(" vadd dtype=f32 set=mte3.2\n store dst=r4 wait=vector.2\n halt\n"), "");
  EXPECT_EQ(
      vector(" vadd dtype=f32 set=mte3.2\n halt\n"),
      "flags are left at halt: flag 2 from vector to mte3 is set 1 more than it is waited for");
  EXPECT_EQ(
      vector(" vadd dtype=f32 set=mte3.2\n store dst=r4 wait=vector.1\n halt\n").substr(0, 74),
      "waits for flag 1 from vector to mte3, which nothing before it sets\nflags a");
}

TEST(Verify, FlagsDoNotCountPastTheirCounter) {
  std::string sets, waits;
  for (int i = 0; i < 15; ++i) {
    sets += " set pipe=vector other=mte2\n";
    waits += " wait pipe=mte2 other=vector\n";
  }
  EXPECT_EQ(vector(sets + waits + " halt\n"), "");
  EXPECT_EQ(vector(sets + " set pipe=vector other=mte2\n" + waits + " halt\n"),
            "sets flag 0 from vector to mte2 more than 15 times before it is waited for");
}

constexpr const char* kPipeline = R"( set pipe=vector other=mte2
 set pipe=vector other=mte2 id=1
 loop count=r9 rotate=3
 load dst=r4+i%2*512 src=r5 len=512 wait=vector.0 set=vector.0
 vadd dtype=f32 dst=r4+i%2*512 a=r4+i%2*512 b=0 count=128 wait=mte2.0 set=mte2.0
 endloop
 wait pipe=mte2 other=vector
 wait pipe=mte2 other=vector id=1
 halt
)";

TEST(Verify, LoopBodiesAreNeutral) {
  EXPECT_EQ(vector(kPipeline), "");
  std::string text = kPipeline;
  text.replace(text.find(" set=mte2.0"), 11, " set=mte2.1");
  EXPECT_EQ(vector(text).substr(0, 31), "the loop changes flags: in one ");
}

TEST(Verify, EveryTurnOfARotationIsPrimed) {
  std::string text = kPipeline;
  text.replace(text.find(" set pipe=vector other=mte2 id=1\n"), 33, "");
  text.replace(text.find(" wait pipe=mte2 other=vector id=1\n"), 34, "");
  EXPECT_EQ(vector(text).substr(0, 65),
            "waits for flag 0 from vector to mte2, which nothing before it set")
      << "in the second turn, 0 stands for 1";
}

TEST(Verify, BranchArmsAreNeutral) {
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n vadd dtype=f32 set=mte3.0\n store dst=r4 "
                   "wait=vector.0\nx:\n halt\n"),
            "");
  EXPECT_EQ(vector(" jz a=r4 skip=@x\n vadd dtype=f32 set=mte3.0\nx:\n store dst=r4 "
                   "wait=vector.0\n halt\n"),
            "a branch changes flags: on the longer way flag 0 from vector to mte3 is set 1 more "
            "than it is waited for");
}

TEST(Verify, CheckThrowsTheFirstFinding) {
  try {
    check(assemble(".vector\n nop\n nop drain\n halt\n", "t"), machine(), "x.dvm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "x.dvm: vector 1: flags on an instruction that no queue runs");
  }
}

}  // namespace
}  // namespace dvmsim::isa
