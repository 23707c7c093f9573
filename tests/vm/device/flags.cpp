#include "tests/vm/device/flags.h"

#include <algorithm>
#include <span>

#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

std::vector<std::uint64_t>& code_of(Program& program, CoreKind kind) {
  return kind == CoreKind::Vector ? program.vector : program.cube;
}

isa::Inst inst_at(std::span<const std::uint64_t> code, std::size_t pc, int& words) {
  isa::Inst inst;
  isa::DecodeError error;
  words = isa::decode(code, pc, inst, error);
  DVMSIM_ASSERT(words > 0, "programs under test decode");
  return inst;
}

}  // namespace

std::vector<Flag> flags_of(const Program& program) {
  std::vector<Flag> flags;
  for (CoreKind kind : {CoreKind::Cube, CoreKind::Vector}) {
    const auto code = program.code(kind);
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

isa::Inst inst_of(const Program& program, const Flag& flag) {
  int words = 0;
  return inst_at(program.code(flag.kind), flag.pc, words);
}

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
  DVMSIM_ASSERT(made.size() == static_cast<std::size_t>(words), "flags take no words");
  std::copy(made.begin(), made.end(), code.begin() + static_cast<std::ptrdiff_t>(flag.pc));
  return program;
}

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

}  // namespace dvmsim::testing
