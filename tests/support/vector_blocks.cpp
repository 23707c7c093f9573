#include <algorithm>

#include "tests/support/random_blocks.h"
#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

constexpr int kSlots = 12, kOwnParts = 4;
// Pairs for double buffering, and what a pipeline only reads.
constexpr int kIn = 6, kOut = 8, kConstant = 10;

std::int64_t round32(std::int64_t bytes) {
  return (bytes + 31) / 32 * 32;
}
Lane imm(std::int64_t value) {
  return Lane::imm(static_cast<std::int32_t>(value));
}
Lane imm(DType type) {
  return Lane::imm(static_cast<std::int32_t>(type));
}
Lane pipe_lane(Pipe pipe) {
  return Lane::imm(static_cast<std::int32_t>(pipe));
}

bool is_plain(Op op) {  // element by element, dst of the sources' type
  return op < Op::vcmp;
}

/// Integers only where every machine computes them.
bool takes_integers(const Row& row) {
  constexpr Op kOps[] = {Op::vadd,  Op::vsub,  Op::vmul,  Op::vmax,  Op::vmin, Op::vadds,
                         Op::vmuls, Op::vmaxs, Op::vmins, Op::vcopy, Op::vdup, Op::vcmps};
  return std::find(std::begin(kOps), std::end(kOps), row.op) != std::end(kOps);
}

const Row& random_vector_row(Random& random) {
  const auto all = rows();
  while (true) {
    const Row& row =
        all[static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(all.size()) - 1))];
    const bool has_index = row.find("index") >= 0;  // which must fit a table, or is a second result
    if (row.pipe == Pipe::Vector && contains(row.dtypes, DType::F32) && !has_index) return row;
  }
}

}  // namespace

VectorBlocks::VectorBlocks(BlockContext& context, int first_resource)
    : c_(context), first_(first_resource), slots_(kSlots) {
  const std::int64_t area = (c_.machine.ub.size.count() - c_.machine.ub.reserved.count()) / 2;
  slot_ = std::min<std::int64_t>(1024, area / kSlots / 32 * 32);
  DVMSIM_ASSERT(slot_ >= 512, "the machine's UB holds twelve slots of 512 bytes in half of it");
}

Lane VectorBlocks::address(int slot, std::int64_t offset) const {
  return imm(slot * slot_ + offset);
}

int VectorBlocks::any_slot(bool written) {
  for (int tries = 0; tries < 8; ++tries) {
    const auto slot = static_cast<int>(pick(c_.random, 0, kSlots - 1));
    if (!written || slots_[static_cast<std::size_t>(slot)].written) return slot;
  }
  load();
  return any_slot(written);
}

int VectorBlocks::slot_of(DType type) {
  const auto first = static_cast<int>(pick(c_.random, 0, kSlots - 1));
  for (int i = 0; i < kSlots; ++i) {
    const int slot = (first + i) % kSlots;
    const Slot& s = slots_[static_cast<std::size_t>(slot)];
    if (s.written && s.type == type) return slot;
  }
  const auto s = type == DType::F16 ? 0x3c003c00 : type == DType::F32 ? 0x3f800000 : 3;
  const auto count = slot_ / size_of(type);
  c_.code.emit(make(Op::vdup, {{"dtype", imm(type)},
                               {"dst", address(first)},
                               {"s", imm(s)},
                               {"count", imm(count)},
                               {"dstride", imm(slot_)}}),
               Pipe::Vector, {}, {first_ + first});
  slots_[static_cast<std::size_t>(first)] = {true, type};
  return first;
}

Lane VectorBlocks::input_at(std::size_t input, std::int64_t bytes) {
  const Buffer& buffer = c_.inputs[input];
  const std::int64_t offset = pick(c_.random, 0, (buffer.bytes - bytes) / 32) * 32;
  scratch_ = scratch_ == kLastScratch ? kFirstScratch : scratch_ + 1;
  c_.code.scalar(
      make(Op::sadd, {{"rd", Lane::r(scratch_)}, {"a", Lane::r(buffer.reg)}, {"b", imm(offset)}}));
  return Lane::r(scratch_);
}

Lane VectorBlocks::own_at(int part) {
  scratch_ = scratch_ == kLastScratch ? kFirstScratch : scratch_ + 1;
  c_.code.scalar(make(
      Op::sadd, {{"rd", Lane::r(scratch_)}, {"a", Lane::r(c_.own.reg)}, {"b", imm(part * slot_)}}));
  return Lane::r(scratch_);
}

/// A slot from an input, or from what was stored in the own part.
void VectorBlocks::load() {
  const auto slot = static_cast<int>(pick(c_.random, 0, kSlots - 1));
  const std::int64_t rows = pick(c_.random, 1, 4), stride = slot_ / rows / 32 * 32;
  const bool is_own = chance(c_.random, 25);
  const auto input = static_cast<std::size_t>(pick(c_.random, 0, 2));
  const auto part = static_cast<int>(pick(c_.random, 0, kOwnParts - 1));
  const Lane src = is_own ? own_at(part) : input_at(input, slot_);
  std::vector<int> reads;
  if (is_own) reads.push_back(first_ + kSlots + part);
  c_.code.emit(make(Op::load, {{"dst", address(slot)},
                               {"src", src},
                               {"len", imm(stride)},
                               {"rows", imm(rows)},
                               {"dstride", imm(stride)},
                               {"sstride", imm(chance(c_.random, 20) ? 0 : stride)}}),
               Pipe::MTE2, reads, {first_ + slot});
  constexpr DType kTypes[] = {DType::F32, DType::F16, DType::I32};
  slots_[static_cast<std::size_t>(slot)] = {true, kTypes[input]};
}

void VectorBlocks::load_nd() {
  const auto slot = static_cast<int>(pick(c_.random, 0, kSlots - 1));
  const Lane src = input_at(0, 2048);
  c_.code.scalar(make(Op::sadd, {{"rd", src}, {"a", src}, {"b", imm(512)}}));
  const std::int64_t s0 = 4 * pick(c_.random, -1, 3);
  c_.code.emit(make(Op::loadnd, {{"dst", address(slot)},
                                 {"src", src},
                                 {"width", imm(4)},
                                 {"n0", imm(pick(c_.random, 1, 8))},
                                 {"s0", imm(s0)},
                                 {"n1", imm(pick(c_.random, 1, 3))},
                                 {"s1", imm(chance(c_.random, 20) ? 0 : 64)},
                                 {"d1", imm(32)},
                                 {"n2", imm(pick(c_.random, 1, 2))},
                                 {"s2", imm(-128)},
                                 {"d2", imm(128)},
                                 {"n3", imm(pick(c_.random, 1, 2))},
                                 {"s3", imm(256)},
                                 {"d3", imm(256)}}),
               Pipe::MTE2, {}, {first_ + slot});
  slots_[static_cast<std::size_t>(slot)] = {true, DType::F32};
}

void VectorBlocks::store() {
  const int slot = any_slot(true);
  const auto part = static_cast<int>(pick(c_.random, 0, kOwnParts - 1));
  const Lane dst = own_at(part);
  if (chance(c_.random, 20)) {
    c_.code.emit(make(Op::storend, {{"dst", dst},
                                    {"src", address(slot)},
                                    {"width", imm(4)},
                                    {"n0", imm(pick(c_.random, 1, 8))},
                                    {"s0", imm(chance(c_.random, 50) ? 8 : 4)},
                                    {"n1", imm(pick(c_.random, 1, 3))},
                                    {"s1", imm(64)},
                                    {"d1", imm(32)},
                                    {"n2", imm(pick(c_.random, 1, 2))},
                                    {"s2", imm(256)},
                                    {"d2", imm(128)}}),
                 Pipe::MTE3, {first_ + slot}, {first_ + kSlots + part});
    return;
  }
  const std::int64_t rows = pick(c_.random, 1, 3), stride = slot_ / rows / 32 * 32;
  c_.code.emit(make(Op::store, {{"dst", dst},
                                {"src", address(slot)},
                                {"len", imm(2 * pick(c_.random, 1, stride / 2))},
                                {"rows", imm(rows)},
                                {"dstride", imm(stride)},
                                {"sstride", imm(stride)}}),
               Pipe::MTE3, {first_ + slot}, {first_ + kSlots + part});
}

/// Gives every operand of a vector row a value that fits the slots.
void VectorBlocks::fill(Inst& inst, DType type, std::vector<int>& reads, std::vector<int>& writes) {
  const Row& row = row_of(inst.op);
  std::int64_t rows = pick(c_.random, 1, 4);
  const std::int64_t most = slot_ / rows / 32 * 32;
  std::int64_t count = pick(c_.random, 1, most / 4);
  if (chance(c_.random, 50)) count = std::max<std::int64_t>(count / 16 * 16, 1);
  if (inst.op == Op::vtrans) count = std::min(count, slot_ / 32);
  const bool in_place = is_plain(inst.op) && row.find("a") >= 0 && chance(c_.random, 25);
  const DType to = inst.op == Op::vcvt ? (type == DType::F32 ? DType::F16 : DType::F32)
                   : inst.op == Op::vcmp || inst.op == Op::vcmps ? DType::Bool
                                                                 : type;
  for (int i = 0; i < row.operands; ++i) {
    const Operand& operand = row.operand[static_cast<std::size_t>(i)];
    Lane& lane = inst.lane[static_cast<std::size_t>(i)];
    if (operand.name == "dtype") lane = imm(type);
    if (operand.name == "to") lane = imm(to);
    if (operand.name == "count") lane = imm(count);
    if (operand.name == "rows") lane = imm(rows);
    if (operand.name == "s") {
      lane = type == DType::I32 ? imm(pick(c_.random, -9, 9)) : imm(0x40000000 + (1 << 22));
    }
    if (operand.name.ends_with("stride")) {
      const DType own = operand.name == "dstride"   ? to
                        : operand.name == "mstride" ? DType::Bool
                                                    : type;
      const bool repeats = operand.name != "dstride" && !in_place && chance(c_.random, 15);
      const std::int64_t packed = round32(count * size_of(own));
      lane = repeats ? imm(0) : chance(c_.random, 60) || in_place ? imm(packed) : imm(most);
    }
    if (operand.kind == OperandKind::Pick) {
      lane =
          imm(pick(c_.random, 0, static_cast<std::int64_t>(spellings(operand.picks).size()) - 1));
    }
    if (operand.kind == OperandKind::Memory && operand.access == Access::Read) {
      const int slot = slot_of(operand.name == "mask" ? DType::Bool : type);
      lane = address(slot);
      reads.push_back(first_ + slot);
    }
  }
  if (inst.op == Op::vtrans) set_operand(inst, "dstride", imm(32));
  int dst = reads.empty() ? any_slot(false) : reads[0] - first_;
  while (!in_place && std::find(reads.begin(), reads.end(), first_ + dst) != reads.end()) {
    dst = static_cast<int>(pick(c_.random, 0, kSlots - 1));
  }
  set_operand(inst, "dst", address(dst));
  writes.push_back(first_ + dst);
  slots_[static_cast<std::size_t>(dst)] = {true, to};
}

void VectorBlocks::vector_op() {
  const Row& row = random_vector_row(c_.random);
  constexpr DType kTypes[] = {DType::F32, DType::F16, DType::I32};
  DType type = kTypes[pick(c_.random, 0, 2)];
  if (type == DType::I32 && !takes_integers(row)) type = DType::F32;
  const bool has_mask = std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) {
    return s.written && s.type == DType::Bool;
  });
  Inst inst = blank(row.op == Op::vsel && !has_mask ? Op::vcmps : row.op);
  std::vector<int> reads, writes;
  fill(inst, type, reads, writes);
  c_.code.emit(inst, Pipe::Vector, reads, writes);
}

void VectorBlocks::straight(int commands) {
  for (int i = 0; i < commands; ++i) {
    switch (pick(c_.random, 0, 9)) {
      case 0:
      case 1:
        load();
        break;
      case 2:
        load_nd();
        break;
      case 3:
      case 4:
        store();
        break;
      default:
        vector_op();
        break;
    }
  }
}

/// load -> one or two operations -> store, double-buffered, flags by hand.
void VectorBlocks::pipeline(bool nested) {
  constexpr Pipe kMte2 = Pipe::MTE2, kMte3 = Pipe::MTE3, kVector = Pipe::Vector;
  const auto a = static_cast<std::uint8_t>(pick(c_.random, 0, c_.machine.flag.ids - 1));
  auto b = static_cast<std::uint8_t>(pick(c_.random, 0, c_.machine.flag.ids - 1));
  if (b == a) b = static_cast<std::uint8_t>(a == 0 ? 1 : a - 1);
  const std::uint8_t low = std::min(a, b), high = std::max(a, b);
  const auto both = [&](Op op, Pipe pipe, Pipe other) {
    for (const std::uint8_t id : {low, high}) {
      c_.code.scalar(
          make(op, {{"pipe", pipe_lane(pipe)}, {"other", pipe_lane(other)}, {"id", imm(id)}}));
    }
  };
  const Lane constant = address(kConstant);
  c_.code.emit(make(Op::vdup, {{"dtype", imm(DType::F32)},
                               {"dst", constant},
                               {"s", imm(0x3f800000)},
                               {"count", imm(slot_ / 4)}}),
               kVector, {}, {first_ + kConstant});
  slots_[kConstant] = {true, DType::F32};
  c_.code.drain_all();
  const Lane src = input_at(0, 5 * slot_);
  if (nested) c_.code.begin_loop(imm(pick(c_.random, 1, 2)));
  const Lane from = Lane::r(kLastScratch + 1), dst = Lane::r(kLastScratch + 2),
             in = Lane::r(kLastScratch + 3), out = Lane::r(kLastScratch + 4);
  c_.code.scalar(make(Op::mov, {{"rd", from}, {"a", src}}));
  c_.code.scalar(make(Op::mov, {{"rd", dst}, {"a", Lane::r(c_.own.reg)}}));
  c_.code.scalar(make(Op::mov, {{"rd", in}, {"a", address(kIn)}}));
  c_.code.scalar(make(Op::mov, {{"rd", out}, {"a", address(kOut)}}));
  both(Op::set, kVector, kMte2);
  both(Op::set, kMte3, kVector);
  const auto step = static_cast<std::uint32_t>(slot_ / 32);
  const auto in_i = Lane::rotating(in.reg, 2, step), out_i = Lane::rotating(out.reg, 2, step);
  const Lane count = chance(c_.random, 50) ? Lane::r(c_.count_reg) : imm(pick(c_.random, 1, 4));
  c_.code.begin_bare_loop(count, 1 << low | 1 << high);

  Inst load = make(Op::load, {{"dst", in_i}, {"src", from}, {"len", imm(slot_)}});
  load.waits[0] = load.sets[0] = {true, kVector, low};
  c_.code.emit_as_is(load, kMte2, {}, {first_ + kIn, first_ + kIn + 1});
  const std::int64_t n = pick(c_.random, 1, slot_ / 4);
  const bool two = chance(c_.random, 50);
  Inst work = make(Op::vadd, {{"dtype", imm(DType::F32)},
                              {"dst", out_i},
                              {"a", in_i},
                              {"b", constant},
                              {"count", imm(n)}});
  work.waits = {FlagRef{true, kMte2, low}, FlagRef{true, kMte3, low}};
  work.sets[0] = {true, kMte2, low};
  if (!two) work.sets[1] = {true, kMte3, low};
  c_.code.emit_as_is(work, kVector, {first_ + kIn, first_ + kIn + 1, first_ + kConstant},
                     {first_ + kOut, first_ + kOut + 1});
  if (two) {
    Inst more = make(Op::vexp,
                     {{"dtype", imm(DType::F32)}, {"dst", out_i}, {"a", out_i}, {"count", imm(n)}});
    more.drain = true;
    more.sets[0] = {true, kMte3, low};
    c_.code.emit_as_is(more, kVector, {}, {});
  }
  Inst store = make(Op::store, {{"dst", dst}, {"src", out_i}, {"len", imm(n * 4)}});
  store.waits[0] = store.sets[0] = {true, kVector, low};
  c_.code.emit_as_is(
      store, kMte3, {first_ + kOut, first_ + kOut + 1},
      {first_ + kSlots, first_ + kSlots + 1, first_ + kSlots + 2, first_ + kSlots + 3});
  c_.code.scalar(make(Op::sadd, {{"rd", from}, {"a", from}, {"b", imm(slot_)}}));
  c_.code.scalar(make(Op::sadd, {{"rd", dst}, {"a", dst}, {"b", imm(slot_)}}));
  c_.code.end_bare_loop();
  both(Op::wait, kMte2, kVector);
  both(Op::wait, kVector, kMte3);
  if (nested) c_.code.end_loop();
  for (const int slot : {kIn, kIn + 1, kOut, kOut + 1}) {
    slots_[static_cast<std::size_t>(slot)] = {true, DType::F32};
  }
}

/// A loop whose count comes from data: an element of an input, or of a slot.
void VectorBlocks::read_data() {
  const Lane count = Lane::r(kLastScratch + 5);
  if (chance(c_.random, 50)) {
    const Lane src = input_at(2, 64);
    c_.code.scalar(make(Op::ldgm, {{"rd", count}, {"dtype", imm(DType::I32)}, {"src", src}}));
  } else {
    const int slot = slot_of(DType::I32);
    c_.code.drain_all();
    Inst read = make(Op::ldub, {{"rd", count}, {"dtype", imm(DType::I32)}, {"src", address(slot)}});
    read.drain = true;
    c_.code.scalar(read);
  }
  c_.code.scalar(make(Op::sand, {{"rd", count}, {"a", count}, {"b", imm(3)}}));
  c_.code.begin_loop(count);
  straight(3);
  c_.code.end_loop();
}

void VectorBlocks::put(Lane to, std::int64_t bytes) {
  const int slot = any_slot(true);
  c_.code.emit(make(Op::store, {{"dst", to}, {"src", address(slot)}, {"len", imm(bytes)}}),
               Pipe::MTE3, {first_ + slot}, {});
}

void VectorBlocks::get(Lane from, std::int64_t bytes) {
  const int slot = any_slot(false);
  const std::int64_t len = std::min(bytes, slot_);
  c_.code.emit(make(Op::load, {{"dst", address(slot)}, {"src", from}, {"len", imm(len)}}),
               Pipe::MTE2, {}, {first_ + slot});
  slots_[static_cast<std::size_t>(slot)] = {true, DType::F32};
}

}  // namespace dvmsim::testing
