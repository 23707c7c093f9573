// The scalar unit at the exact cycle: where the program comes from and what a scalar read costs.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "vm/isa/text.h"
#include "vm/program/table.h"

namespace dvmsim::testing {
namespace {

constexpr RowId kScalarRow{kVector0, Pipe::Scalar};

Simulated on_one_core(const Machine& machine, const std::string& text,
                      CodePath path = CodePath::Bytecode) {
  Setting setting;
  setting.vector_cores = 1;
  setting.path = path;
  setting.options.memory = MemoryModel::Ideal;
  return simulate(machine, text, setting);
}
std::int64_t total(const Simulated& outcome) {
  return (outcome.report.end - outcome.report.begin).count();
}
std::int64_t waited(const Simulated& outcome) {
  return outcome.record.cycles(kScalarRow, Reason::WaitResult);
}

TEST(Scalar, program_is_read_into_ub_before_it_runs) {
  const Machine machine = quiet_machine({"firmware.memory=ub", "mte2.latency=100cycles",
                                         "l2.read_latency=30cycles", "mte2.gm_to_ub=2B/cycle"});
  EXPECT_EQ(total(on_one_core(machine, ".vector\nhalt\n")), 130);
  std::string longer = ".vector\n";
  for (int i = 0; i < 99; ++i) longer += "nop\n";
  // At 2 B/cycle the port is slower than the latency: 800 bytes in two requests.
  EXPECT_EQ(total(on_one_core(machine, longer + "halt\n")), 1024 / 2);
}

TEST(Scalar, kept_program_is_asked_for_before_the_entry) {
  const auto ends = [](const std::string& entry, CodePath path) {
    const Machine machine = quiet_machine({"firmware.memory=ub", "mte2.latency=100cycles",
                                           "l2.read_latency=30cycles", "launch.entry=" + entry});
    return total(on_one_core(machine, ".vector\nhalt\n", path));
  };
  // Latency of 130 cycles under an entry of 185, or of 93.
  EXPECT_EQ(ends("100ns", CodePath::Bytecode), 185 + 130);
  EXPECT_EQ(ends("100ns", CodePath::Kept), 185);
  EXPECT_EQ(ends("50ns", CodePath::Bytecode), 93 + 130);
  EXPECT_EQ(ends("50ns", CodePath::Kept), 130);
}

TEST(Scalar, program_in_gm_is_fetched_block_by_block) {
  const Machine machine = quiet_machine(
      {"firmware.icache_miss=50cycles", "firmware.icache_fill=64B", "vector.head=0cycles"});
  std::string text = ".vector\nset pipe=vector other=mte3 id=0\n";
  for (int i = 0; i < 8; ++i) text += "nop\n";
  text += "set pipe=vector other=mte3 id=0\n";
  const Simulated outcome = on_one_core(machine, text + "halt\n");
  EXPECT_EQ(outcome.record.cycles(kScalarRow, Reason::EmptyFetch), 2 * 50);
  EXPECT_EQ(outcome.record.cycles({kVector0, Pipe::Vector}, Reason::EmptyFetch), 50 + 50);
}

TEST(Scalar, compiled_code_misses_its_cache_once) {
  const Machine machine = quiet_machine({"firmware.icache_miss=50cycles", "firmware.memory=ub"});
  EXPECT_EQ(total(on_one_core(machine, ".vector\nhalt\n", CodePath::Native)), 50);
}

TEST(Scalar, read_of_gm_misses_its_line_once) {
  const Machine machine = quiet_machine(
      {"firmware.load_gm=150cycles", "l2.read_latency=30cycles", "firmware.load_argument=4cycles"});
  const std::string head = ".arg input x 4096\n.vector\nldarg rd=r4 index=0\n";
  const std::string read = "ldgm rd=r5 dtype=i32 src=r4\n";
  EXPECT_EQ(waited(on_one_core(machine, head + read + "halt\n")), 150);
  EXPECT_EQ(waited(on_one_core(machine, head + read + read + "halt\n")), 154);
  EXPECT_EQ(waited(on_one_core(machine, head + read + "sadd rd=r4 a=r4 b=64\n" + read + "halt\n")),
            300);
}

TEST(Scalar, lines_a_cache_size_apart_drive_each_other_out) {
  const Machine machine = quiet_machine(
      {"firmware.load_gm=150cycles", "l2.read_latency=30cycles", "firmware.dcache=1KiB"});
  EXPECT_EQ(waited(on_one_core(machine, R"(.arg input x 4096
.vector
ldarg rd=r4 index=0
sadd rd=r6 a=r4 b=1024
ldgm rd=r5 dtype=i32 src=r4
ldgm rd=r5 dtype=i32 src=r6
ldgm rd=r5 dtype=i32 src=r4
halt
)")),
            3 * 150);
}

TEST(Scalar, read_of_ub_waits_for_the_vector_pipe_and_brings_its_value) {
  const Machine machine = quiet_machine({"firmware.load_ub=10cycles", "vector.head=0cycles"});
  const Simulated outcome = on_one_core(machine, R"(.vector
vdup dtype=i32 dst=0 s=3 count=64
ldub rd=r5 dtype=i32 src=0 drain
loop count=r5
vdup dtype=i32 dst=0 s=3 count=64
endloop
halt
)");
  ASSERT_FALSE(outcome.report.fault) << outcome.report.fault.text;
  const auto work = outcome.record.work({kVector0, Pipe::Vector});
  ASSERT_EQ(work.size(), 4u);
  EXPECT_EQ(work[1].begin, work[0].visible + Cycles(10));
}

TEST(Scalar, timing_mode_refuses_to_read_data) {
  Setting setting;
  setting.vector_cores = 1;
  setting.options.mode = Mode::Timing;
  const Simulated outcome = simulate(quiet_machine(), R"(.arg input x 64
.vector
ldarg rd=r4 index=0
ldgm rd=r5 dtype=i32 src=r4
halt
)",
                                     setting);
  EXPECT_EQ(outcome.report.fault.kind, FaultKind::DataInTimingMode);
  EXPECT_EQ(outcome.report.fault.core, kVector0);
  EXPECT_EQ(outcome.report.fault.pc, 2u);
}

/// A vector core waits for a task of another, `text` its own; `busy` commands come first there.
std::int64_t ends_behind(const Machine& machine, const std::string& text, int busy) {
  TableBuilder builder;
  builder.add(busy_program(busy), {{}, {0, 1}}, {}, "first");
  builder.add(isa::assemble(text, "second"), {{}, {1, 1}}, {0}, "second");
  Setting setting;
  setting.vector_cores = 2;
  setting.options.memory = MemoryModel::Ideal;
  return total(simulate(machine, builder.finish("table"), setting));
}

TEST(Scalar, task_runs_ahead_to_the_first_step_that_leaves_its_core) {
  const Machine machine = quiet_machine({"decode.dispatch.nominal=10cycles", "task.poll=0cycles"});
  const std::string head = ".arg input x 4096\n.vector\n";
  const std::string load = "ldarg rd=r4 index=0\nload dst=0 src=r4 len=64\n";
  std::string scalar, local;
  for (int i = 0; i < 100; ++i) scalar += "sadd rd=r5 a=r5 b=1\n";
  for (int i = 0; i < 4; ++i) local += kBusyLine;
  const auto ends = [&](const std::string& ahead, const std::string& behind, int busy) {
    return ends_behind(machine, head + ahead + load + behind + "halt\n", busy);
  };
  // Under a task that takes long enough nothing of it is seen; behind the load, or with no such
  // task, it is.
  const std::int64_t plain = ends("", "", 40);
  EXPECT_EQ(ends(scalar, "", 40), plain);
  EXPECT_EQ(ends(local, "", 40), plain);
  EXPECT_GT(ends("", scalar, 40), plain + 500);
  EXPECT_GT(ends(scalar, "", 0), ends("", "", 0) + 500);
}

TEST(Scalar, task_without_a_step_that_leaves_its_core_still_waits) {
  const Machine machine = quiet_machine();
  EXPECT_GE(ends_behind(machine, ".vector\nhalt\n", 40),
            ends_behind(machine, ".vector\nhalt\n", 20));
  EXPECT_GT(ends_behind(machine, ".vector\nhalt\n", 40), 40);
}

TEST(Scalar, task_finds_what_an_earlier_one_with_its_code_has_decoded) {
  const Machine machine = quiet_machine({"decode.dispatch.nominal=10cycles", "firmware.kept=64"});
  std::string text = ".vector\n";
  for (int i = 0; i < 20; ++i) text += "sadd rd=r5 a=r5 b=1\n";
  const Program part = isa::assemble(text + "halt\n", "part");
  const auto decoded = [&](int tasks, CodePath path) {
    TableBuilder builder;
    for (int i = 0; i < tasks; ++i) {
      builder.add(part, {{}, {0, 1}}, {}, "task" + std::to_string(i));
    }
    Setting setting;
    setting.vector_cores = 1;
    setting.path = path;
    return simulate(machine, builder.finish("table"), setting).report.decode.count();
  };
  const std::int64_t once = decoded(1, CodePath::Kept);
  EXPECT_EQ(decoded(2, CodePath::Bytecode), 2 * decoded(1, CodePath::Bytecode));
  const std::int64_t hit = decoded(2, CodePath::Kept) - once;
  EXPECT_LT(2 * hit, once);
  EXPECT_EQ(decoded(5, CodePath::Kept), once + 4 * hit);
}

}  // namespace
}  // namespace dvmsim::testing
