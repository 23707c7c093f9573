// The hand-written programs: right values under every interleaving, no hazard, and no flag too
// many.
#include <gtest/gtest.h>

#include "tests/vm/device/programs.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

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

TEST_P(Golden, is_free_of_hazards_in_every_order_followed) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const auto& finding : run(GetParam(), machine_, seed).findings) {
      ADD_FAILURE() << "seed " << seed << ": " << finding.text;
    }
  }
}

/// One flag of one instruction: a wait or set of its head, or the instruction itself.
struct Flag {
  CoreKind kind{};
  std::size_t pc = 0;
  int slot = 0;  // waits 0, 1; sets 2, 3; 4: the instruction
};

std::vector<std::uint64_t>& code_of(Program& program, CoreKind kind) {
  return kind == CoreKind::Vector ? program.vector : program.cube;
}

isa::Inst inst_at(const std::vector<std::uint64_t>& code, std::size_t pc, int& words) {
  isa::Inst inst;
  isa::DecodeError error;
  words = isa::decode(code, pc, inst, error);
  EXPECT_GT(words, 0) << error.text;
  return inst;
}

std::vector<Flag> flags_of(Program program) {
  std::vector<Flag> flags;
  for (CoreKind kind : {CoreKind::Cube, CoreKind::Vector}) {
    const auto& code = code_of(program, kind);
    int words = 0;
    for (std::size_t pc = 0; pc < code.size(); pc += static_cast<std::size_t>(words)) {
      const isa::Inst inst = inst_at(code, pc, words);
      for (int slot = 0; slot < 2; ++slot) {
        if (inst.waits[static_cast<std::size_t>(slot)].valid) flags.push_back({kind, pc, slot});
        if (inst.sets[static_cast<std::size_t>(slot)].valid) flags.push_back({kind, pc, 2 + slot});
      }
      if (inst.op == isa::Op::set || inst.op == isa::Op::wait || inst.op == isa::Op::xset ||
          inst.op == isa::Op::xwait) {
        flags.push_back({kind, pc, 4});
      }
    }
  }
  return flags;
}

/// The program without the flag; an instruction becomes nops, so that no jump changes.
Program without(Program program, const Flag& flag) {
  auto& code = code_of(program, flag.kind);
  int words = 0;
  isa::Inst inst = inst_at(code, flag.pc, words);
  std::vector<std::uint64_t> made;
  if (flag.slot == 4) {
    for (int i = 0; i < words; ++i) isa::append(isa::blank(isa::Op::nop), made);
  } else {
    auto& refs = flag.slot < 2 ? inst.waits : inst.sets;
    if (flag.slot % 2 == 0) refs[0] = refs[1];
    refs[1] = {};
    isa::append(inst, made);
  }
  EXPECT_EQ(made.size(), static_cast<std::size_t>(words));
  std::copy(made.begin(), made.end(), code.begin() + static_cast<std::ptrdiff_t>(flag.pc));
  return program;
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
    int words = 0;
    const isa::Inst inst = inst_at(code_of(item.program, flag.kind), flag.pc, words);
    item.program = without(item.program, flag);
    EXPECT_TRUE(is_noticed(item, machine_, right))
        << "word " << flag.pc << ", flag " << flag.slot << ": " << isa::print(inst);
  }
}

/// Whoever waits for a lost set waits for ever, and the report says so.
TEST_P(Golden, blocks_without_a_set) {
  for (const Flag& flag : flags_of(GetParam().program)) {
    Case item = GetParam();
    int words = 0;
    const isa::Inst inst = inst_at(code_of(item.program, flag.kind), flag.pc, words);
    if (flag.slot < 2 || inst.op == isa::Op::wait || inst.op == isa::Op::xwait) continue;
    item.program = without(item.program, flag);
    const Outcome outcome = run(item, machine_, 0);
    EXPECT_EQ(outcome.fault.kind, FaultKind::Deadlock)
        << "word " << flag.pc << ": " << isa::print(inst);
    EXPECT_NE(outcome.fault.text.find("waits for flag"), std::string::npos) << outcome.fault.text;
  }
}

/// Removes every flag of one kind of core from one pipe to another: what is left balances.
Program without_pair(Program program, CoreKind kind, Pipe from, Pipe to) {
  auto& code = code_of(program, kind);
  const std::vector<std::uint64_t> old = code;
  int words = 0;
  for (std::size_t pc = 0; pc < old.size(); pc += static_cast<std::size_t>(words)) {
    const isa::Inst inst = inst_at(old, pc, words);
    const isa::Row& row = isa::row_of(inst.op);
    const Pipe own = row.named_pipe ? static_cast<Pipe>(inst.lane[0].immediate) : row.pipe;
    const auto other = static_cast<Pipe>(inst.lane[1].immediate);
    if ((inst.op == isa::Op::set && own == from && other == to) ||
        (inst.op == isa::Op::wait && own == to && other == from)) {
      program = without(program, {kind, pc, 4});
    }
    for (int slot = 1; slot >= 0; --slot) {
      const auto& wait = inst.waits[static_cast<std::size_t>(slot)];
      const auto& set = inst.sets[static_cast<std::size_t>(slot)];
      if (wait.valid && wait.pipe == from && own == to)
        program = without(program, {kind, pc, slot});
      if (set.valid && set.pipe == to && own == from) {
        program = without(program, {kind, pc, 2 + slot});
      }
    }
  }
  return program;
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
    int words = 0;
    const isa::Op op = inst_at(code_of(item.program, flag.kind), flag.pc, words).op;
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
