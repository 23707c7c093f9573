#include "vm/isa/codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#include "vm/base/error.h"

namespace dvmsim::isa {
namespace {

struct Field {
  int low = 0, width = 0;
  [[nodiscard]] constexpr std::uint64_t mask() const { return (std::uint64_t{1} << width) - 1; }
  [[nodiscard]] constexpr std::uint64_t of(std::uint64_t word) const {
    return word >> low & mask();
  }
  [[nodiscard]] constexpr std::uint64_t put(std::uint64_t value) const { return value << low; }
};

// The head word.
constexpr Field kOp{0, 8}, kWords{8, 4}, kRegisterMask{12, 16};
constexpr std::array<Field, 2> kWaits = {Field{28, 7}, Field{35, 7}};
constexpr std::array<Field, 2> kSets = {Field{42, 7}, Field{49, 7}};
constexpr Field kDrain{56, 1}, kUnit{57, 1}, kReserved{58, 6};
// A flag, inside its field.
constexpr Field kValid{0, 1}, kFlagPipe{1, 3}, kFlagId{4, 3};
// A register lane.
constexpr Field kReg{0, 6}, kModulo{6, 3}, kUp{9, 3}, kStep{12, 20};

constexpr bool adjoin(std::initializer_list<Field> fields, int width) {
  int next = 0;
  for (const Field& field : fields) {
    if (field.low != next || field.width <= 0) return false;
    next += field.width;
  }
  return next == width;
}
static_assert(adjoin({kOp, kWords, kRegisterMask, kWaits[0], kWaits[1], kSets[0], kSets[1], kDrain,
                      kUnit, kReserved},
                     64),
              "the head fills one word without gap or overlap");
static_assert(adjoin({kValid, kFlagPipe, kFlagId}, kWaits[0].width));
static_assert(adjoin({kReg, kModulo, kUp, kStep}, 32), "a register fills a lane");
static_assert(kRegisterMask.width == kMaxOperands && kMaxOperands == 16);
static_assert(kWords.mask() >= kMaxWords, "the longest instruction can say its length");
static_assert(kRegisters == 64 && kReg.mask() == kRegisters - 1);
static_assert(kFlagId.mask() == kFlagIds - 1 && kFlagPipe.mask() >= kPipes - 1);
static_assert(kUp.mask() == kMaxLoopDepth - 1, "a lane can name each enclosing loop");
static_assert(kDTypes.size() <= 32, "allowed values of a lane fit a 32-bit set");

/// What the codec needs of a row, by code: a few masks instead of a walk over its operands.
struct Layout {
  int operands = -1;                // -1: no such code
  std::uint32_t may = 0, must = 0;  // lanes that may, must be registers
  std::uint32_t rotates = 0;        // of those, which may rotate
  std::uint32_t listed = 0;         // immediates that must be in `allowed`
  std::array<std::uint32_t, kMaxOperands> allowed{};
  std::array<std::int32_t, kMaxOperands> fallback{};
};

Layout layout_of(const Row& row) {
  Layout layout;
  layout.operands = row.operands;
  for (int i = 0; i < row.operands; ++i) {
    const Operand& operand = row.operand[static_cast<std::size_t>(i)];
    const std::uint32_t bit = 1u << i;
    const bool is_gm = operand.kind == OperandKind::Memory && operand.space == Space::GM;
    const bool is_free = operand.kind == OperandKind::Memory || operand.kind == OperandKind::Value;
    if (operand.kind == OperandKind::Register || is_gm) layout.must |= bit;
    if (is_free) layout.rotates |= bit;
    layout.fallback[static_cast<std::size_t>(i)] = operand.fallback;
    std::uint32_t& allowed = layout.allowed[static_cast<std::size_t>(i)];
    if (operand.kind == OperandKind::Type) allowed = row.dtypes;
    if (operand.kind == OperandKind::Pick) {
      allowed = (1u << spellings(operand.picks).size()) - 1;
    }
    if (allowed != 0) layout.listed |= bit;
  }
  layout.may = layout.must | layout.rotates;
  return layout;
}

const std::array<Layout, 256> kLayouts = [] {
  std::array<Layout, 256> layouts{};
  for (const Row& row : rows()) layouts[static_cast<std::size_t>(row.op)] = layout_of(row);
  return layouts;
}();

/// Of an instruction that is not malformed.
int words_of(const Layout& layout, const Inst& inst) {
  int lanes = layout.operands;
  const auto is_default = [&](std::size_t at) {
    return !inst.lane[at].is_register && inst.lane[at].immediate == layout.fallback[at];
  };
  while (lanes > 0 && is_default(static_cast<std::size_t>(lanes - 1))) --lanes;
  return 1 + (lanes + 1) / 2;
}

std::string_view malformed_flags(const std::array<FlagRef, 2>& flags) {
  if (flags == std::array<FlagRef, 2>{}) return {};
  if (flags[1].valid && !flags[0].valid) return "second flag without a first";
  for (const FlagRef& flag : flags) {
    if (!flag.valid && flag != FlagRef{}) return "unused flag is not zero";
    if (static_cast<int>(flag.pipe) >= kPipes) return "no such pipe";
    if (flag.id >= kFlagIds) return "no such flag";
  }
  return {};
}

std::string_view malformed_lane(const Layout& layout, const Lane& lane, int index) {
  const std::uint32_t bit = 1u << index;
  if (!lane.is_register) {
    if ((lane.reg | lane.modulo | lane.up) != 0 || lane.step != 0) {
      return "immediate with register fields";
    }
    if (((layout.must | layout.listed) & bit) == 0) return {};
    if ((layout.must & bit) != 0) return "operand must be a register";
    const auto value = static_cast<std::uint32_t>(lane.immediate);
    const std::uint32_t allowed = layout.allowed[static_cast<std::size_t>(index)];
    if ((layout.listed & bit) != 0 && (value >= 32 || (allowed >> value & 1u) == 0)) {
      return "operand is not one of its row's types or names";
    }
    return {};
  }
  if ((layout.may & bit) == 0) return "operand cannot be a register";
  if (lane.immediate != 0) return "register with an immediate";
  if (lane.reg >= kRegisters) return "no such register";
  if (lane.modulo == 0) {
    return lane.up != 0 || lane.step != 0 ? "step or loop without rotation" : std::string_view{};
  }
  if (lane.modulo == 1) return "rotation by one";
  if ((layout.rotates & bit) == 0) return "written register cannot rotate";
  if (lane.modulo > kModulo.mask() || lane.up > kUp.mask() || lane.step > kStep.mask()) {
    return "rotation does not fit its fields";
  }
  return {};
}

std::string_view malformed(const Layout& layout, const Inst& inst) {
  if (layout.operands < 0) return "no such instruction";
  if (auto text = malformed_flags(inst.waits); !text.empty()) return text;
  if (auto text = malformed_flags(inst.sets); !text.empty()) return text;
  if (inst.unit && !hands_over_units(inst.op)) return "unit flags are between mmad and fix";
  for (int i = 0; i < layout.operands; ++i) {
    const auto text = malformed_lane(layout, inst.lane[static_cast<std::size_t>(i)], i);
    if (!text.empty()) return text;
  }
  return {};
}

constexpr std::uint64_t pack(const FlagRef& flag) {
  return kValid.put(flag.valid ? 1 : 0) | kFlagPipe.put(static_cast<std::uint64_t>(flag.pipe)) |
         kFlagId.put(flag.id);
}
constexpr FlagRef unpack_flag(std::uint64_t bits) {
  return {kValid.of(bits) != 0, static_cast<Pipe>(kFlagPipe.of(bits)),
          static_cast<std::uint8_t>(kFlagId.of(bits))};
}

constexpr std::uint64_t pack(const Lane& lane) {
  if (!lane.is_register) return static_cast<std::uint32_t>(lane.immediate);
  return kReg.put(lane.reg) | kModulo.put(lane.modulo) | kUp.put(lane.up) | kStep.put(lane.step);
}
constexpr Lane unpack_lane(std::uint64_t bits, bool is_register) {
  if (!is_register) return Lane::imm(static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)));
  return {true,
          static_cast<std::uint8_t>(kReg.of(bits)),
          static_cast<std::uint8_t>(kModulo.of(bits)),
          static_cast<std::uint8_t>(kUp.of(bits)),
          0,
          static_cast<std::uint32_t>(kStep.of(bits))};
}

/// Most instructions have none.
bool has_none(const std::array<FlagRef, 2>& flags) {
  static constexpr std::array<FlagRef, 2> kNone{};
  static_assert(sizeof kNone == 6, "no gaps between the bytes of flags");
  return std::memcmp(&flags, &kNone, sizeof kNone) == 0;
}

std::uint64_t head_of(const Inst& inst, std::uint64_t registers, int words) {
  std::uint64_t head =
      kOp.put(static_cast<std::uint64_t>(inst.op)) | kWords.put(static_cast<std::uint64_t>(words)) |
      kRegisterMask.put(registers) | kDrain.put(inst.drain ? 1 : 0) | kUnit.put(inst.unit ? 1 : 0);
  if (!has_none(inst.waits)) {
    head |= kWaits[0].put(pack(inst.waits[0])) | kWaits[1].put(pack(inst.waits[1]));
  }
  if (!has_none(inst.sets)) {
    head |= kSets[0].put(pack(inst.sets[0])) | kSets[1].put(pack(inst.sets[1]));
  }
  return head;
}

/// The lanes as they stand in the words, checked on the way: encoding is what a compiler waits for.
struct Packed {
  std::array<std::uint32_t, kMaxOperands> lane;
  std::uint64_t registers = 0;  // which lanes are
  int lanes = 0;                // up to the last that is not its default
  bool well_formed = true;
};

/// Its fields besides immediate and step, in one number; 0: an immediate.
std::uint32_t tag_of(const Lane& lane) {
  static_assert(offsetof(Lane, immediate) == sizeof(std::uint32_t) && sizeof(Lane) == 12);
  std::uint32_t tag = 0;
  std::memcpy(&tag, &lane, sizeof tag);
  return tag;
}

void pack(const Layout& layout, const Inst& inst, Packed& packed) {
  const std::uint32_t checked = layout.must | layout.listed;
  const auto operands = static_cast<std::size_t>(layout.operands);
  for (std::size_t i = 0; i < operands; ++i) {
    const Lane& lane = inst.lane[i];
    if (tag_of(lane) == 0 && lane.step == 0 && (checked >> i & 1u) == 0) {
      packed.lane[i] = static_cast<std::uint32_t>(lane.immediate);
      if (lane.immediate != layout.fallback[i]) packed.lanes = static_cast<int>(i) + 1;
      continue;
    }
    packed.well_formed =
        packed.well_formed && malformed_lane(layout, lane, static_cast<int>(i)).empty();
    packed.lane[i] = static_cast<std::uint32_t>(pack(lane));
    packed.registers |= std::uint64_t{lane.is_register} << i;
    if (lane.is_register || lane.immediate != layout.fallback[i]) {
      packed.lanes = static_cast<int>(i) + 1;
    }
  }
  static constexpr std::array<Lane, kMaxOperands> kUnused{};
  packed.well_formed =
      packed.well_formed && std::memcmp(&inst.lane[operands], kUnused.data(),
                                        (kMaxOperands - operands) * sizeof(Lane)) == 0;
  if (operands % 2 != 0) packed.lane[operands] = 0;
}

/// Fills `inst` from a head and its lanes; says what is wrong with the words themselves.
std::string_view unpack(const Layout& layout, std::span<const std::uint64_t> words, Inst& inst) {
  const std::uint64_t head = words[0], mask = kRegisterMask.of(head);
  if (mask >> layout.operands != 0) return "register mask names a lane that is not there";
  if (kReserved.of(head) != 0) return "reserved bits are not zero";
  inst = Inst{};
  inst.op = static_cast<Op>(kOp.of(head));
  for (std::size_t i = 0; i < 2; ++i) {
    inst.waits[i] = unpack_flag(kWaits[i].of(head));
    inst.sets[i] = unpack_flag(kSets[i].of(head));
  }
  inst.drain = kDrain.of(head) != 0;
  inst.unit = kUnit.of(head) != 0;
  const int given = std::min(2 * static_cast<int>(words.size() - 1), layout.operands);
  for (int i = 0; i < given; ++i) {
    const std::uint64_t word = words[static_cast<std::size_t>(1 + i / 2)];
    inst.lane[static_cast<std::size_t>(i)] =
        unpack_lane(word >> (i % 2 != 0 ? 32 : 0) & 0xffffffffu, (mask >> i & 1u) != 0);
  }
  if (given % 2 != 0 && words.back() >> 32 != 0) return "half word after the last operand";
  for (int i = given; i < layout.operands; ++i) {
    if ((mask >> i & 1u) != 0) return "register in a lane that is left out";
    inst.lane[static_cast<std::size_t>(i)] =
        Lane::imm(layout.fallback[static_cast<std::size_t>(i)]);
  }
  return {};
}

}  // namespace

namespace {

Inst blank_of(Op op, const Layout& layout) {
  Inst inst;
  inst.op = op;
  for (int i = 0; i < layout.operands; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const bool is_listed = (layout.listed >> i & 1u) != 0;
    // A type operand has no default that fits every row: take the row's first type.
    const bool fallback_fits = !is_listed || (layout.allowed[at] & 1u) != 0;
    inst.lane[at] =
        (layout.must >> i & 1u) != 0 ? Lane::r(0)
        : fallback_fits
            ? Lane::imm(layout.fallback[at])
            : Lane::imm(static_cast<std::int32_t>(std::countr_zero(layout.allowed[at])));
  }
  return inst;
}

const std::array<Inst, 256> kBlanks = [] {
  std::array<Inst, 256> blanks{};
  for (const Row& row : rows()) {
    const auto code = static_cast<std::size_t>(row.op);
    blanks[code] = blank_of(row.op, kLayouts[code]);
  }
  return blanks;
}();

}  // namespace

const Inst& blank(Op op) {
  return kBlanks[static_cast<std::size_t>(op)];
}

std::string_view malformed(const Inst& inst) {
  const Layout& layout = kLayouts[static_cast<std::size_t>(inst.op)];
  if (const auto text = malformed(layout, inst); !text.empty()) return text;
  for (int i = layout.operands; i < kMaxOperands; ++i) {
    if (inst.lane[static_cast<std::size_t>(i)] != Lane{}) {
      return "lane after the last operand is in use";
    }
  }
  return {};
}

int words_of(const Inst& inst) {
  return words_of(kLayouts[static_cast<std::size_t>(inst.op)], inst);
}

int encode(const Inst& inst, std::span<std::uint64_t, kMaxWords> code) {
  const Layout& layout = kLayouts[static_cast<std::size_t>(inst.op)];
  DVMSIM_ASSERT(layout.operands >= 0, "every Op has a row");
  Packed packed;
  pack(layout, inst, packed);
  DVMSIM_ASSERT(packed.well_formed &&
                    (has_none(inst.waits) || malformed_flags(inst.waits).empty()) &&
                    (has_none(inst.sets) || malformed_flags(inst.sets).empty()) &&
                    (!inst.unit || hands_over_units(inst.op)),
                "only well-formed instructions are encoded");
  const int words = 1 + (packed.lanes + 1) / 2;
  code[0] = head_of(inst, packed.registers, words);
  for (std::size_t i = 0; i + 1 < static_cast<std::size_t>(words); ++i) {
    code[i + 1] = packed.lane[2 * i] | std::uint64_t{packed.lane[2 * i + 1]} << 32;
  }
  return words;
}

int append(const Inst& inst, std::vector<std::uint64_t>& code) {
  std::array<std::uint64_t, kMaxWords> made;
  const int words = encode(inst, made);
  code.insert(code.end(), made.begin(), made.begin() + words);
  return words;
}

int decode(std::span<const std::uint64_t> code, std::size_t offset, Inst& inst,
           DecodeError& error) {
  const auto fail = [&](std::string_view text) {
    error = {offset, text};
    return 0;
  };
  if (offset >= code.size()) return fail("end of the code inside a program");
  const std::uint64_t head = code[offset];
  const Layout& layout = kLayouts[kOp.of(head)];
  if (layout.operands < 0) return fail("no such instruction");
  const auto words = static_cast<std::size_t>(kWords.of(head));
  if (words < 1 || words > static_cast<std::size_t>(1 + (layout.operands + 1) / 2)) {
    return fail("word count does not fit the instruction");
  }
  if (words > code.size() - offset) return fail("instruction is cut off");
  if (auto text = unpack(layout, code.subspan(offset, words), inst); !text.empty()) {
    return fail(text);
  }
  if (auto text = malformed(layout, inst); !text.empty()) return fail(text);
  if (static_cast<std::size_t>(words_of(layout, inst)) != words) {
    return fail("last word holds only defaults and should be left out");
  }
  return static_cast<int>(words);
}

bool decodes(std::span<const std::uint64_t> code, DecodeError& error) {
  Inst inst;
  for (std::size_t at = 0; at < code.size();) {
    const int words = decode(code, at, inst, error);
    if (words == 0) return false;
    at += static_cast<std::size_t>(words);
  }
  return true;
}

}  // namespace dvmsim::isa
