// The hand-written programs: right values under every interleaving, no hazard, and no flag too
// many.
#include <gtest/gtest.h>

#include "tests/vm/device/flags.h"
#include "tests/vm/device/programs.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim::testing {
namespace {

constexpr std::uint64_t kSeeds = 10;

class Golden : public ::testing::TestWithParam<Case> {
 protected:
  Machine machine_ = default_machine();
};

TEST_P(Golden, computes_its_formula_under_every_interleaving) {
  const Case& item = GetParam();
  const Outcome first = run(item, machine_, 0);
  ASSERT_FALSE(first.fault) << first.fault.text;
  EXPECT_EQ(first.result, item.expected);
  for (std::uint64_t seed = 1; seed < kSeeds; ++seed) {
    const Outcome other = run(item, machine_, seed);
    ASSERT_FALSE(other.fault) << other.fault.text;
    EXPECT_EQ(other.bytes, first.bytes) << "seed " << seed;
  }
}

TEST_P(Golden, satisfies_the_verifier) {
  for (const auto& finding : isa::verify(GetParam().program, machine_)) {
    ADD_FAILURE() << isa::print(finding);
  }
}

TEST_P(Golden, is_free_of_hazards_in_every_order_followed) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const auto& finding : run(GetParam(), machine_, seed).findings) {
      ADD_FAILURE() << "seed " << seed << ": " << finding.text;
    }
  }
}

bool is_noticed(const Case& item, const Machine& machine, const Outcome& right) {
  for (std::uint64_t seed : {0, 1, 2}) {
    const Outcome outcome = run(item, machine, seed);
    if (outcome.fault || !outcome.findings.empty() || outcome.bytes != right.bytes) return true;
  }
  return false;
}

TEST_P(Golden, shows_the_loss_of_any_flag) {
  const Outcome right = run(GetParam(), machine_, 0);
  for (const Flag& flag : flags_of(GetParam().program)) {
    Case item = GetParam();
    const isa::Inst inst = inst_of(item.program, flag);
    item.program = without(item.program, flag);
    EXPECT_TRUE(is_noticed(item, machine_, right))
        << "word " << flag.pc << ", flag " << flag.slot << ": " << isa::print(inst);
  }
}

/// Whoever waits for a lost set waits for ever, and the report says so.
TEST_P(Golden, blocks_without_a_set) {
  for (const Flag& flag : flags_of(GetParam().program)) {
    Case item = GetParam();
    const isa::Inst inst = inst_of(item.program, flag);
    if (flag.slot < 2 || inst.op == isa::Op::wait || inst.op == isa::Op::xwait) continue;
    item.program = without(item.program, flag);
    const Outcome outcome = run(item, machine_, 0);
    EXPECT_EQ(outcome.fault.kind, FaultKind::Deadlock)
        << "word " << flag.pc << ": " << isa::print(inst);
    EXPECT_NE(outcome.fault.text.find("waits for flag"), std::string::npos) << outcome.fault.text;
  }
}

TEST_P(Golden, races_without_the_flags_of_any_pair_of_pipes) {
  for (CoreKind kind : {CoreKind::Cube, CoreKind::Vector}) {
    for (Pipe from : kAllPipes) {
      for (Pipe to : kAllPipes) {
        Case item = GetParam();
        item.program = without_pair(item.program, kind, from, to);
        if (item.program == GetParam().program) continue;
        const auto findings = run(item, machine_, 0).findings;
        EXPECT_FALSE(findings.empty()) << name_of(from) << " to " << name_of(to);
        for (const auto& finding : findings) {
          EXPECT_NE(finding.kind, HazardChecker::Kind::FlagLeft) << finding.text;
        }
      }
    }
  }
}

/// Cores that take what others have not announced.
TEST_P(Golden, races_without_the_flags_between_cores) {
  Case item = GetParam();
  for (const Flag& flag : flags_of(GetParam().program)) {
    const isa::Op op = inst_of(item.program, flag).op;
    if (op == isa::Op::xset || op == isa::Op::xwait) item.program = without(item.program, flag);
  }
  if (item.program == GetParam().program) return;
  const auto findings = run(item, machine_, 0).findings;
  ASSERT_FALSE(findings.empty());
  EXPECT_NE(findings.front().kind, HazardChecker::Kind::FlagLeft) << findings.front().text;
}

INSTANTIATE_TEST_SUITE_P(Programs, Golden, ::testing::ValuesIn(golden_cases()),
                         [](const auto& made) { return made.param.name; });

}  // namespace
}  // namespace dvmsim::testing
