#include "compiler/codegen/finisher.h"

#include <algorithm>
#include <utility>

#include "compiler/codegen/shared_product.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/vector_steps.h"
#include "compiler/schedule/matmul_shared.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

// Flags between the cores of a group, as the macro uses them.
constexpr int kSlotFull = 0, kSlotFree = 1;
constexpr std::size_t kRow = 2, kColumn = 3;  // dimensions of the kernel

}  // namespace

void Finisher::write(Program& program) {
  const std::size_t tensors = kernel_.inputs.size() - 1 + kernel_.outputs.size();
  int argument = static_cast<int>(program.arguments.size() - tensors);
  for (std::size_t i = 1; i < kernel_.inputs.size(); ++i) {
    inputs_.push_back({&kernel_.inputs[i], code_.reg(), argument++});
  }
  for (const KernelTensor& output : kernel_.outputs) {
    outputs_.push_back({&output, code_.reg(), argument++});
  }
  for (Reg* reg : {&number_, &slot_, &slots_, &from_, &row_, &left_, &offset_, &at_}) {
    *reg = code_.reg();
  }
  if (pieces_) shared();
  own_tiles();
  code_.link(program);
}

/// The rows of all tiles but these are the same in code that follows the cube core.
void Finisher::shared() {
  const int mark = code_.registers();
  const std::int64_t own = std::exchange(members_, pieces_->members);
  const std::int64_t cores = schedule_.cores * own;
  const SharedPart part = locate_shared(code_, product_, schedule_, members_, cores);
  in_pieces_ = true;
  count_ = part.pieces;
  locate(part.tile, part.first, part.rows);
  code_.assign(from_, Op::mov, part.from, 0);
  await_slot();
  rows();
  // The tiles that follow have their buffers elsewhere.
  for (const Pipe pipe : {Pipe::MTE2, Pipe::Vector, Pipe::MTE3}) {
    code_.add<Op::drain>({{"pipe", static_cast<int>(pipe)}});
  }
  in_pieces_ = false;
  members_ = own;
  code_.free_registers(mark);
}

/// All pieces of the rows, each as one long row, become the accumulators.
void Finisher::add_pieces() {
  const Val elements = code_.compute(Op::smul, height_, schedule_.tile_n);
  const std::int64_t apart = pieces_->rows.tile.rows * schedule_.tile_n * 4;
  code_.add<Op::load>({{"dst", pieces_->base},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, elements, 4)},
                       {"rows", count_},
                       {"dstride", apart},
                       {"sstride", mix_slots(schedule_).bytes}});
  code_.add<Op::vredy>({{"dtype", static_cast<int>(DType::F32)},
                        {"dst", buffer(kernel_.inputs[0].value)},
                        {"a", pieces_->base},
                        {"count", elements},
                        {"rows", count_},
                        {"astride", apart},
                        {"how", static_cast<int>(isa::Reduction::Sum)}});
}

/// The tiles of its cube core.
void Finisher::own_tiles() {
  const Reg group{isa::kGroupReg}, member{isa::kMemberReg};
  const Val cubes = code_.compute(Op::sdiv, Reg{isa::kCoreCountReg}, members_);
  const Val slots =
      offset_by(code_, code_.argument(2), group, kMixSlots * mix_slots(schedule_).bytes);
  code_.assign(slots_, Op::mov, slots, 0);
  code_.assign(number_, Op::mov, group, 0);
  code_.assign(slot_, Op::mov, 0, 0);
  const std::int64_t whole = tiles_of(product_, schedule_) - schedule_.shared;
  const Val count = tiles_of_core(code_, whole, group, cubes);
  if (rows_.unrolled == 1) turns_.emplace_back(code_, rows_.schedule);
  for (int i = 0; rows_.unrolled > 1 && i < rows_.unrolled; ++i) {
    turns_.emplace_back(rows_.schedule, i);
  }
  const std::size_t begin = code_.code().size();
  if (turns_.empty()) code_.begin_loop(count);
  const TileRegisters tile = locate_tile(code_, product_, schedule_, number_);
  const Val even = code_.compute(Op::sdiv, code_.compute(Op::sadd, tile.m, members_ - 1), members_);
  const Val first = code_.compute(Op::smin, code_.compute(Op::smul, even, member), tile.m);
  locate(tile, first, code_.compute(Op::smin, even, code_.compute(Op::ssub, tile.m, first)));
  code_.assign(from_, Op::sadd, slots_, slot_);
  add_offset(from_, first, schedule_.tile_n * 4);
  if (turns_.empty()) {
    await_slot();
    rows();
    free_slot();
  } else {
    rows_in_turn();
  }
  code_.assign(number_, Op::sadd, number_, cubes);
  code_.assign(slot_, Op::sxor, slot_, mix_slots(schedule_).bytes);
  if (turns_.empty()) {
    code_.end_loop();
    return;
  }
  std::vector<UbRange> ranges;
  for (const UbAddresses& turn : turns_) {
    ranges.insert(ranges.end(), turn.ranges().begin(), turn.ranges().end());
  }
  const BufferDepth depth = turns_.size() == 1 ? rows_.schedule.depth : BufferDepth{};
  add_loop(code_, begin, count, ranges, {depth.loads, depth.stores});
}

/// Its first row in the tile, and how many.
void Finisher::locate(const TileRegisters& tile, Val first, Val share) {
  share_ = share;
  columns_ = tile.n;
  place_streams(tile);
  code_.assign(row_, Op::sadd, first, tile.m0);
  code_.assign(left_, Op::mov, share_, 0);
}

void Finisher::await_slot() {
  code_.add<Op::xwait>({{"pipe", static_cast<int>(Pipe::MTE2)},
                        {"id", kSlotFull},
                        {"mode", static_cast<int>(isa::CrossMode::Group)}});
}

void Finisher::free_slot() {
  code_.add<Op::xset>({{"pipe", static_cast<int>(Pipe::MTE2)},
                       {"id", kSlotFree},
                       {"mode", static_cast<int>(isa::CrossMode::Group)}});
}

void Finisher::add_offset(Reg address, Val count, std::int64_t stride) {
  if (stride == 0 || count.is(0)) return;
  code_.assign(offset_, Op::smul, count, constant(code_, stride));
  code_.assign(address, Op::sadd, address, offset_);
}

/// Addresses of the tile's first column in each tensor; rows are added piece by piece.
void Finisher::place_streams(const TileRegisters& tile) {
  for (const auto* list : {&inputs_, &outputs_}) {
    for (const Stream& stream : *list) {
      const std::int64_t size = size_of(value(stream.tensor->value).dtype);
      const std::vector<std::int64_t>& stride = stream.tensor->stride;
      code_.add<Op::ldarg>({{"rd", stream.address}, {"index", stream.argument}});
      if (stream.tensor->offset != 0) {
        code_.assign(stream.address, Op::sadd, stream.address,
                     constant(code_, stream.tensor->offset * size));
      }
      add_offset(stream.address, tile.batch0, stride[0] * size);
      add_offset(stream.address, tile.batch1, stride[1] * size);
      add_offset(stream.address, tile.n0, stride[kColumn] * size);
    }
  }
}

/// Has every tile whole pieces?
bool Finisher::whole() const {
  return product_.m % schedule_.tile_m == 0 && schedule_.tile_m % members_ == 0 &&
         ceil_div(schedule_.tile_m, members_) % layout().tile.rows == 0;
}

/// The core's rows of the tile, in a loop.
void Finisher::rows() {
  const std::int64_t high = layout().tile.rows;
  const Val count = code_.compute(Op::sdiv, code_.compute(Op::sadd, share_, high - 1), high);
  const std::size_t begin = code_.code().size();
  height_ = whole() ? Val(high) : code_.compute(Op::smin, left_, high);
  if (in_pieces_) {
    add_pieces();
  } else {
    load_accumulators();
  }
  load_inputs();
  work();
  advance();
  std::vector<UbRange> ranges;
  if (in_pieces_) ranges.push_back({pieces_->base, pieces_->bytes});
  for (const UbBuffer& used : layout().buffers) {
    if (used.base >= 0) ranges.push_back({used.base, used.size});
  }
  add_loop(code_, begin, count, ranges);
}

/// The same without a loop. What does not come from the slot is loaded before it is full, and the
/// slot is free as soon as the last accumulators are there.
void Finisher::rows_in_turn() {
  const std::int64_t high = layout().tile.rows;
  for (const UbAddresses& turn : turns_) {
    const int mark = code_.registers();
    turn_ = &turn;
    height_ = high;
    if (!whole()) {
      height_ = code_.compute(Op::smin, left_, high);
      if (turns_.size() > 1) height_ = code_.compute(Op::smax, height_, 0);
    }
    load_inputs();
    if (&turn == &turns_.front()) await_slot();
    load_accumulators();
    if (&turn == &turns_.back()) free_slot();
    work();
    advance();
    code_.free_registers(mark);
  }
  turn_ = nullptr;
}

void Finisher::load_inputs() {
  for (const Stream& stream : inputs_) move(stream, true);
}

void Finisher::work() {
  if (turn_ != nullptr) {
    VectorSteps(code_, kernel_, layout(), *turn_, height_, columns_).emit();
  } else {
    VectorSteps(code_, kernel_, layout(), height_, columns_).emit();
  }
  for (const Stream& stream : outputs_) move(stream, false);
}

/// To the next piece.
void Finisher::advance() {
  const std::int64_t high = layout().tile.rows;
  code_.assign(from_, Op::sadd, from_, high * schedule_.tile_n * 4);
  code_.assign(row_, Op::sadd, row_, high);
  if (!whole()) code_.assign(left_, Op::ssub, left_, high);
}

void Finisher::load_accumulators() {
  const std::int64_t pitch = layout().pitch * 4;
  code_.add<Op::load>({{"dst", buffer(kernel_.inputs[0].value)},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, columns_, 4)},
                       {"rows", height_},
                       {"dstride", height_.is(1) ? 0 : pitch},
                       {"sstride", height_.is(1) ? 0 : schedule_.tile_n * 4}});
}

void Finisher::move(const Stream& stream, bool in) {
  const KernelValue& moved = value(stream.tensor->value);
  const std::int64_t size = size_of(moved.dtype);
  const std::int64_t gm = stream.tensor->stride[kRow] * size, ub = layout().pitch * size;
  code_.assign(at_, Op::mov, stream.address, 0);
  add_offset(at_, row_, gm);
  Val length = size, count = 1;
  if (moved.extent == Extent::Full) {
    length = code_.compute(Op::smul, columns_, size);
    count = height_;
  } else if (moved.extent == Extent::Row) {
    length = code_.compute(Op::smul, columns_, size);
  } else if (moved.extent == Extent::Column) {
    length = code_.compute(Op::smul, height_, size);
  }
  const bool one = count.is(1);
  const Val buffer_at = buffer(stream.tensor->value);
  code_.add(in ? Op::load : Op::store, {{"dst", in ? buffer_at : Val(at_)},
                                        {"src", in ? Val(at_) : buffer_at},
                                        {"len", length},
                                        {"rows", count},
                                        {"dstride", one  ? 0
                                                    : in ? ub
                                                         : gm},
                                        {"sstride", one  ? 0
                                                    : in ? gm
                                                         : ub}});
}

}  // namespace dvmsim
