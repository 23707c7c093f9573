#include "vm/firmware/decoded.h"

#include <algorithm>
#include <array>
#include <limits>

#include "vm/isa/codec.h"

namespace dvmsim::firmware {
namespace {

using isa::Op;
using isa::OperandKind;

/// What an operand's value must satisfy, as far as its row tells; anything at all by default.
struct Rule {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();
  std::uint64_t span = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t align = 0;
  bool in_ub = false;  // aligned as the machine says
};
constexpr std::size_t kReserved = 4096;  // instructions of a program that nothing is moved for

// Wide enough for every machine, and narrow enough that a footprint's extent stays inside 64 bits.
constexpr Rule kCount{0, std::uint64_t{1} << 26};
constexpr Rule kPaddedRows{0, std::uint64_t{1} << 26, 15};
constexpr Rule kStride{-(std::int64_t{1} << 35), std::uint64_t{1} << 36};
constexpr Rule kAddress{0, std::uint64_t{1} << 56};

using Rules = std::array<Rule, isa::kMaxOperands>;

void apply(const isa::Row& row, const isa::Measure& measure, const Rule& rule, Rules& rules) {
  if (measure.operand.empty()) return;
  const int index = row.find(measure.operand);
  if (row.operand[static_cast<std::size_t>(index)].kind != OperandKind::Value) return;
  // Two footprints may name one operand; padded rows are the stronger rule.
  Rule& kept = rules[static_cast<std::size_t>(index)];
  if (measure.operand == "prows") {
    kept = kPaddedRows;
  } else {
    kept = rule;
  }
}

void apply_nd(const isa::Row& row, Rules& rules) {
  for (const char* name : {"width", "n0", "n1", "n2", "n3"}) apply(row, name, kCount, rules);
  for (const char* name : {"s0", "s1", "s2", "s3", "d1", "d2", "d3"}) {
    apply(row, name, kStride, rules);
  }
}

Rules rules_of(const isa::Row& row) {
  Rules rules{};
  for (int i = 0; i < row.operands; ++i) {
    const isa::Operand& operand = row.operand[static_cast<std::size_t>(i)];
    if (operand.kind != OperandKind::Memory) continue;
    Rule& base = rules[static_cast<std::size_t>(i)];
    base = kAddress;
    base.in_ub = operand.space == Space::UB && row.pipe != Pipe::Scalar;
    const isa::Footprint& f = operand.footprint;
    if (f.shape == isa::Shape::Nd) {
      apply_nd(row, rules);
      continue;
    }
    for (const auto& m : {f.length, f.width, f.rows, f.row0, f.column0})
      apply(row, m, kCount, rules);
    apply(row, f.stride, kStride, rules);
  }
  if (row.op == Op::loop) rules[0] = {0, std::numeric_limits<std::uint32_t>::max()};
  return rules;
}

const Rules& rules_of(Op op) {
  static const std::array<Rules, 256> kRules = [] {
    std::array<Rules, 256> rules{};
    for (const isa::Row& row : isa::rows()) rules[static_cast<std::size_t>(row.op)] = rules_of(row);
    return rules;
  }();
  return kRules[static_cast<std::size_t>(op)];
}

RegisterLane checked(const Rule& rule, int operand, const Machine& machine) {
  RegisterLane lane;
  lane.operand = static_cast<std::uint8_t>(operand);
  lane.align = rule.in_ub ? static_cast<std::uint32_t>(machine.ub.align.count() - 1) : rule.align;
  lane.low = rule.low;
  lane.span = rule.span;
  return lane;
}

Action action_of(const isa::Row& row) {
  if (row.named_pipe || row.pipe != Pipe::Scalar) return Action::Issue;
  switch (row.op) {
    case Op::halt:
      return Action::Halt;
    case Op::nop:
      return Action::Nothing;
    case Op::ldarg:
      return Action::Argument;
    case Op::ldgm:
    case Op::ldub:
      return Action::Read;
    case Op::loop:
      return Action::Loop;
    case Op::endloop:
      return Action::EndLoop;
    case Op::jz:
    case Op::jnz:
      return Action::Jump;
    case Op::drain:
      return Action::Drain;
    case Op::conv:
    case Op::gmatmul:
    case Op::matmul:
      return Action::Macro;
    default:
      return Action::Arithmetic;
  }
}

bool may_run(const isa::Row& row, CoreKind kind) {
  if (kind == CoreKind::Unified) return true;
  return (row.cores & (kind == CoreKind::Cube ? isa::kCubeCore : isa::kVectorCore)) != 0;
}

}  // namespace

FaultKind misfit_kind(const RegisterLane& lane, std::int64_t value) {
  const auto distance = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(lane.low);
  return distance > lane.span ? FaultKind::BadInstruction : FaultKind::Misaligned;
}

std::string misfit(const isa::Command& command, const RegisterLane& lane, std::int64_t value) {
  const isa::Row& row = isa::row_of(command.op);
  std::string text(row.mnemonic);
  text += ": operand " + std::string(row.operand[lane.operand].name) + " is ";
  text += std::to_string(value);
  if (misfit_kind(lane, value) == FaultKind::BadInstruction) {
    return text + ", outside what it may hold";
  }
  return text + ", not a multiple of " + std::to_string(lane.align + 1);
}

Code::Code(const Machine& machine, std::span<const std::uint64_t> words, CoreKind kind,
           CodePath path, std::uint32_t begin)
    : machine_(&machine),
      words_(words),
      kind_(kind),
      path_(path),
      begin_(begin),
      index_(words.size(), -1) {
  decoded_.reserve(std::min<std::size_t>(words.size() / 3 + 1, kReserved));
}

bool Code::refuse(std::uint32_t pc, std::string_view why) {
  problem_ = "word " + std::to_string(pc) + ": " + std::string(why);
  return false;
}

Decoded* Code::decode(std::uint32_t pc) {
  isa::Inst inst;
  isa::DecodeError error;
  const int words = isa::decode(words_, pc, inst, error);
  if (words == 0) {
    refuse(begin_ + pc, error.text);
    return nullptr;
  }
  Decoded decoded;
  decoded.command.pc = begin_ + pc;
  decoded.next = pc + static_cast<std::uint32_t>(words);
  if (!fill(inst, words, decoded)) return nullptr;
  index_[pc] = static_cast<std::int32_t>(decoded_.size());
  decoded_.push_back(decoded);
  return &decoded_.back();
}

bool Code::fill(const isa::Inst& inst, int words, Decoded& decoded) {
  const isa::Row& row = isa::row_of(inst.op);
  isa::Command& command = decoded.command;
  if (!may_run(row, kind_)) return refuse(command.pc, "instruction of another kind of core");
  command.op = inst.op;
  command.pipe = row.pipe;
  command.drain = inst.drain;
  command.unit = inst.unit;
  decoded.action = action_of(row);
  if (!fill_lanes(inst, decoded)) return false;
  if (row.named_pipe) command.pipe = static_cast<Pipe>(command.operand[0]);
  if (!fill_flags(inst, decoded)) return false;
  fill_cycles(row, words, decoded);
  return true;
}

bool Code::fill_lanes(const isa::Inst& inst, Decoded& decoded) {
  const isa::Row& row = isa::row_of(inst.op);
  const Rules& rules = rules_of(inst.op);
  decoded.first_lane = static_cast<std::uint32_t>(lanes_.size());
  for (int i = 0; i < row.operands; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const isa::Lane& from = inst.lane[at];
    if (row.operand[at].kind == OperandKind::Register) {
      decoded.target_register = from.reg;
      decoded.command.operand[at] = from.reg;
      continue;
    }
    RegisterLane lane = checked(rules[at], i, *machine_);
    if (!from.is_register) {
      decoded.command.operand[at] = from.immediate;
      if (!fits(lane, from.immediate)) {
        problem_kind_ = misfit_kind(lane, from.immediate);
        return refuse(decoded.command.pc, misfit(decoded.command, lane, from.immediate));
      }
      continue;
    }
    lane.reg = from.reg;
    lane.modulo = from.modulo;
    lane.up = from.up;
    lane.step = std::int64_t{32} * from.step;
    lanes_.push_back(lane);
    ++decoded.lanes;
  }
  return true;
}

bool Code::fill_flags(const isa::Inst& inst, Decoded& decoded) {
  isa::Command& command = decoded.command;
  const std::uint32_t pc = command.pc;
  for (const isa::FlagRef& flag : inst.waits) {
    if (flag.valid) command.wait[command.waits++] = flag;
  }
  for (const isa::FlagRef& flag : inst.sets) {
    if (flag.valid) command.set[command.sets++] = flag;
  }
  if (inst.op == Op::wait || inst.op == Op::set) {
    const bool is_wait = inst.op == Op::wait;
    if ((is_wait ? command.waits : command.sets) != 0) {
      return refuse(pc, "set and wait carry no further flags of their kind");
    }
    if (command.at(2) < 0 || command.at(2) >= isa::kFlagIds) return refuse(pc, "no such flag");
    if (command.at(3) < 1 || command.at(3) > isa::kMostTimes) {
      return refuse(pc, "it is done no or too many times");
    }
    if (command.at(3) > 1 && command.waits + command.sets > 0) {
      return refuse(pc, "set and wait that are done several times carry no flags");
    }
    decoded.times = static_cast<std::uint8_t>(command.at(3));
    const isa::FlagRef own{true, static_cast<Pipe>(command.at(1)),
                           static_cast<std::uint8_t>(command.at(2))};
    if (is_wait) {
      command.wait[command.waits++] = own;
    } else {
      command.set[command.sets++] = own;
    }
  }
  const bool cross = inst.op == Op::xset || inst.op == Op::xwait;
  if (cross && (command.at(1) < 0 || command.at(1) >= machine_->xflag.ids)) {
    return refuse(pc, "no such flag between cores");
  }
  for (std::size_t i = 0; i < 2; ++i) {
    decoded.flag_ids[i] = command.wait[i].id;
    decoded.flag_ids[2 + i] = command.set[i].id;
    if (command.wait[i].id >= machine_->flag.ids || command.set[i].id >= machine_->flag.ids) {
      return refuse(pc, "the machine has fewer flags");
    }
  }
  if (command.unit && !machine_->cube.unit_flag) {
    return refuse(pc, "the machine has no unit flags");
  }
  const bool takes_flags = decoded.action == Action::Issue || decoded.action == Action::Read;
  if (!takes_flags && (command.waits != 0 || command.sets != 0 || command.drain)) {
    return refuse(pc, "flags on an instruction that no queue runs");
  }
  return true;
}

void Code::fill_cycles(const isa::Row& row, int words, Decoded& decoded) const {
  const auto& f = machine_->firmware;
  const int lanes = std::min(row.operands, 2 * (words - 1));
  const int flags = decoded.command.waits + decoded.command.sets;
  const bool issues = decoded.action == Action::Issue || decoded.action == Action::Read;
  const bool divides = row.op == Op::sdiv || row.op == Op::smod;
  if (issues) decoded.work += f.flag_issue * flags;
  if (divides) decoded.work += f.divide;
  if (path_ == CodePath::Native) {
    // Compiled code computes addresses within a command's native cost; it still divides and loops.
    if (issues && row.op != Op::set && row.op != Op::wait) decoded.work += f.native_command;
    if (row.op == Op::endloop) decoded.work += f.branch;
    return;
  }
  decoded.decode = machine_->decode_cost(DecodeTerm::fetch) * words +
                   machine_->decode_cost(DecodeTerm::dispatch) +
                   machine_->decode_cost(DecodeTerm::operand) * lanes;
  if (decoded.action == Action::Issue) decoded.work += machine_->decode_cost(DecodeTerm::issue);
  if (row.op == Op::smul) decoded.work += f.multiply;
  if (decoded.action == Action::Arithmetic && row.op != Op::smul && !divides) {
    decoded.work += f.scalar_op;
  }
  if (row.op == Op::ldarg) decoded.work += f.load_argument * decoded.command.at(2);
  if (row.op == Op::endloop) decoded.work += f.branch;
}

std::int32_t Code::end_of_loop(std::uint32_t body) {
  int depth = 0;
  for (std::uint32_t pc = body;;) {
    const Decoded* decoded = at(pc);
    if (decoded == nullptr) return -1;
    if (decoded->action == Action::Loop) ++depth;
    if (decoded->action == Action::EndLoop && depth-- == 0) {
      return static_cast<std::int32_t>(decoded->next);
    }
    pc = decoded->next;
  }
}

}  // namespace dvmsim::firmware
