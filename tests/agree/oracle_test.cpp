// The fast engine against the oracle: the same spans in every row, on random machines.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "tests/agree/chaos.h"
#include "tests/agree/compare.h"
#include "tests/support/random_program.h"
#include "tests/support/random_table.h"
#include "tests/vm/device/programs.h"
#include "vm/isa/codec.h"
#include "vm/isa/matmul.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

Trial trial_of(const RandomProgram& program) {
  Trial trial{&program.program, {}, program.cube_cores, program.vector_cores};
  for (std::size_t i = 0; i < program.scalars.size(); ++i) {
    trial.arguments.push_back({program.program.arguments[i].bytes, program.scalars[i]});
  }
  return trial;
}

Trial trial_of(const Case& item) {
  Trial trial{&item.program, {}, item.cube_cores, item.vector_cores};
  for (const Value& value : item.arguments) {
    trial.arguments.push_back(
        {static_cast<std::int64_t>(value.bytes.size()), static_cast<std::uint64_t>(value.scalar)});
  }
  return trial;
}

/// One to three launches of the program, down any path; the spans that were compared.
std::size_t expect_agreement(const Machine& machine, const RandomProgram& program,
                             std::uint64_t seed) {
  Trial trial = trial_of(program);
  trial.launches = 1 + static_cast<int>(seed % 3);
  if (seed % 7 == 0) trial.path = CodePath::Native;
  if (seed % 3 == 1) trial.path = CodePath::Kept;
  trial.reverse_build = seed % 2 == 0;
  const Verdict verdict = compare(machine, trial);
  EXPECT_EQ(verdict.difference, "") << "seed " << seed;
  EXPECT_EQ(verdict.fault, "") << "seed " << seed;
  return verdict.spans;
}

/// Seeds first..first+99: a machine and a program.
class RandomAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomAgreement, every_row_of_random_programs_does_the_same_at_the_same_time) {
  std::size_t spans = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 100 && !HasFailure(); ++seed) {
    const Machine machine = random_machine(seed);
    RandomOptions options;
    options.blocks = 2 + static_cast<int>(seed % 9);
    spans += expect_agreement(machine, random_program(machine, seed, options), seed);
  }
  EXPECT_GT(spans, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomAgreement, ::testing::Values(1, 101, 201, 301));

/// Seeds first..first+49: a machine and a task table.
class TableAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(TableAgreement, every_row_of_random_task_tables_does_the_same_at_the_same_time) {
  std::size_t spans = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 50 && !HasFailure(); ++seed) {
    const Machine machine = random_machine(seed);
    RandomOptions options;
    options.blocks = 1 + static_cast<int>(seed % 4);
    spans += expect_agreement(machine, random_table(machine, seed, options), seed);
  }
  EXPECT_GT(spans, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, TableAgreement, ::testing::Values(1, 51, 101, 151));

class ChaoticAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ChaoticAgreement, every_wait_of_the_machine_lasts_as_long) {
  std::size_t spans = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 100; ++seed) {
    const Machine machine = random_machine(seed);
    const ChaosProgram program = chaos_program(machine, seed);
    Trial trial{&program.program, {{kChaosBytes}}, program.cube_cores, program.vector_cores};
    trial.launches = 1 + static_cast<int>(seed % 2);
    trial.ideal_memory = seed % 5 == 0;
    const Verdict verdict = compare(machine, trial);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    EXPECT_EQ(verdict.fault, "") << "seed " << seed;
    spans += verdict.spans;
    if (HasFailure()) break;
  }
  EXPECT_GT(spans, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaoticAgreement, ::testing::Values(1, 101, 201, 301, 401));

/// The program without the flags that one of its instructions sets.
Program without_a_set(Program program, Random& random) {
  for (std::vector<std::uint64_t>* code : {&program.cube, &program.vector}) {
    std::vector<std::pair<std::size_t, isa::Inst>> setting;
    isa::DecodeError error;
    for (std::size_t pc = 0; pc < code->size();) {
      isa::Inst inst;
      const int words = isa::decode(*code, pc, inst, error);
      if (inst.sets[0].valid) setting.emplace_back(pc, inst);
      pc += static_cast<std::size_t>(words);
    }
    if (setting.empty()) continue;
    const auto last = static_cast<std::int64_t>(setting.size()) - 1;
    auto [pc, inst] = setting[static_cast<std::size_t>(pick(random, 0, last))];
    inst.sets = {};
    std::vector<std::uint64_t> words;
    isa::append(inst, words);
    std::copy(words.begin(), words.end(), code->begin() + static_cast<std::ptrdiff_t>(pc));
  }
  return program;
}

TEST(Agreement, a_missing_set_blocks_both_after_the_same_work) {
  int blocked = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Machine machine = random_machine(seed);
    Random random(seed);
    const ChaosProgram whole = chaos_program(machine, seed);
    const Program program = without_a_set(whole.program, random);
    const Trial trial{&program, {{kChaosBytes}}, whole.cube_cores, whole.vector_cores};
    const Verdict verdict = compare(machine, trial);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    blocked += verdict.fault.empty() ? 0 : 1;
  }
  EXPECT_GT(blocked, 30);
}

TEST(Agreement, hand_written_programs_take_the_same_cycles_on_random_machines) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Machine machine = random_machine(seed);
    if (machine.cores.unified) continue;
    machine.cores.cube = 24;
    machine.cores.per_group = 2;
    machine.cores.vector = 48;
    for (const Case& item : golden_cases()) {
      const Verdict verdict = compare(machine, trial_of(item));
      EXPECT_EQ(verdict.difference, "") << item.name << ", seed " << seed;
    }
  }
}

Verdict compare_product(std::uint64_t seed) {
  Random random(seed);
  const Machine machine = random_machine(seed);
  isa::MatmulArguments a;
  a.m = pick(random, 1, 400);
  a.n = pick(random, 1, 400);
  a.k = pick(random, 1, 400);
  a.a_stride = 800;
  a.b_stride = 800;
  a.c_stride = 1600;
  a.batch1 = pick(random, 1, 2);
  a.tile_m = 16 * pick(random, 1, 8);
  a.tile_n = 16 * pick(random, 1, 8);
  a.tile_k = 16 * pick(random, 1, 8);
  a.swizzle = pick(random, 0, isa::kSwizzles - 1);
  a.loop = pick(random, 0, isa::kMatmulLoops - 1);
  if (!machine.cube.unit_flag) a.loop &= ~std::int64_t{isa::kUnitFlags};
  a.width = pick(random, 1, 3);
  a.out = static_cast<std::int64_t>(chance(random, 50) ? DType::F16 : DType::F32);
  const Program program = isa::assemble(
      ".program p\n.arg workspace w 1000000\n.cube\nmatmul dtype=f16 index=0\nhalt\n", "p");
  std::array<std::uint64_t, isa::kMatmulWords> words{};
  std::memcpy(words.data(), &a, sizeof a);
  Trial trial{&program, {}, machine.cores.cube, 0};
  for (std::size_t i = 0; i < words.size(); ++i) {
    trial.arguments.push_back({i < 3 ? 1'000'000 : 0, words[i]});  // a, b, c
  }
  return compare(machine, trial);
}

TEST(Agreement, the_matmul_macro_takes_the_same_cycles) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const Verdict verdict = compare_product(seed);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    EXPECT_EQ(verdict.fault, "") << "seed " << seed;
  }
}

TEST(Agreement, hand_written_programs_take_the_same_cycles_on_the_default_machine) {
  for (const Case& item : golden_cases()) {
    const Verdict verdict = compare(default_machine(), trial_of(item));
    EXPECT_EQ(verdict.difference, "") << item.name;
    const bool reads_data = item.name == "scalar_loop";  // both stop there in timing mode
    EXPECT_EQ(verdict.fault.empty(), !reads_data) << item.name << ": " << verdict.fault;
  }
}

}  // namespace
}  // namespace dvmsim::testing
