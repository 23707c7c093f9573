// What must hold for every program: on random ones, and on the hand-written ones.
#include <gtest/gtest.h>

#include "tests/sim/rig.h"
#include "tests/support/random_program.h"
#include "tests/support/random_table.h"
#include "tests/vm/device/programs.h"
#include "vm/device/reference.h"

namespace dvmsim::testing {
namespace {

constexpr std::uint64_t kPrograms = 25, kTables = 15;

/// Programs, and after them task tables.
RandomProgram made(const Machine& machine, std::uint64_t seed, RandomOptions options = {}) {
  if (seed < kPrograms) return random_program(machine, seed, options);
  options.blocks = 3;
  return random_table(machine, seed, options);
}

struct Ran {
  LaunchReport report{};
  Recorder record{};
  std::vector<std::byte> memory{};
};

Ran ran_on(const Machine& machine, const RandomProgram& program, const SimOptions& options = {},
           bool listen = true) {
  Ran ran;
  SimDevice device(machine, options);
  if (listen) device.listen({&ran.record});
  const Launch launch = prepare(program, device);
  ran.report = device.wait(device.submit(launch));
  if (options.mode == Mode::Functional) ran.memory = contents(program, device, launch);
  return ran;
}

std::vector<std::byte> reference_memory(const Machine& machine, const RandomProgram& program,
                                        std::uint64_t seed) {
  Reference device(machine, seed);
  const Launch launch = prepare(program, device);
  const LaunchReport report = device.wait(device.submit(launch));
  EXPECT_FALSE(report.fault) << report.fault.text;
  return contents(program, device, launch);
}

Machine small_machine() {
  return quiet_machine({"cores.cube=2", "cores.vector=4", "decode.dispatch.nominal=3cycles",
                        "decode.issue.nominal=2cycles", "firmware.memory=ub", "launch.vector=0.1us",
                        "launch.per_core=10ns"});
}

/// A drained pipe pays its head again, so that alone may make a later command end earlier; and who
/// begins to poll earlier may just miss what a later reading sees.
constexpr const char* kNoAnomalies[] = {"cube.head=0cycles", "vector.head=0cycles",
                                        "mte1.head=0cycles", "task.poll=0cycles"};

/// Rows touch, do not overlap, and add up to the time from the device's begin to the launch's end.
void expect_closed(const Ran& ran) {
  for (const auto& [row, spans] : ran.record.rows) {
    Cycles at{}, sum{};
    for (const RecordedSpan& span : spans) {
      EXPECT_EQ(span.begin, at);
      EXPECT_LE(span.begin, span.end);
      sum += span.end - span.begin;
      at = span.end;
    }
    EXPECT_LE(at, ran.report.end);
    EXPECT_EQ(sum, at);  // the rest up to the end is idle
  }
}

class Laws : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(Laws, reasons_of_every_row_add_up_and_nothing_exceeds_the_total) {
  const Machine machine = small_machine();
  const Ran ran = ran_on(machine, made(machine, GetParam()));
  ASSERT_FALSE(ran.report.fault) << ran.report.fault.text;
  ASSERT_FALSE(ran.record.rows.empty());
  expect_closed(ran);
  for (const auto& [row, spans] : ran.record.rows) {
    EXPECT_LE(Cycles(ran.record.cycles(row, Reason::Work)), ran.report.end - ran.report.begin);
  }
}

TEST_P(Laws, total_is_no_less_than_bytes_over_rate) {
  const Machine machine = small_machine();
  Ran ran = ran_on(machine, made(machine, GetParam()));
  const std::int64_t total = (ran.report.end - ran.report.begin).count();
  const Rational hbm = machine.hbm.peak.per_cycle() * machine.hbm.efficiency;
  EXPECT_GE(total, hbm.ceil_of(ran.record.bytes[Place::HbmRead]) - 1);
  const Rational l2 = std::max(machine.l2.read.per_cycle(), machine.l2.write.per_cycle());
  EXPECT_GE(total,
            l2.ceil_of(ran.record.bytes[Place::L2Hit] + ran.record.bytes[Place::L2Miss]) - 1);
}

TEST_P(Laws, memory_is_that_of_the_reference) {
  const Machine machine = small_machine();
  RandomOptions options;
  options.device_data = GetParam() % 2 == 0;
  const RandomProgram program = made(machine, GetParam(), options);
  const Ran ran = ran_on(machine, program);
  ASSERT_FALSE(ran.report.fault) << ran.report.fault.text;
  EXPECT_EQ(ran.memory, reference_memory(machine, program, 0));
  EXPECT_EQ(ran.memory, reference_memory(machine, program, GetParam() + 1));
}

TEST_P(Laws, nothing_depends_on_the_order_of_building_or_on_workers) {
  const Machine machine = small_machine();
  RandomOptions random;
  random.device_data = GetParam() % 2 == 1;
  const RandomProgram program = made(machine, GetParam(), random);
  const Ran plain = ran_on(machine, program);
  SimOptions reversed, one, two;
  reversed.reverse_build = true;
  one.workers = 1;
  two.workers = 2;
  for (const SimOptions& options : {SimOptions{}, reversed, one, two}) {
    const Ran other = ran_on(machine, program, options);
    EXPECT_EQ(other.record.rows, plain.record.rows);
    EXPECT_EQ(other.memory, plain.memory);
    EXPECT_EQ(other.report.end, plain.report.end);
    EXPECT_EQ(other.report.commands, plain.report.commands);
  }
}

TEST_P(Laws, timing_mode_takes_the_cycles_of_functional_mode) {
  const Machine machine = small_machine();
  const RandomProgram program = made(machine, GetParam());
  SimOptions timing;
  timing.mode = Mode::Timing;
  const Ran with = ran_on(machine, program), without = ran_on(machine, program, timing);
  EXPECT_EQ(with.record.rows, without.record.rows);
  EXPECT_EQ(with.report.end, without.report.end);
}

TEST_P(Laws, listeners_leave_the_cycles_unchanged) {
  const Machine machine = small_machine();
  const RandomProgram program = made(machine, GetParam());
  EXPECT_EQ(ran_on(machine, program, {}, true).report.end,
            ran_on(machine, program, {}, false).report.end);
}

TEST_P(Laws, free_firmware_is_never_slower_under_ideal_memory) {
  Machine machine = small_machine();
  for (const char* set : kNoAnomalies) apply_set(machine, set);
  const RandomProgram program = made(machine, GetParam());
  SimOptions ideal;
  ideal.memory = MemoryModel::Ideal;
  SimOptions free = ideal;
  free.free_firmware = true;
  EXPECT_LE(ran_on(machine, program, free).report.end, ran_on(machine, program, ideal).report.end);
}

TEST_P(Laws, more_of_anything_is_never_slower_under_ideal_memory) {
  Machine machine = small_machine();
  for (const char* set : kNoAnomalies) apply_set(machine, set);
  const RandomProgram program = made(machine, GetParam());
  SimOptions ideal;
  ideal.memory = MemoryModel::Ideal;
  ideal.mode = Mode::Timing;
  const Cycles before = ran_on(machine, program, ideal).report.end;
  for (const char* better :
       {"mte2.gm_to_ub=90B/cycle", "mte2.gm_to_l1=200B/cycle", "mte3.ub_to_gm=100B/cycle",
        "fix.l0c_to_gm=300B/cycle", "queue.vector=9", "queue.mte2=9", "queue.mte1=30",
        "queue.cube=7", "flag.hop=1cycles", "xflag.latency=5cycles", "l2.read_latency=1cycles",
        "l2.write_latency=1cycles", "mte2.latency=10cycles", "mte2.outstanding_ub=300",
        "vector.fixed=1cycles", "cube.gap=0cycles", "mte1.fixed=0cycles"}) {
    Machine improved = machine;
    apply_set(improved, better);
    EXPECT_LE(ran_on(improved, program, ideal).report.end, before) << better;
  }
}

INSTANTIATE_TEST_SUITE_P(Random, Laws, ::testing::Range<std::uint64_t>(0, kPrograms + kTables));

TEST(LawsByHand, written_programs_leave_what_their_formula_says) {
  const Machine machine = default_machine();
  for (const Case& item : golden_cases()) {
    SimDevice device(machine);
    Launch launch{&item.program, {}, CodePath::Bytecode, item.cube_cores, item.vector_cores};
    for (const Value& value : item.arguments) {
      launch.arguments.push_back(static_cast<std::uint64_t>(value.scalar));
      if (value.bytes.empty()) continue;
      launch.arguments.back() =
          device.allocate(Bytes(static_cast<std::int64_t>(value.bytes.size())));
      device.write(launch.arguments.back(), value.bytes);
    }
    const LaunchReport report = device.wait(device.submit(launch));
    ASSERT_FALSE(report.fault) << item.name << ": " << report.fault.text;
    std::vector<std::byte> result(item.expected.size());
    device.read(launch.arguments[static_cast<std::size_t>(item.output)], result);
    EXPECT_EQ(result, item.expected) << item.name;
  }
}

}  // namespace
}  // namespace dvmsim::testing
