// Attention programs: the simulator against the reference machine, with and without values, and
// against the oracle; and what happens if a flag is missing.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/device/device.h"
#include "tests/agree/compare.h"
#include "tests/compiler/codegen/attention_case.h"
#include "tests/support/random_program.h"
#include "vm/isa/codec.h"
#include "vm/isa/verify.h"

namespace dvmsim::testing {
namespace {

struct Drawn {
  AttentionSpec spec{};
  AttentionSchedule schedule{};
};

/// Any sizes that a program takes, and tiles that fit or, sometimes, those of the estimate.
Drawn random_attention(const Machine& machine, Random& random) {
  Drawn drawn;
  AttentionSpec& spec = drawn.spec;
  spec = attention::sizes(pick(random, 1, 90), pick(random, 1, 200), 16 * pick(random, 1, 4),
                          16 * pick(random, 1, 5), 2 * pick(random, 1, 2), pick(random, 1, 2));
  if (chance(random, 30)) spec.type = DType::BF16;
  if (chance(random, 30)) spec.shared = 2;
  if (chance(random, 20)) spec.scale = 1;
  spec.causal = chance(random, 40);
  spec.reach = spec.causal ? pick(random, 0, 60) : 0;
  if (chance(random, 30)) spec.mask = chance(random, 50) ? DType::F32 : DType::F16;
  spec = attention::packed(spec);
  const int cores = static_cast<int>(pick(random, 1, machine.cores.cube));
  drawn.schedule = schedule_attention(spec, machine, cores);
  for (int i = 0; i < 20; ++i) {
    AttentionSchedule tiles = drawn.schedule;
    tiles.tile_m = 16 * pick(random, 1, 4);
    tiles.part_n = 16 * pick(random, 1, 3);
    tiles.load_n = tiles.part_n * pick(random, 1, 2);
    tiles.block_n = tiles.load_n * pick(random, 1, 2);
    tiles.piece_m = 8 * pick(random, 1, 2);
    tiles.add_m = 8 * pick(random, 1, 3);
    tiles.ahead = pick(random, 1, 3);
    tiles.scales_queries = spec.scale != 1 && has_dense_queries(spec) && chance(random, 50);
    tiles.whole_m = tiles.whole_n = tiles.one_block = false;
    if (chance(random, 50)) tiles = specialised(spec, tiles, machine);
    tiles.cores = static_cast<int>(std::min<std::int64_t>(cores, items_of(spec, tiles)));
    if (fits(spec, tiles, machine)) {
      drawn.schedule = tiles;
      break;
    }
  }
  return drawn;
}

class AttentionAgreement : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(AttentionAgreement, simulator_and_reference_agree_to_the_byte) {
  const Machine machine = default_machine();
  for (std::uint64_t seed = GetParam(); seed < GetParam() + 8 && !HasFailure(); ++seed) {
    Random random(seed);
    const auto [spec, schedule] = random_attention(machine, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + to_text(spec, schedule));
    const Program program = attention_program(spec, schedule, machine);
    for (const isa::Finding& finding : isa::verify(program, machine)) {
      ADD_FAILURE() << isa::print(finding);
    }
    const attention::Tensors in(spec);
    Reference reference(machine, seed);
    HazardChecker checker(machine);
    reference.listen_order(&checker);
    const attention::Run meant(spec, schedule, machine, program, in, reference);
    ASSERT_FALSE(meant.report.fault) << meant.report.fault.text;
    product::expect_clean(checker);
    const auto wanted = product::download(reference, meant.at.out, attention::out_bytes(spec));
    attention::expect_close(spec, in, wanted);

    SimDevice functional(machine);
    const attention::Run run(spec, schedule, machine, program, in, functional);
    ASSERT_FALSE(run.report.fault) << run.report.fault.text;
    EXPECT_EQ(product::download(functional, run.at.out, attention::out_bytes(spec)), wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AttentionAgreement, ::testing::Values(1, 101, 201, 301));

Trial trial_of(const AttentionSpec& spec, const AttentionSchedule& schedule, const Program& program,
               const Machine& machine) {
  Trial trial{&program, {}, schedule.cores, schedule.cores * machine.cores.per_group};
  const std::vector<std::uint64_t> words = attention_arguments(spec, schedule, {});
  for (std::size_t i = 0; i < words.size(); ++i) {
    trial.arguments.push_back({program.arguments[i].bytes, words[i]});
  }
  return trial;
}

TEST(AttentionAgreement, every_row_does_the_same_at_the_same_time_as_the_oracle) {
  std::size_t spans = 0;
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 40 && !::testing::Test::HasFailure(); ++seed) {
    const Machine machine = random_machine(seed);
    Random random(seed);
    AttentionSpec least = attention::sizes(16, 16, 80, 80);
    least.causal = true;
    least.mask = DType::F32;
    if (!attention_problem(least, machine).empty()) continue;
    const auto [spec, schedule] = random_attention(machine, random);
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + to_text(spec, schedule));
    const Program program = attention_program(spec, schedule, machine);
    Trial trial = trial_of(spec, schedule, program, machine);
    trial.launches = 1 + static_cast<int>(seed % 2);
    trial.reverse_build = seed % 3 == 0;
    if (seed % 5 == 0) trial.path = CodePath::Native;
    if (seed % 5 == 1) trial.path = CodePath::Kept;
    const Verdict verdict = compare(machine, trial);
    EXPECT_EQ(verdict.difference, "");
    EXPECT_EQ(verdict.fault, "");
    spans += verdict.spans;
    ++compared;
  }
  EXPECT_GT(compared, 3);
  EXPECT_GT(spans, 5'000u);
}

/// Every way of leaving out the waits or the sets that one instruction carries or is.
std::vector<Program> without_a_flag(const Program& program) {
  std::vector<Program> all;
  for (const bool of_cube : {true, false}) {
    const std::vector<std::uint64_t>& code = of_cube ? program.cube : program.vector;
    isa::DecodeError error;
    for (std::size_t pc = 0; pc < code.size();) {
      isa::Inst inst;
      const auto length = static_cast<std::size_t>(isa::decode(code, pc, inst, error));
      const auto add = [&](const isa::Inst& changed) {
        std::vector<std::uint64_t> words;
        while (words.size() < length) isa::append(changed, words);
        Program mutant = program;
        std::vector<std::uint64_t>& to = of_cube ? mutant.cube : mutant.vector;
        std::copy(words.begin(), words.end(), to.begin() + static_cast<std::ptrdiff_t>(pc));
        all.push_back(std::move(mutant));
      };
      isa::Inst changed = inst;
      changed.waits = {};
      if (inst.waits[0].valid) add(changed);
      changed = inst;
      changed.sets = {};
      if (inst.sets[0].valid) add(changed);
      if (inst.op == isa::Op::set || inst.op == isa::Op::wait) add(isa::blank(isa::Op::nop));
      pc += length;
    }
  }
  return all;
}

AttentionSchedule small_tiles(int cores) {
  AttentionSchedule schedule;
  schedule.tile_m = 32;
  schedule.block_n = schedule.load_n = 64;
  schedule.part_n = 32;
  schedule.cores = cores;
  schedule.ahead = 2;
  return schedule;
}

TEST(AttentionAgreement, a_missing_flag_is_noticed) {
  const Machine machine = default_machine();
  const AttentionSpec spec = attention::sizes(64, 128, 16, 16, 2);
  const AttentionSchedule schedule = small_tiles(1);
  const Program whole = attention_program(spec, schedule, machine);
  ASSERT_TRUE(isa::verify(whole, machine).empty());
  const std::vector<Program> mutants = without_a_flag(whole);
  EXPECT_GT(mutants.size(), 60u);
  for (const Program& mutant : mutants) EXPECT_FALSE(isa::verify(mutant, machine).empty());
}

/// The program with the number-th flag between cores left out: its instruction does nothing.
Program without_a_cross_flag(Program program, int number) {
  for (std::vector<std::uint64_t>* code : {&program.cube, &program.vector}) {
    isa::DecodeError error;
    for (std::size_t pc = 0; pc < code->size();) {
      isa::Inst inst;
      const auto length = static_cast<std::size_t>(isa::decode(*code, pc, inst, error));
      const bool crosses = inst.op == isa::Op::xset || inst.op == isa::Op::xwait;
      if (crosses && number-- == 0) {
        std::vector<std::uint64_t> nop;
        isa::append(isa::blank(isa::Op::nop), nop);
        for (std::size_t i = 0; i < length; ++i) (*code)[pc + i] = nop[0];
        return program;
      }
      pc += length;
    }
  }
  return {};
}

TEST(AttentionAgreement, a_missing_flag_between_cores_is_noticed) {
  const Machine machine = default_machine();
  const AttentionSpec spec = attention::sizes(64, 256, 16, 16, 2);
  AttentionSchedule schedule = small_tiles(2);
  schedule.scales_queries = true;
  const Program whole = attention_program(spec, schedule, machine);
  const attention::Tensors in(spec);
  int flags = 0;
  for (;; ++flags) {
    const Program mutant = without_a_cross_flag(whole, flags);
    if (mutant.cube.empty()) break;
    bool noticed = false;
    for (std::uint64_t seed = 0; seed < 6 && !noticed; ++seed) {
      Reference device(machine, seed);
      HazardChecker checker(machine);
      device.listen_order(&checker);
      const attention::Run run(spec, schedule, machine, mutant, in, device);
      noticed = static_cast<bool>(run.report.fault) || !checker.findings().empty();
    }
    EXPECT_TRUE(noticed) << "flag " << flags;
  }
  EXPECT_EQ(flags, 10);  // scores, probabilities, products, queries: both sides; scaled: set, wait
}

}  // namespace
}  // namespace dvmsim::testing
