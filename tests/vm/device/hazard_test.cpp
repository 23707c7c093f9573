#include "vm/device/hazard.h"

#include <gtest/gtest.h>

#include "vm/device/reference.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

using Kind = HazardChecker::Kind;

class HazardTest : public ::testing::Test {
 protected:
  std::vector<HazardChecker::Finding> check(const std::string& code, int vector = 1, int cube = 0,
                                            std::uint64_t seed = 0) {
    Reference device(machine_, seed);
    HazardChecker checker(machine_);
    device.listen_order(&checker);
    const Program program = isa::assemble(code, "test");
    Launch launch;
    launch.program = &program;
    launch.vector_cores = vector;
    launch.cube_cores = cube;
    for (int i = 0; i < 4; ++i) launch.arguments.push_back(device.allocate(Bytes(1 << 16)));
    const Fault fault = device.wait(device.submit(launch)).fault;
    EXPECT_FALSE(fault) << fault.text;
    return checker.findings();
  }
  /// The kinds found in vector code that begins with r10..r13 = the buffers.
  std::vector<Kind> kinds(const std::string& code, int vector = 1) {
    std::vector<Kind> found;
    for (const auto& finding : check(vector_code(code), vector)) found.push_back(finding.kind);
    return found;
  }
  static std::string vector_code(const std::string& code) {
    return ".vector\n ldarg rd=r10 index=0\n ldarg rd=r11 index=1\n" + code + " halt\n";
  }
  Machine machine_ = default_machine();
};

const std::vector<Kind> kNone = {};

TEST_F(HazardTest, sees_a_read_of_what_is_still_being_loaded) {
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=32\n vneg dtype=f32 dst=64 a=0 count=8\n"),
            std::vector{Kind::ReadAfterWrite});
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=32 set=vector.0\n"
                  " vneg dtype=f32 dst=64 a=0 count=8 wait=mte2.0\n"),
            kNone);
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=32\n vneg dtype=f32 dst=64 a=32 count=8\n"), kNone);
}

TEST_F(HazardTest, sees_a_load_over_what_is_still_being_read) {
  EXPECT_EQ(kinds(" vneg dtype=f32 dst=64 a=0 count=8\n load dst=0 src=r10 len=32\n"),
            std::vector{Kind::WriteAfterRead});
}

TEST_F(HazardTest, trusts_the_order_of_the_vector_queue_but_not_of_copies) {
  EXPECT_EQ(kinds(" vdup dtype=f32 dst=0 s=0 count=8\n vneg dtype=f32 dst=0 a=0 count=8\n"), kNone);
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=64\n load dst=32 src=r11 len=64\n"),
            std::vector{Kind::WriteAfterWrite});
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=64\n load dst=32 src=r11 len=64 drain\n"), kNone);
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=64\n load dst=64 src=r11 len=64\n"), kNone);
}

TEST_F(HazardTest, sees_stores_that_meet_in_global_memory_byte_by_byte) {
  const std::string first =
      " vdup dtype=f32 dst=0 s=0 count=64 set=mte3.0\n"
      " store dst=r10 src=0 len=100 dtype=f32 wait=vector.0\n";
  EXPECT_EQ(kinds(first + " sadd rd=r10 a=r10 b=96\n store dst=r10 src=0 len=64 dtype=f32\n"),
            std::vector{Kind::WriteAfterWrite});
  EXPECT_EQ(kinds(first + " sadd rd=r10 a=r10 b=100\n store dst=r10 src=0 len=64 dtype=f32\n"),
            kNone);
}

TEST_F(HazardTest, looks_between_the_rows_of_a_strided_access) {
  const std::string first =
      " vdup dtype=f32 dst=0 s=0 count=64 set=mte3.0\n"
      " store dst=r10 src=0 len=32 rows=4 dstride=64 sstride=32 dtype=f32 "
      "wait=vector.0\n";
  EXPECT_EQ(kinds(first + " sadd rd=r10 a=r10 b=32\n store dst=r10 src=0 len=32 rows=4 dstride=64 "
                          "sstride=32 dtype=f32\n"),
            kNone);
  EXPECT_EQ(kinds(first + " sadd rd=r10 a=r10 b=128\n store dst=r10 src=0 len=4 dtype=f32\n"),
            std::vector{Kind::WriteAfterWrite});
}

TEST_F(HazardTest, lets_updates_of_one_kind_meet) {
  const auto two = [](const char* a, const char* b) {
    return std::string(
               " vdup dtype=f32 dst=0 s=0 count=8\n set pipe=vector other=mte3 id=0\n"
               " store dst=r10 src=0 len=32 dtype=f32 wait=vector.0 atomic=") +
           a + "\n store dst=r10 src=0 len=32 dtype=f32 atomic=" + b + "\n";
  };
  EXPECT_EQ(kinds(two("add", "add")), kNone);
  EXPECT_EQ(kinds(two("add", "max")), std::vector{Kind::WriteAfterWrite});
  EXPECT_EQ(kinds(two("none", "add")), std::vector{Kind::WriteAfterWrite});
  EXPECT_EQ(kinds(two("add", "add"), 4), kNone);
}

TEST_F(HazardTest, remembers_the_fill_behind_an_update) {
  // Core 0 fills and adds, in order; core 1 adds without knowing of the fill.
  EXPECT_EQ(kinds(" vdup dtype=f32 dst=0 s=0 count=8\n set pipe=vector other=mte3 id=0\n"
                  " wait pipe=mte3 other=vector id=0\n jnz a=r0 skip=@add\n"
                  " store dst=r10 src=0 len=32 dtype=f32\nadd:\n"
                  " store dst=r10 src=0 len=32 dtype=f32 atomic=add drain\n",
                  2),
            std::vector{Kind::WriteAfterWrite});
}

TEST_F(HazardTest, knows_what_the_scalar_unit_has_seen) {
  // The scalar unit waits for the vector pipe, then issues: no flag is needed.
  EXPECT_EQ(kinds(" vneg dtype=f32 dst=64 a=0 count=8\n drain pipe=vector\n"
                  " load dst=0 src=r10 len=32\n"),
            kNone);
  EXPECT_EQ(kinds(" vdup dtype=i32 dst=0 s=5 count=8\n ldub rd=r9 dtype=i32 src=0\n"),
            std::vector{Kind::ReadAfterWrite});
  EXPECT_EQ(kinds(" vdup dtype=i32 dst=0 s=5 count=8\n ldub rd=r9 dtype=i32 src=0 drain\n"), kNone);
  EXPECT_EQ(kinds(" vdup dtype=i32 dst=0 s=5 count=8 set=scalar.0\n"
                  " ldub rd=r9 dtype=i32 src=0 wait=vector.0\n"
                  " load dst=0 src=r10 len=32\n"),
            kNone);
}

TEST_F(HazardTest, passes_knowledge_on_from_pipe_to_pipe) {
  // MTE3 learns of the load through the vector pipe, which does not touch the bytes itself.
  EXPECT_EQ(kinds(" load dst=0 src=r10 len=32 set=vector.0\n"
                  " vdup dtype=f32 dst=64 s=0 count=8 wait=mte2.0 set=mte3.0\n"
                  " store dst=r11 src=0 len=32 dtype=f32 wait=vector.0\n"),
            kNone);
}

TEST_F(HazardTest, orders_cores_by_flags_between_them_only) {
  const std::string write =
      " smul rd=r12 a=r0 b=32\n sadd rd=r12 a=r10 b=r12\n"
      " vdup dtype=f32 dst=0 s=0 count=8 set=mte3.0\n"
      " store dst=r12 src=0 len=32 dtype=f32 wait=vector.0\n";
  const std::string read = " load dst=64 src=r10 len=128\n";
  const std::string meet = " xset pipe=mte3 id=1 mode=all\n xwait pipe=mte2 id=1 mode=all\n";
  EXPECT_EQ(kinds(write + meet + read, 4), kNone);
  EXPECT_FALSE(kinds(write + read, 4).empty());
  // The flag tells of MTE2's work, which is not the store.
  EXPECT_FALSE(
      kinds(write + " xset pipe=mte2 id=1 mode=all\n xwait pipe=mte2 id=1 mode=all\n" + read, 4)
          .empty());
  EXPECT_FALSE(
      kinds(write + " xset pipe=mte3 id=1 mode=pair\n xwait pipe=mte2 id=1 mode=pair\n" + read, 4)
          .empty());
  EXPECT_EQ(
      kinds(write + " xset pipe=mte3 id=1 mode=pair\n xwait pipe=mte2 id=1 mode=pair\n" + read, 2),
      kNone);
}

TEST_F(HazardTest, orders_launches) {
  Reference device(machine_);
  HazardChecker checker(machine_);
  device.listen_order(&checker);
  const Program program =
      isa::assemble(vector_code(" vdup dtype=f32 dst=0 s=0 count=8 set=mte3.0\n"
                                " store dst=r10 src=0 len=32 dtype=f32 wait=vector.0\n"),
                    "test");
  Launch launch;
  launch.program = &program;
  launch.vector_cores = 1;
  launch.arguments = {device.allocate(Bytes(32)), 0};
  for (int i = 0; i < 2; ++i) ASSERT_FALSE(device.wait(device.submit(launch)).fault);
  EXPECT_TRUE(checker.findings().empty());
}

TEST_F(HazardTest, reports_flags_that_nobody_waits_for) {
  EXPECT_EQ(kinds(" vdup dtype=f32 dst=0 s=0 count=8 set=mte3.0\n"), std::vector{Kind::FlagLeft});
  EXPECT_EQ(kinds(" xset pipe=mte3 id=0 mode=all\n"), std::vector{Kind::FlagLeft});
  EXPECT_EQ(kinds(" set pipe=scalar other=mte2 id=0\n wait pipe=mte2 other=scalar id=0\n"), kNone);
}

TEST_F(HazardTest, names_both_commands_and_reports_a_pair_of_instructions_once) {
  const auto found =
      check(vector_code(" loop count=5\n load dst=0 src=r10 len=32\n"
                        " vneg dtype=f32 dst=64 a=0 count=8\n endloop\n"));
  ASSERT_EQ(found.size(), 3u);  // load-vneg, vneg-load, load-load
  EXPECT_NE(found[0].text.find("vneg"), std::string::npos) << found[0].text;
  EXPECT_NE(found[0].text.find("[vector core 0, word 6: load"), std::string::npos) << found[0].text;
  EXPECT_NE(found[0].text.find("in ub at 0"), std::string::npos) << found[0].text;
}

}  // namespace
}  // namespace dvmsim
