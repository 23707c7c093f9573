#include "vm/isa/line.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <cmath>

#include "vm/base/error.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

namespace dvmsim::isa {
namespace {

constexpr std::int64_t kStepBytes = 32;

// Printing.

std::string print_flags(std::string_view what, std::span<const FlagRef> flags) {
  std::string text;
  for (const FlagRef& flag : flags) {
    if (!flag.valid) break;
    text += text.empty() ? fmt::format(" {}=", what) : ",";
    text += fmt::format("{}.{}", name_of(flag.pipe), flag.id);
  }
  return text;
}

std::string print_lane(const Operand& operand, const Lane& lane, bool scalar_is_float) {
  if (lane.is_register) {
    if (lane.modulo == 0) return fmt::format("r{}", lane.reg);
    const std::string up = lane.up != 0 ? fmt::format("^{}", lane.up) : std::string{};
    return fmt::format("r{}+i%{}*{:#x}{}", lane.reg, lane.modulo, lane.step * kStepBytes, up);
  }
  const std::int32_t value = lane.immediate;
  if (operand.kind == OperandKind::Type) return std::string(name_of(static_cast<DType>(value)));
  if (operand.kind == OperandKind::Pick) {
    return std::string(spellings(operand.picks)[static_cast<std::size_t>(value)]);
  }
  const auto number = std::bit_cast<float>(value);
  if (scalar_is_float && value != 0 && std::isfinite(number)) {
    return fmt::format("f32:{}", number);  // shortest text that reads back to the same bits
  }
  return fmt::format("{}", value);
}

/// `s` of a vector row holds the bits of an f32 when the row's type is a float.
bool scalar_is_float(const Row& row, const Inst& inst) {
  const int type = row.find("dtype");
  return type >= 0 &&
         is_float(static_cast<DType>(inst.lane[static_cast<std::size_t>(type)].immediate));
}

// Reading an operand.

std::int32_t read_immediate(const Statement& in, const Operand& operand, std::string_view text) {
  if (operand.kind == OperandKind::Type) {
    if (const auto type = parse_dtype(text)) return static_cast<std::int32_t>(*type);
    in.fail(fmt::format("'{}' is no type; use one of bool i8 u8 i32 i64 f16 bf16 f32", text));
  }
  if (operand.kind == OperandKind::Pick) {
    const auto names = spellings(operand.picks);
    const auto found = std::find(names.begin(), names.end(), text);
    if (found != names.end()) return static_cast<std::int32_t>(found - names.begin());
    in.fail(fmt::format("'{}' is none of: {}", text, fmt::join(names, " ")));
  }
  if (text.starts_with("f32:")) return std::bit_cast<std::int32_t>(in.number_f32(text.substr(4)));
  const std::int64_t value = in.number(text);
  if (value < INT32_MIN || value > INT32_MAX) {
    in.fail(fmt::format("{} does not fit a 32-bit immediate; use a register", value));
  }
  return static_cast<std::int32_t>(value);
}

/// Text after 'r': 12, or 12+i%2*0x4000, or 12+i%2*0x4000^1.
Lane read_register(const Statement& in, std::string_view text) {
  const auto plus = text.find("+i%");
  const std::uint64_t named = in.hash(text.substr(0, plus));
  if (named >= kRegisters) in.fail(fmt::format("{} is not in 0..{}", named, kRegisters - 1));
  const auto reg = static_cast<int>(named);
  if (plus == std::string_view::npos) return Lane::r(reg);
  text.remove_prefix(plus + 3);
  const auto star = text.find('*'), caret = text.find('^');
  if (star == std::string_view::npos) in.fail("a rotating register is r6+i%2*0x4000");
  const std::int64_t modulo = in.number(text.substr(0, star), 7);
  const std::int64_t step =
      in.number(text.substr(star + 1, caret == std::string_view::npos ? caret : caret - star - 1),
                (std::int64_t{1} << 20) * kStepBytes - 1);
  const std::int64_t up =
      caret == std::string_view::npos ? 0 : in.number(text.substr(caret + 1), kMaxLoopDepth - 1);
  if (modulo < 2) in.fail("a rotation is by 2 to 7");
  if (step % kStepBytes != 0) in.fail("the step of a rotation is a multiple of 32 bytes");
  return Lane::rotating(reg, static_cast<int>(modulo),
                        static_cast<std::uint32_t>(step / kStepBytes), static_cast<int>(up));
}

bool is_register(std::string_view text) {
  return text.size() > 1 && text[0] == 'r' && text[1] >= '0' && text[1] <= '9';
}

void read_flags(const Statement& in, std::string_view text, std::array<FlagRef, 2>& flags) {
  for (std::size_t i = 0;; ++i) {
    if (i == 2) in.fail("at most two flags each way; use wait and set instructions for more");
    const auto comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    const auto dot = one.find('.');
    const auto pipe = std::find_if(kAllPipes.begin(), kAllPipes.end(),
                                   [&](Pipe p) { return name_of(p) == one.substr(0, dot); });
    if (dot == std::string_view::npos || pipe == kAllPipes.end()) {
      in.fail(fmt::format("'{}' is no flag; write pipe.id, as in mte2.0", one));
    }
    flags[i] = {true, *pipe,
                static_cast<std::uint8_t>(in.number(one.substr(dot + 1), kFlagIds - 1))};
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string print_line(const Inst& inst, std::string_view label) {
  DVMSIM_ASSERT(malformed(inst).empty(), "only well-formed instructions are printed");
  const Row& row = row_of(inst.op);
  std::string text(row.mnemonic);
  for (int i = 0; i < row.operands; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Operand& operand = row.operand[at];
    if (operand.name == "skip" && !label.empty()) {
      text += fmt::format(" skip=@{}", label);
      continue;
    }
    const bool named = operand.kind == OperandKind::Type || operand.kind == OperandKind::Pick;
    if (!named && inst.lane[at] == Lane::imm(operand.fallback)) continue;
    const bool is_float = operand.name == "s" && scalar_is_float(row, inst);
    text += fmt::format(" {}={}", operand.name, print_lane(operand, inst.lane[at], is_float));
  }
  text += print_flags("wait", inst.waits) + print_flags("set", inst.sets);
  if (inst.drain) text += " drain";
  return inst.unit ? text + " unit" : text;
}

Inst read_line(const Statement& in, std::string* label) {
  const Row* row = find_row(in.word(0));
  if (row == nullptr) in.fail(fmt::format("'{}' is no instruction", in.word(0)));
  Inst inst = blank(row->op);
  std::uint32_t seen = 0;
  for (std::size_t w = 1; w < in.words(); ++w) {
    const std::string_view word = in.word(w);
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    if (word == "drain" || word == "unit") {
      (word == "drain" ? inst.drain : inst.unit) = true;
      continue;
    }
    if (name == "wait") {
      read_flags(in, value, inst.waits);
      continue;
    }
    if (name == "set") {
      read_flags(in, value, inst.sets);
      continue;
    }
    const int index = row->find(name);
    if (index < 0) in.fail(fmt::format("{} has no operand '{}'", row->mnemonic, name));
    if ((seen >> index & 1u) != 0) in.fail(fmt::format("'{}' is given twice", name));
    seen |= 1u << index;
    Lane& lane = inst.lane[static_cast<std::size_t>(index)];
    if (name == "skip" && value.starts_with("@") && label != nullptr) {
      *label = value.substr(1);
    } else if (is_register(value)) {
      lane = read_register(in, value.substr(1));
    } else {
      lane = Lane::imm(read_immediate(in, row->operand[static_cast<std::size_t>(index)], value));
    }
  }
  if (const auto text = malformed(inst); !text.empty()) in.fail(std::string(text));
  return inst;
}

std::string print(const Inst& inst) {
  return print_line(inst, {});
}

std::string print(const Command& command) {
  const Row& row = row_of(command.op);
  std::string text(row.mnemonic);
  for (int i = 0; i < row.operands; ++i) {
    const Operand& operand = row.operand[static_cast<std::size_t>(i)];
    const std::int64_t value = command.at(i);
    const auto names = operand.kind == OperandKind::Pick ? spellings(operand.picks)
                                                         : std::span<const std::string_view>{};
    const bool is_type = operand.kind == OperandKind::Type && value >= 0 &&
                         value < static_cast<std::int64_t>(kDTypes.size());
    if (is_type) {
      text += fmt::format(" {}={}", operand.name, name_of(static_cast<DType>(value)));
    } else if (value >= 0 && value < static_cast<std::int64_t>(names.size())) {
      text += fmt::format(" {}={}", operand.name, names[static_cast<std::size_t>(value)]);
    } else if (value != operand.fallback || operand.kind == OperandKind::Memory) {
      text += fmt::format(" {}={}", operand.name, value);
    }
  }
  text += print_flags("wait", std::span(command.wait).first(command.waits));
  text += print_flags("set", std::span(command.set).first(command.sets));
  if (command.drain) text += " drain";
  return command.unit ? text + " unit" : text;
}

Inst assemble_line(std::string_view line, const std::string& where) {
  const Statement in(line, where);
  if (in.words() == 0) in.fail("no instruction on the line");
  return read_line(in, nullptr);
}

}  // namespace dvmsim::isa
