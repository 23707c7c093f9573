#include "compiler/codegen/builder.h"

#include <algorithm>

#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim {

using isa::Inst;
using isa::Lane;
using isa::Op;

static_assert(isa::lane_of(Op::sadd, "rd") == 0 && isa::lane_of(Op::sadd, "a") == 1 &&
                  isa::lane_of(Op::sadd, "b") == 2 && isa::lane_of(Op::mov, "a") == 1,
              "scalar arithmetic: rd, a, b");
static_assert(isa::lane_of(Op::jz, "a") == 0 && isa::lane_of(Op::jz, "skip") == 1);

Val::Val(std::int64_t immediate) {
  const auto narrow = static_cast<std::int32_t>(immediate);
  if (narrow == immediate) {
    lane = Lane::imm(narrow);
  } else {
    wide = immediate;
  }
}

Reg Builder::reg() {
  DVMSIM_ASSERT(next_reg_ < isa::kRegisters, "a program uses at most 64 registers");
  return Reg{next_reg_++};
}

Inst& Builder::add(Op op, Operands operands) {
  Inst inst = isa::blank(op);
  const isa::Row& row = isa::row_of(op);
  for (const auto& [name, value] : operands) {
    const int index = row.find(name);
    DVMSIM_ASSERT(index >= 0, "the row has an operand of that name");
    put(inst, index, value);
  }
  return append(inst);
}

Lane Builder::lane_of(const Val& value, Reg scratch) {
  if (value.wide == 0) return value.lane;
  assign(scratch, Op::mov, value.wide >> 30, 0);
  assign(scratch, Op::sshl, scratch, 30);
  assign(scratch, Op::sor, scratch, value.wide & 0x3fffffff);
  return Lane::r(scratch.number);
}

namespace {

std::int64_t fold(Op op, std::int64_t a, std::int64_t b) {
  switch (op) {
    case Op::sadd:
      return a + b;
    case Op::ssub:
      return a - b;
    case Op::smul:
      return a * b;
    case Op::sdiv:
      return a / b;
    case Op::smod:
      return a % b;
    case Op::smin:
      return a < b ? a : b;
    case Op::smax:
      return a > b ? a : b;
    default:
      DVMSIM_ASSERT(false, "compute folds + - * / % min max");
      return 0;
  }
}

bool does_nothing(Op op, const Val& b) {
  return ((op == Op::sadd || op == Op::ssub) && b.is(0)) ||
         ((op == Op::smul || op == Op::sdiv) && b.is(1));
}

constexpr auto kRegister = static_cast<std::size_t>(isa::lane_of(Op::ldarg, "rd")),
               kIndex = static_cast<std::size_t>(isa::lane_of(Op::ldarg, "index")),
               kCount = static_cast<std::size_t>(isa::lane_of(Op::ldarg, "count")),
               kTimes = static_cast<std::size_t>(isa::lane_of(Op::set, "count"));
static_assert(isa::lane_of(Op::set, "count") == isa::lane_of(Op::wait, "count"));

/// Loads `next` the argument behind those of `inst`, or sets or waits for the same flag? Then
/// `inst` does it too.
bool does_once_more(Inst& inst, const Inst& next) {
  if (inst.op == Op::ldarg) {
    auto& lane = inst.lane;
    const std::int32_t count = lane[kCount].immediate;
    if (next.lane[kRegister].reg != lane[kRegister].reg + count ||
        next.lane[kIndex].immediate != lane[kIndex].immediate + count) {
      return false;
    }
    lane[kCount].immediate += next.lane[kCount].immediate;
    return true;
  }
  if (inst.op != Op::set && inst.op != Op::wait) return false;
  Inst same = next;
  same.lane[kTimes] = inst.lane[kTimes];
  const std::int32_t times = inst.lane[kTimes].immediate + next.lane[kTimes].immediate;
  if (same != inst || inst.waits[0].valid || inst.sets[0].valid || times > isa::kMostTimes) {
    return false;
  }
  inst.lane[kTimes].immediate = times;
  return true;
}

}  // namespace

Val Builder::compute(Op op, Val a, Val b) {
  const bool commutes = op == Op::sadd || op == Op::smul || op == Op::smin || op == Op::smax;
  if (commutes && !a.lane.is_register && b.lane.is_register) std::swap(a, b);
  if (!a.lane.is_register && !b.lane.is_register) {
    return fold(op, a.value(), b.value());
  }
  if (does_nothing(op, b)) return a;
  if (b.is(op == Op::smod ? 1 : 0) && (op == Op::smul || op == Op::smod)) return 0;
  const Reg result = reg();
  if (a.wide != 0) a = Val(lane_of(a, result));
  if (b.wide != 0) b = Val(lane_of(b, result));
  assign(result, op, a, b);
  return result;
}

Val Builder::argument(int index) {
  const Reg result = reg();
  add<Op::ldarg>({{"rd", result}, {"index", index}});
  return result;
}

void Builder::assign(Reg target, Op op, Val a, Val b) {
  // Scalar arithmetic: rd, a, b. Loading what is wide comes first.
  if (a.wide != 0) a = Val(lane_of(a, reg()));
  if (op != Op::mov && b.wide != 0) b = Val(lane_of(b, reg()));
  Inst& inst = append(isa::blank(op));
  inst.lane[0] = Lane::r(target.number);
  inst.lane[1] = a.lane;
  if (op != Op::mov) inst.lane[2] = b.lane;
}

void Builder::begin_loop(Val count, int rotate) {
  add<Op::loop>({{"count", count}, {"rotate", rotate}});
}

void Builder::end_loop() {
  add(Op::endloop);
}

int Builder::jump(Op op, Val condition) {
  jumps_.push_back({code_.size(), 0});
  Inst inst = isa::blank(op);  // a, skip
  put(inst, 0, condition);
  put(inst, 1, 1);
  append(inst);
  return static_cast<int>(jumps_.size()) - 1;
}

void Builder::land(int jump) {
  jumps_[static_cast<std::size_t>(jump)].to = code_.size();
}

void Builder::set(Pipe from, Pipe to, int id) {
  add<Op::set>({{"pipe", static_cast<int>(from)}, {"other", static_cast<int>(to)}, {"id", id}});
}

void Builder::wait(Pipe on, Pipe from, int id) {
  add<Op::wait>({{"pipe", static_cast<int>(on)}, {"other", static_cast<int>(from)}, {"id", id}});
}

void Builder::bring_forward(std::size_t begin, std::size_t middle) {
  const auto at = [](auto& list, std::size_t index) {
    return list.begin() + static_cast<std::ptrdiff_t>(index);
  };
  const Code moved(at(code_, middle), code_.end());
  std::move_backward(at(code_, begin), at(code_, middle), code_.end());
  std::copy(moved.begin(), moved.end(), at(code_, begin));
  const auto behind = [&](std::size_t position) {
    return std::find_if(marks_.begin(), marks_.end(),
                        [&](const Mark& mark) { return mark.at >= position; });
  };
  const auto first = behind(begin), second = behind(middle);
  for (auto mark = first; mark != second; ++mark) mark->at += moved.size();
  for (auto mark = second; mark != marks_.end(); ++mark) mark->at -= middle - begin;
  std::rotate(first, second, marks_.end());
}

void Builder::insert(std::size_t at, Side side, const Inst& inst) {
  const auto place = static_cast<std::ptrdiff_t>(at) + (side == Side::After ? 1 : 0);
  code_.insert(code_.begin() + place, inst);
  for (Mark& mark : marks_) mark.at += mark.at > at ? 1 : 0;
}

void Builder::mark(DebugMark::Kind kind, std::string name) {
  marks_.push_back({code_.size(), kind, std::move(name)});
}

void Builder::merge_neighbours() {
  const auto is_entered = [&](std::size_t at) {
    return std::any_of(jumps_.begin(), jumps_.end(), [&](const Jump& to) { return to.to == at; }) ||
           std::any_of(marks_.begin(), marks_.end(),
                       [&](const Mark& mark) { return mark.at == at; });
  };
  boost::container::small_vector<std::size_t, 64> place(code_.size() + 1, 0);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < code_.size(); ++i) {
    const bool repeats = kept > 0 && code_[i].op == code_[kept - 1].op && !is_entered(i) &&
                         does_once_more(code_[kept - 1], code_[i]);
    place[i] = kept;
    if (!repeats) code_[kept++] = code_[i];
  }
  place[code_.size()] = kept;
  if (kept == code_.size()) return;
  code_.erase(code_.begin() + static_cast<std::ptrdiff_t>(kept), code_.end());
  for (Jump& jump : jumps_) jump = {place[jump.from], place[jump.to]};
  for (Mark& mark : marks_) mark.at = place[mark.at];
}

void Builder::link(Program& program) {
  add(Op::halt);
  merge_neighbours();
  auto& words = kind_ == CoreKind::Vector ? program.vector : program.cube;
  boost::container::small_vector<std::uint32_t, 64> offset(code_.size() + 1, 0);
  if (!jumps_.empty()) {
    // Every offset is known once sizes are; a jump's own size does not depend on its distance.
    for (std::size_t i = 0; i < code_.size(); ++i) {
      offset[i + 1] = offset[i] + static_cast<std::uint32_t>(isa::words_of(code_[i]));
    }
    for (const Jump& jump : jumps_) {
      const auto skip = static_cast<std::int32_t>(offset[jump.to] - offset[jump.from + 1]);
      code_[jump.from].lane[1] = Lane::imm(skip);
    }
  }
  DVMSIM_ASSERT(words.empty(), "a program has one code for a kind of core");
  constexpr std::size_t kMost = isa::kMaxWords;
  boost::container::small_vector<std::uint64_t, 64 * kMost> made(kMost * code_.size(),
                                                                 boost::container::default_init);
  for (std::size_t i = 0; i < code_.size(); ++i) {
    const std::span<std::uint64_t, kMost> room(&made[offset[i]], kMost);
    offset[i + 1] = offset[i] + static_cast<std::uint32_t>(isa::encode(code_[i], room));
  }
  words.assign(made.begin(), made.begin() + offset.back());
  program.marks.reserve(program.marks.size() + marks_.size());
  for (Mark& mark : marks_) {
    program.marks.push_back({mark.kind, kind_, offset[mark.at], std::move(mark.name)});
  }
}

}  // namespace dvmsim
