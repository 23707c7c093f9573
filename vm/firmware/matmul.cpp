#include "vm/firmware/matmul.h"

#include <algorithm>
#include <utility>

#include "vm/base/rounding.h"
#include "vm/firmware/matmul_layout.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;

// Flag ids, each pair of pipes apart; a second id belongs to the second half.
constexpr int kAFull = 0, kBFull = 2;  // mte2 -> mte1
constexpr int kAFree = 0, kBFree = 2;  // mte1 -> mte2
constexpr int kL0Full = 0;             // mte1 -> cube
// cube -> mte1
constexpr int kL0Free = 0, kBiasFree = 2, kBlockDone = 3;
constexpr int kTileDone = 0;    // cube -> fix
constexpr int kTileFree = 0;    // fix -> cube
constexpr int kPiecesDone = 2;  // between cube cores; 0 and 1 are those of slots

}  // namespace

void MatmulMacro::start(const Machine& machine, const isa::MatmulArguments& arguments,
                        std::span<const std::uint64_t> more, DType type, int core, int cores,
                        std::uint32_t pc) {
  set_up(machine, arguments, type, core, cores, pc);
  share(more);
  const std::int64_t all = first_shared_;
  const std::int64_t range = ceil_div(all, cores_);
  first_tile_ = has(isa::kContiguous) ? core_ * range : core_;
  tile_step_ = has(isa::kContiguous) ? 1 : cores_;
  tiles_ = std::max<std::int64_t>(0, ceil_div(all - first_tile_, tile_step_));
  if (has(isa::kContiguous)) tiles_ = std::min(tiles_, range);
  tiles_ += pieces_;
  if (pieces_ == 0 && has(isa::kShared)) all_pieces_are_there(0);
  active_ = tiles_ > 0 || !commands_.spent();
  if (tiles_ > 0) begin();
}

void MatmulMacro::start(const Machine& machine, const isa::GroupedArguments& arguments, DType type,
                        int core, int cores, std::uint32_t pc) {
  set_up(machine, arguments.product, type, core, cores, pc);
  grouped_ = arguments;
  walk_.emplace(grouped_, core, cores, pc);
  active_ = true;
}

void MatmulMacro::set_up(const Machine& machine, const isa::MatmulArguments& arguments, DType type,
                         int core, int cores, std::uint32_t pc) {
  args_ = arguments;
  args_.trans_a &= isa::kTransposed;
  args_.trans_b &= isa::kTransposed;
  a_slots_ = (arguments.trans_a & isa::kFromSlots) != 0 ? arguments.a_batch0 : 0;
  b_slots_ = (arguments.trans_b & isa::kFromSlots) != 0 ? arguments.b_batch0 : 0;
  type_ = type;
  core_ = core;
  cores_ = cores;
  pc_ = pc;
  commands_.start(pc);
  item_ = size_of(type);
  out_item_ = size_of(static_cast<DType>(args_.out));
  const MatmulLayout layout = matmul_layout(machine, args_, type);
  block_k_ = layout.block_k;
  part_ = layout.part;
  b_offset_ = layout.b_offset;
  bias_offset_ = layout.bias_offset;
  half_l1_ = machine.l1.size.count() / 2;
  half_l0a_ = machine.l0a.size.count() / 2;
  half_l0b_ = machine.l0b.size.count() / 2;
  accumulator_bytes_ = args_.tile_m * args_.tile_n * 4;
  const bool two = 2 * accumulator_bytes_ <= machine.l0c.size.count();
  accumulators_ = two && !has(isa::kOneAccumulator) ? 2 : 1;
  rows_ = ceil_div(args_.m, args_.tile_m);
  columns_ = ceil_div(args_.n, args_.tile_n);
  blocks_per_tile_ = ceil_div(args_.k, block_k_);
  pieces_ = 0;
  zero_k_ = std::min(block_k_, std::max(kFractalRows, kFractalRow / item_));
  l0_used_ = {};
  walk_.reset();
  known_ = 0;
  has_block_ = begun_ = false;
  fault_.clear();
}

void MatmulMacro::begin() {
  next_block_ = first_block();
  has_block_ = begun_ = true;
  const std::int64_t blocks = tiles_ * blocks_per_tile_;
  for (auto left = std::min(a_slots_ + b_slots_, blocks); left > 0; --left)
    commands_.offer_block(0);
  load(next_block_);
}

/// Which tiles are shared, and which of their blocks are this core's.
void MatmulMacro::share(std::span<const std::uint64_t> more) {
  const std::int64_t all = rows_ * columns_ * args_.batch0 * args_.batch1;
  shared_ = {has(isa::kShared) ? static_cast<std::int64_t>(more[0]) : 0, blocks_per_tile_, cores_};
  first_shared_ = all - shared_.tiles;
  begin_ = end_ = 0;
  if (shared_.tiles == 0) return;
  partials_ = static_cast<std::int64_t>(more[1]);
  const std::int64_t units = shared_.tiles * blocks_per_tile_;
  begin_ = std::min(core_ * shared_.range(), units);
  end_ = std::min(begin_ + shared_.range(), units);
  if (begin_ < end_) pieces_ = ceil_div(end_, blocks_per_tile_) - begin_ / blocks_per_tile_;
}

const Command* MatmulMacro::read() {
  if (!walk_ || !commands_.spent()) return nullptr;
  const std::int64_t at_hand = begun_ ? next_block_.tile.number : 0;
  while (known_ <= at_hand + kAhead) {
    const GroupWalk::Found found = walk_->advance();
    if (found == GroupWalk::Found::Read) return &walk_->read();
    if (found == GroupWalk::Found::Fault) fault_ = walk_->fault();
    if (found != GroupWalk::Found::Tile) break;
    window_[static_cast<std::size_t>(known_ % kKept)] = tile_of(walk_->place(), known_);
    ++known_;
  }
  return nullptr;
}

const Command* MatmulMacro::next() {
  if (walk_ && !begun_ && known_ > 0) begin();
  if (commands_.spent()) {
    if (!has_block_) {
      active_ = false;
      return nullptr;
    }
    const Block block = next_block_;
    has_block_ = has_after(block, 1);
    if (has_block_) {
      next_block_ = block_after(block);
      load(next_block_);
    }
    multiply(block);
    if (closes(block)) block.tile.slot >= 0 ? write_piece(block.tile) : write(block.tile);
  }
  return commands_.take();
}

MatmulMacro::Tile MatmulMacro::tile_at(std::int64_t number) const {
  if (walk_) return window_[static_cast<std::size_t>(number % kKept)];
  const std::int64_t grid = rows_ * columns_;
  const bool is_piece = number < pieces_;
  const std::int64_t shared = begin_ / blocks_per_tile_ + number;
  const std::int64_t index =
      is_piece ? first_shared_ + shared : first_tile_ + (number - pieces_) * tile_step_;
  const std::int64_t batch = index / grid;
  const std::int64_t outer = batch / args_.batch1, inner = batch % args_.batch1;
  const isa::TilePlace place = isa::place_of(index % grid, rows_, columns_,
                                             static_cast<isa::Swizzle>(args_.swizzle), args_.width);
  Tile tile;
  tile.number = number;
  tile.m0 = place.row * args_.tile_m;
  tile.n0 = place.column * args_.tile_n;
  tile.m = std::min(args_.tile_m, args_.m - tile.m0);
  tile.n = std::min(args_.tile_n, args_.n - tile.n0);
  tile.a = static_cast<std::int64_t>(args_.a) + outer * args_.a_batch0 + inner * args_.a_batch1;
  tile.b = static_cast<std::int64_t>(args_.b) + outer * args_.b_batch0 + inner * args_.b_batch1;
  tile.c = static_cast<std::int64_t>(args_.c) + outer * args_.c_batch0 + inner * args_.c_batch1;
  tile.bias = static_cast<std::int64_t>(args_.bias);
  tile.k = args_.k;
  tile.blocks = blocks_per_tile_;
  if (!is_piece) return tile;
  const std::int64_t zero = shared * blocks_per_tile_;
  tile.first = std::max(begin_ - zero, std::int64_t{0});
  tile.blocks = std::min(end_ - zero, blocks_per_tile_) - tile.first;
  tile.slot = shared_.slot_of(shared, core_);
  return tile;
}

MatmulMacro::Tile MatmulMacro::tile_of(const GroupWalk::Place& group, std::int64_t number) const {
  const bool of_rows = grouped_.axis == static_cast<std::int64_t>(isa::GroupAxis::M);
  const isa::TilePlace place = isa::place_of(group.index, group.rows, columns_,
                                             static_cast<isa::Swizzle>(args_.swizzle), args_.width);
  Tile tile;
  tile.number = number;
  tile.m0 = place.row * args_.tile_m;
  tile.n0 = place.column * args_.tile_n;
  tile.m = std::min(args_.tile_m, (of_rows ? group.size : args_.m) - tile.m0);
  tile.n = std::min(args_.tile_n, args_.n - tile.n0);
  const bool along_a = of_rows == (args_.trans_a == 0), along_b = args_.trans_b == 0;
  tile.a = static_cast<std::int64_t>(args_.a) + group.begin * (along_a ? args_.a_stride : item_);
  tile.b =
      static_cast<std::int64_t>(args_.b) +
      (of_rows ? group.group * grouped_.stride : group.begin * (along_b ? args_.b_stride : item_));
  tile.c = static_cast<std::int64_t>(args_.c) +
           (of_rows ? group.begin * args_.c_stride : group.group * grouped_.stride);
  tile.k = of_rows ? args_.k : group.size;
  tile.zero = group.behind || tile.k == 0;
  if (tile.zero) {
    tile.k = zero_k_;
  } else if (args_.bias != 0) {
    tile.bias = static_cast<std::int64_t>(args_.bias) + group.group * grouped_.bias_stride;
  }
  tile.blocks = ceil_div(tile.k, block_k_);
  return tile;
}

MatmulMacro::Block MatmulMacro::first_block() const {
  Block block;
  block.tile = tile_at(0);
  cut(block);
  return block;
}

/// There is one.
MatmulMacro::Block MatmulMacro::block_after(const Block& block) const {
  Block after = block;
  ++after.number;
  if (walk_) after.parts_before = (block.parts_before + block.parts) % 2;
  if (++after.place == block.tile.blocks) {
    after.place = 0;
    after.tile = tile_at(block.tile.number + 1);
  }
  cut(after);
  return after;
}

void MatmulMacro::cut(Block& block) const {
  const Tile& tile = block.tile;
  const std::int64_t shift = has(isa::kShuffleK) ? core_ : 0;
  block.k0 = (tile.first + block.place + shift) % ceil_div(tile.k, block_k_) * block_k_;
  block.k = std::min(block_k_, tile.k - block.k0);
  block.parts = ceil_div(block.k, part_);
  if (tile.number < 2) return;
  const Tile before = tile_at(tile.number - 2);
  block.loads_a = !keeps(before, tile, true);
  block.loads_b = !keeps(before, tile, false);
}

bool MatmulMacro::has_after(const Block& block, std::int64_t blocks) const {
  std::int64_t left = block.tile.blocks - 1 - block.place;
  if (!walk_ && pieces_ == 0) {
    return left + (tiles_ - 1 - block.tile.number) * blocks_per_tile_ >= blocks;
  }
  for (std::int64_t next = block.tile.number + 1; left < blocks && exists(next); ++next) {
    left += tile_at(next).blocks;
  }
  return left >= blocks;
}

/// Two tiles of one block each that go to the same half of L1, one after the other.
bool MatmulMacro::keeps(const Tile& before, const Tile& after, bool of_a) const {
  if (!has(isa::kKeepOperands) || blocks_per_tile_ > 1) return false;
  if (walk_ && (grouped_.axis != static_cast<std::int64_t>(isa::GroupAxis::M) || before.zero ||
                after.zero)) {
    return false;  // the tile between may have another number of blocks, or these another k
  }
  return of_a ? before.a == after.a && before.m0 == after.m0
              : before.b == after.b && before.n0 == after.n0;
}

bool MatmulMacro::loads_again(const Block& block, bool of_a) const {
  if (!has_after(block, 2)) return false;
  if (blocks_per_tile_ > 1 || !has(isa::kKeepOperands)) return true;
  if (!exists(block.tile.number + 2)) return true;
  return !keeps(block.tile, tile_at(block.tile.number + 2), of_a);
}

/// Parts restart in the first half of L0 with every block; only the last block along k is shorter.
bool MatmulMacro::second_half_used_after(const Block& block) const {
  const bool full = std::min(block_k_, args_.k) > part_;
  const std::int64_t left = block.tile.blocks - 1 - block.place;
  if (exists(block.tile.number + 1) || left > 1) return full;
  if (left == 0) return false;
  const std::int64_t next = (block.k0 / block_k_ + 1) % blocks_per_tile_;
  return std::min(block_k_, args_.k - next * block_k_) > part_;
}

/// Does a later part go to the half of L0 that `part` is in, before it is taken as free?
bool MatmulMacro::side_used_again(const Block& block, std::int64_t part) const {
  if (part + 2 < block.parts) return true;
  if (has(isa::kDrainBlocks)) return false;
  if (!walk_) return part % 2 == 0 ? has_after(block, 1) : second_half_used_after(block);
  // In turn: the part after the next.
  if (!has_after(block, 1)) return false;
  return part + 2 < block.parts + block_after(block).parts || has_after(block, 2);
}

void MatmulMacro::load(const Block& block) {
  const Tile& tile = block.tile;
  const std::int64_t half = block.half() * half_l1_;
  const auto matrix = [&](bool turned, std::int64_t from, std::int64_t stride, std::int64_t to,
                          std::int64_t row, std::int64_t column, std::int64_t rows,
                          std::int64_t columns) -> Command& {
    if (turned) {
      std::swap(row, column);
      std::swap(rows, columns);
    }
    Command& command = commands_.emit(Op::loadnz, Pipe::MTE2, tile.number);
    command.operand = {static_cast<std::int64_t>(type_),
                       to,
                       from + row * stride + column * item_,
                       tile.zero ? 0 : rows,  // what is not read is zero
                       columns,
                       round_up(rows, kFractalRows),
                       stride};
    return command;
  };
  const bool again = block.number >= 2;
  // Slot of the block, if the operand comes through some; and the slot is free again.
  const auto taken = [&](std::int64_t slots) {
    if (slots > 0) commands_.await_block(tile.number);
    return slots > 0 ? core_ * slots + block.number % slots : 0;
  };
  const auto given_back = [&](std::int64_t slots) {
    if (slots > 0 && has_after(block, slots)) commands_.offer_block(tile.number);
  };
  if (block.loads_a) {
    const bool made = a_slots_ > 0;
    const std::int64_t slot = taken(a_slots_) * args_.a_batch1;
    const std::int64_t from = made ? static_cast<std::int64_t>(args_.a) + slot : tile.a;
    Command& a = matrix(args_.trans_a != 0, from, args_.a_stride, half, made ? 0 : tile.m0,
                        made ? 0 : block.k0, tile.m, block.k);
    if (again) wait(a, Pipe::MTE1, kAFree + block.half());
    set(a, Pipe::MTE1, kAFull + block.half());
    given_back(a_slots_);
  }
  if (!block.loads_b) return;
  // The bias lies behind B: it is loaded, kept and freed with it.
  const bool with_bias = adds_bias(block);
  if (with_bias) load_bias(block);
  const bool made = b_slots_ > 0;
  const std::int64_t slot = taken(b_slots_) * args_.b_batch1;
  const std::int64_t from = made ? static_cast<std::int64_t>(args_.b) + slot : tile.b;
  Command& b = matrix(args_.trans_b != 0, from, args_.b_stride, half + b_offset_,
                      made ? 0 : block.k0, made ? 0 : tile.n0, block.k, tile.n);
  if (again && !with_bias) wait(b, Pipe::MTE1, kBFree + block.half());
  set(b, Pipe::MTE1, kBFull + block.half());
  given_back(b_slots_);
}

void MatmulMacro::load_bias(const Block& block) {
  Command& bias = commands_.emit(Op::loadl1, Pipe::MTE2, block.tile.number);
  bias.operand = {block.half() * half_l1_ + bias_offset_,
                  block.tile.bias + block.tile.n0 * bias_item(args_),
                  block.tile.n * bias_item(args_)};
  if (block.number >= 2) wait(bias, Pipe::MTE1, kBFree + block.half());
}

void MatmulMacro::multiply(const Block& block) {
  if (adds_bias(block)) {
    Command& bias = commands_.emit(Op::ldbt, Pipe::MTE1, block.tile.number);
    bias.operand = {args_.bias_type, 0, block.half() * half_l1_ + bias_offset_, block.tile.n};
    if (block.loads_b) wait(bias, Pipe::MTE2, kBFull + block.half());
    if (block.tile.number > first_biased()) wait(bias, Pipe::Cube, kBiasFree);
  }
  for (std::int64_t part = 0; part < block.parts; ++part) {
    move_part(block, part);
    multiply_part(block, part);
    l0_used_[static_cast<std::size_t>((block.parts_before + part) % 2)] = true;
  }
  if (has(isa::kDrainBlocks)) l0_used_ = {};
}

void MatmulMacro::move_part(const Block& block, std::int64_t part) {
  const Tile& tile = block.tile;
  const std::int64_t half = block.half() * half_l1_, k0 = part * part_;
  const std::int64_t k = std::min(part_, block.k - k0);
  const int side = static_cast<int>((block.parts_before + part) % 2);
  const bool first = part == 0, last = part + 1 == block.parts;
  const bool drained = first && has(isa::kDrainBlocks) && block.number > 0;
  const std::int64_t type = static_cast<std::int64_t>(type_);
  Command& a = commands_.emit(Op::l0a, Pipe::MTE1, tile.number);
  a.operand = {type,
               side * half_l0a_,
               half,
               tile.m,
               k,
               round_up(args_.trans_a != 0 ? block.k : tile.m, kFractalRows),
               0,
               k0,
               args_.trans_a};
  if (first && block.loads_a) wait(a, Pipe::MTE2, kAFull + block.half());
  if (drained) wait(a, Pipe::Cube, kBlockDone);
  if (l0_used_[static_cast<std::size_t>(side)]) wait(a, Pipe::Cube, kL0Free + side);
  if (last && loads_again(block, true)) set(a, Pipe::MTE2, kAFree + block.half());
  Command& b = commands_.emit(Op::l0b, Pipe::MTE1, tile.number);
  b.operand = {type,
               side * half_l0b_,
               half + b_offset_,
               k,
               tile.n,
               round_up(args_.trans_b != 0 ? tile.n : block.k, kFractalRows),
               k0,
               0,
               args_.trans_b};
  const bool waited_for_bias = adds_bias(block);
  if (first && block.loads_b && !waited_for_bias) wait(b, Pipe::MTE2, kBFull + block.half());
  set(b, Pipe::Cube, kL0Full + side);
  if (last && loads_again(block, false)) set(b, Pipe::MTE2, kBFree + block.half());
}

void MatmulMacro::multiply_part(const Block& block, std::int64_t part) {
  const Tile& tile = block.tile;
  const std::int64_t k = std::min(part_, block.k - part * part_);
  const int side = static_cast<int>((block.parts_before + part) % 2);
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool last = part + 1 == block.parts;
  const bool opens = block.opens() && part == 0, closes_tile = closes(block) && last;
  const bool with_bias = opens && adds_bias(block);
  const isa::Init init = !opens      ? isa::Init::Accumulate
                         : with_bias ? isa::Init::Bias
                                     : isa::Init::Zero;
  Command& product = commands_.emit(Op::mmad, Pipe::Cube, tile.number);
  product.operand = {static_cast<std::int64_t>(type_),
                     place * accumulator_bytes_,
                     side * half_l0a_,
                     side * half_l0b_,
                     tile.m,
                     k,
                     tile.n,
                     static_cast<std::int64_t>(init),
                     0};
  const bool small = (tile.m + 15) / 16 * ((tile.n + 15) / 16) < isa::kSmallProduct;
  product.drain = has(isa::kDrainAll) || (small && has(isa::kDrainSmall));
  product.unit = has(isa::kUnitFlags) && (opens || closes_tile);
  wait(product, Pipe::MTE1, kL0Full + side);
  if (opens && tile.number >= accumulators_) wait(product, Pipe::Fix, kTileFree + place);
  if (side_used_again(block, part)) set(product, Pipe::MTE1, kL0Free + side);
  if (closes_tile) set(product, Pipe::Fix, kTileDone + place);
  // Flags of the pipe, behind the product if it has no room for them.
  if (has(isa::kDrainBlocks) && last && has_after(block, 1)) {
    tell(product, Pipe::MTE1, kBlockDone, tile);
  }
  if (with_bias && exists(tile.number + 1) && tile_at(tile.number + 1).bias != 0) {
    tell(commands_.last(), Pipe::MTE1, kBiasFree, tile);
  }
}

void MatmulMacro::tell(Command& product, Pipe pipe, int id, const Tile& tile) {
  if (product.op == Op::mmad && product.sets < 2) return set(product, pipe, id);
  Command& told = commands_.emit(Op::set, Pipe::Cube, tile.number);
  told.operand = {static_cast<std::int64_t>(Pipe::Cube), static_cast<std::int64_t>(pipe), id};
  set(told, pipe, id);
}

/// A piece goes to its slot, as it is. After the last one the vector cores are told, once every
/// core of the launch has come as far.
void MatmulMacro::write_piece(const Tile& tile) {
  const auto place = static_cast<int>(tile.number % accumulators_);
  const DType sums = type_ == DType::I8 ? DType::I32 : DType::F32;
  Command& out = commands_.emit(Op::fix, Pipe::Fix, tile.number);
  out.operand = {static_cast<std::int64_t>(sums),
                 partials_ + tile.slot * args_.slot_bytes,
                 place * accumulator_bytes_,
                 tile.m,
                 tile.n,
                 args_.tile_n * 4,
                 static_cast<std::int64_t>(isa::Post::None),
                 static_cast<std::int64_t>(isa::Atomic::None)};
  out.unit = has(isa::kUnitFlags);
  wait(out, Pipe::Cube, kTileDone + place);
  if (tile.number + accumulators_ < tiles_) set(out, Pipe::Cube, kTileFree + place);
  if (tile.number + 1 == pieces_) all_pieces_are_there(tile.number);
}

void MatmulMacro::all_pieces_are_there(std::int64_t tile) {
  for (const Op op : {Op::xset, Op::xwait}) {
    commands_.emit(op, Pipe::Fix, tile).operand = {static_cast<std::int64_t>(Pipe::Fix),
                                                   kPiecesDone,
                                                   static_cast<std::int64_t>(isa::CrossMode::All)};
  }
  commands_.fill_slot(tile);
}

void MatmulMacro::write(const Tile& tile) {
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool in_slots = args_.slots > 0;
  const std::int64_t number = tile.number - pieces_;  // of the whole ones
  if (in_slots && number >= args_.slots) commands_.await_slot(tile.number);
  const std::int64_t slot = core_ * args_.slots + (in_slots ? number % args_.slots : 0);
  Command& out = commands_.emit(Op::fix, Pipe::Fix, tile.number);
  const std::int64_t to = in_slots ? static_cast<std::int64_t>(args_.c) + slot * args_.slot_bytes
                                   : tile.c + tile.m0 * args_.c_stride + tile.n0 * out_item_;
  out.operand = {args_.out,
                 to,
                 place * accumulator_bytes_,
                 tile.m,
                 tile.n,
                 in_slots ? args_.tile_n * out_item_ : args_.c_stride,
                 args_.post,
                 in_slots ? static_cast<std::int64_t>(isa::Atomic::None) : args_.atomic};
  out.unit = has(isa::kUnitFlags);
  wait(out, Pipe::Cube, kTileDone + place);
  if (exists(tile.number + accumulators_)) set(out, Pipe::Cube, kTileFree + place);
  if (!in_slots) return;
  commands_.fill_slot(tile.number);
  if (tile.number + 1 < tiles_) return;
  for (std::int64_t open = std::min(tiles_ - pieces_, args_.slots); open > 0; --open) {
    commands_.await_slot(tile.number);
  }
}

}  // namespace dvmsim
