#include "tests/support/random_inst.h"

#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

std::int32_t random_immediate(Random& random) {
  switch (pick(random, 0, 4)) {
    case 0:
      return 0;
    case 1:
      return 1;
    case 2:
      return static_cast<std::int32_t>(pick(random, -64, 4096));
    case 3:
      return static_cast<std::int32_t>(pick(random, 0, 8192) * 32);
    default:
      return static_cast<std::int32_t>(pick(random, INT32_MIN, INT32_MAX));
  }
}

Lane random_register(Random& random, bool may_rotate) {
  const auto reg = static_cast<int>(pick(random, 0, kRegisters - 1));
  if (!may_rotate || chance(random, 60)) return Lane::r(reg);
  return Lane::rotating(reg, static_cast<int>(pick(random, 2, 7)),
                        static_cast<std::uint32_t>(pick(random, 0, (1 << 20) - 1)),
                        static_cast<int>(pick(random, 0, kMaxLoopDepth - 1)));
}

std::int32_t random_type(DTypeSet types, Random& random) {
  while (true) {
    const DType type = kDTypes[static_cast<std::size_t>(pick(random, 0, kDTypes.size() - 1))];
    if (contains(types, type)) return static_cast<std::int32_t>(type);
  }
}

Lane random_lane(const Row& row, const Operand& operand, Random& random) {
  switch (operand.kind) {
    case OperandKind::Register:
      return random_register(random, false);
    case OperandKind::Type:
      return Lane::imm(random_type(row.dtypes, random));
    case OperandKind::Pick:
      return Lane::imm(static_cast<std::int32_t>(
          pick(random, 0, static_cast<std::int64_t>(spellings(operand.picks).size()) - 1)));
    case OperandKind::Immediate:
      return Lane::imm(random_immediate(random));
    case OperandKind::Memory:
      if (operand.space == Space::GM) return random_register(random, true);
      break;
    case OperandKind::Value:
      break;
  }
  if (chance(random, 40)) return random_register(random, true);
  return Lane::imm(chance(random, 30) ? operand.fallback : random_immediate(random));
}

void random_flags(std::array<FlagRef, 2>& flags, Random& random) {
  const std::int64_t used = pick(random, 0, 2);
  for (std::int64_t i = 0; i < used; ++i) {
    flags[static_cast<std::size_t>(i)] = {true, static_cast<Pipe>(pick(random, 0, kPipes - 1)),
                                          static_cast<std::uint8_t>(pick(random, 0, kFlagIds - 1))};
  }
}

}  // namespace

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
  const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) +
                                   (span == 0 ? random() : random() % span));
}

isa::Inst random_inst(const Row& row, Random& random) {
  Inst inst = blank(row.op);
  const bool use_defaults = chance(random, 15);
  for (int i = 0; i < row.operands; ++i) {
    if (use_defaults && chance(random, 70)) continue;
    const auto at = static_cast<std::size_t>(i);
    inst.lane[at] = random_lane(row, row.operand[at], random);
  }
  random_flags(inst.waits, random);
  random_flags(inst.sets, random);
  inst.drain = chance(random, 30);
  inst.unit = isa::hands_over_units(inst.op) && chance(random, 30);
  return inst;
}

isa::Inst random_inst(Random& random) {
  const auto all = rows();
  return random_inst(
      all[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(all.size()) - 1))],
      random);
}

}  // namespace dvmsim::testing
