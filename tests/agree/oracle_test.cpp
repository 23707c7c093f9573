// The fast engine against the oracle: the same spans in every row, on random machines.
#include <gtest/gtest.h>

#include "tests/agree/chaos.h"
#include "tests/agree/compare.h"
#include "tests/support/random_program.h"
#include "tests/vm/device/programs.h"

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

/// Seeds first..first+99: a machine, a program, one to three launches.
class RandomAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RandomAgreement, every_row_of_random_programs_does_the_same_at_the_same_time) {
  std::size_t spans = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 100; ++seed) {
    const Machine machine = random_machine(seed);
    RandomOptions options;
    options.blocks = 2 + static_cast<int>(seed % 9);
    const RandomProgram program = random_program(machine, seed, options);
    Trial trial = trial_of(program);
    trial.launches = 1 + static_cast<int>(seed % 3);
    if (seed % 7 == 0) trial.path = CodePath::Native;
    const Verdict verdict = compare(machine, trial);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    EXPECT_EQ(verdict.fault, "") << "seed " << seed;
    spans += verdict.spans;
    if (HasFailure()) break;
  }
  EXPECT_GT(spans, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomAgreement, ::testing::Values(1, 101, 201, 301));

class ChaoticAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ChaoticAgreement, every_wait_of_the_machine_lasts_as_long) {
  std::size_t spans = 0;
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 100; ++seed) {
    const Machine machine = random_machine(seed);
    const ChaosProgram program = chaos_program(machine, seed);
    Trial trial{&program.program, {{kChaosBytes}}, program.cube_cores, program.vector_cores};
    trial.launches = 1 + static_cast<int>(seed % 2);
    const Verdict verdict = compare(machine, trial);
    EXPECT_EQ(verdict.difference, "") << "seed " << seed;
    EXPECT_EQ(verdict.fault, "") << "seed " << seed;
    spans += verdict.spans;
    if (HasFailure()) break;
  }
  EXPECT_GT(spans, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ChaoticAgreement, ::testing::Values(1, 101, 201, 301, 401));

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
