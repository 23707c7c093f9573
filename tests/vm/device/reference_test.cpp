#include "vm/device/reference.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

class ReferenceTest : public ::testing::Test {
 protected:
  LaunchReport run(const std::string& text, int cube, int vector, std::uint64_t seed = 0) {
    Reference device(machine_, seed);
    const Program program = isa::assemble(text, "test");
    Launch launch;
    launch.program = &program;
    launch.cube_cores = cube;
    launch.vector_cores = vector;
    return device.wait(device.submit(launch));
  }
  static bool says(const LaunchReport& report, const std::string& text) {
    return report.fault.text.find(text) != std::string::npos;
  }
  Machine machine_ = default_machine();
};

TEST_F(ReferenceTest, counts_instructions_commands_and_decode_cycles) {
  const LaunchReport report =
      run(".vector\n vdup dtype=i32 dst=0 s=1 count=8\n nop\n halt\n", 0, 3);
  ASSERT_FALSE(report.fault);
  EXPECT_EQ(report.instructions, 9);
  EXPECT_EQ(report.commands, 3);
  EXPECT_GT(report.decode.count(), 0);
}

TEST_F(ReferenceTest, says_who_waits_for_what_when_nothing_can_move) {
  const LaunchReport report = run(
      ".vector\n vdup dtype=i32 dst=0 s=1 count=8 wait=mte2.3\n drain pipe=vector\n halt\n", 0, 1);
  EXPECT_EQ(report.fault.kind, FaultKind::Deadlock);
  EXPECT_EQ(report.fault.core, (CoreId{CoreKind::Vector, 0}));
  EXPECT_TRUE(says(report, "vector core 0 vector: vdup")) << report.fault.text;
  EXPECT_TRUE(says(report, "waits for flag 3 of mte2")) << report.fault.text;
  EXPECT_TRUE(says(report, "vector core 0 scalar: drain")) << report.fault.text;
}

TEST_F(ReferenceTest, says_which_queue_is_full) {
  machine_.queue.vector = 2;
  std::string code = ".vector\n wait pipe=vector other=mte2 id=0\n";
  for (int i = 0; i < 3; ++i) code += " vdup dtype=i32 dst=0 s=1 count=8\n";
  const LaunchReport report = run(code + " halt\n", 0, 1);
  EXPECT_EQ(report.fault.kind, FaultKind::Deadlock);
  EXPECT_TRUE(says(report, "waits for a place in the queue of vector")) << report.fault.text;
}

TEST_F(ReferenceTest, names_the_cores_that_have_not_come) {
  const LaunchReport report =
      run(".vector\n jnz a=r0 skip=@skip\n xset pipe=mte3 id=2 mode=all\nskip:\n"
          " xwait pipe=mte2 id=2 mode=all\n halt\n",
          0, 2);
  EXPECT_EQ(report.fault.kind, FaultKind::Deadlock);
  EXPECT_TRUE(says(report, "flag 2 between cores, of vector core 0, vector core 1"))
      << report.fault.text;
}

TEST_F(ReferenceTest, waits_for_ever_for_a_group_that_is_not_there) {
  const LaunchReport report = run(".cube\n xwait pipe=fix id=0 mode=group\n halt\n", 1, 0);
  EXPECT_TRUE(says(report, "nobody in this launch")) << report.fault.text;
}

TEST_F(ReferenceTest, stops_at_a_fault_and_says_where) {
  for (std::uint64_t seed : {0, 1, 2}) {
    const LaunchReport report =
        run(".vector\n nop\n mov rd=r8 a=0x100000\n vdup dtype=i32 dst=r8 s=1 count=8\n halt\n", 0,
            1, seed);
    EXPECT_EQ(report.fault.kind, FaultKind::OutOfBounds);
    EXPECT_EQ(report.fault.pc, 3u);
  }
}

TEST_F(ReferenceTest, poisons_the_buffers_of_every_launch) {
  const Program program = isa::assemble(R"(.vector
  ldarg rd=r8 index=0
  store dst=r8 src=0 len=32 dtype=f32
  drain pipe=mte3
  vdup dtype=f32 dst=0 s=0 count=8
  halt
)",
                                        "test");
  Reference device(machine_);
  Launch launch;
  launch.program = &program;
  launch.vector_cores = 1;
  launch.arguments = {device.allocate(Bytes(32))};
  for (int i = 0; i < 2; ++i) {
    ASSERT_FALSE(device.wait(device.submit(launch)).fault);
    std::vector<std::byte> bytes(32);
    device.read(launch.arguments[0], bytes);
    EXPECT_EQ(bytes, std::vector<std::byte>(32, std::byte{0xff}));
  }
}

TEST_F(ReferenceTest, takes_two_tokens_for_two_waits_on_one_flag) {
  const std::string twice = " vdup dtype=i32 dst=0 s=1 count=8 wait=mte2.0,mte2.0\n halt\n";
  const std::string set = " set pipe=mte2 other=vector id=0\n";
  EXPECT_EQ(run(".vector\n" + set + twice, 0, 1).fault.kind, FaultKind::Deadlock);
  EXPECT_FALSE(run(".vector\n" + set + set + twice, 0, 1).fault);
}

TEST_F(ReferenceTest, refuses_launches_that_do_not_fit_the_machine_or_the_program) {
  EXPECT_THROW(run(".vector\n halt\n", 1, 0), Error);
  EXPECT_THROW(run(".vector\n halt\n", 0, 1000), Error);
  EXPECT_THROW(run(".vector\n halt\n", 0, -1), Error);
}

TEST_F(ReferenceTest, runs_unified_cores) {
  apply_set(machine_, "cores.unified=true");
  apply_set(machine_, "cores.vector=0");
  apply_set(machine_, "cores.per_group=0");
  const LaunchReport report =
      run(".cube\n vdup dtype=i32 dst=0 s=1 count=8\n xset pipe=vector id=0 mode=all\n"
          " xwait pipe=mte2 id=0 mode=all\n halt\n",
          4, 0);
  EXPECT_FALSE(report.fault) << report.fault.text;
}

}  // namespace
}  // namespace dvmsim
