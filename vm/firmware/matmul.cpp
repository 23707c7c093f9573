#include "vm/firmware/matmul.h"

#include <algorithm>
#include <utility>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::MatmulArguments;
using isa::Op;

// Flag ids, each pair of pipes apart; a second id belongs to the second half.
constexpr int kAFull = 0, kBFull = 2;  // mte2 -> mte1
constexpr int kAFree = 0, kBFree = 2;  // mte1 -> mte2
constexpr int kL0Full = 0;             // mte1 -> cube
// cube -> mte1
constexpr int kL0Free = 0, kBiasFree = 2, kBlockDone = 3;
constexpr int kTileDone = 0;  // cube -> fix
constexpr int kTileFree = 0;  // fix -> cube

constexpr std::int64_t kFractalRows = 16, kFractalRow = 32, kAlign = 256;

/// Bytes of a matrix in L1: blocks of 16 rows of 32 bytes.
std::int64_t nz_bytes(std::int64_t rows, std::int64_t columns, std::int64_t item) {
  return round_up(rows, kFractalRows) * round_up(columns * item, kFractalRow);
}

std::int64_t bias_item(const MatmulArguments& args) {
  return size_of(static_cast<DType>(args.bias_type));
}

struct Layout {
  std::int64_t block_k = 0, part = 0, b_offset = 0, bias_offset = 0, half_bytes = 0;
};

/// Half of L1 holds A, then B (256 B aligned), then the bias. A part along k fills half of L0A or
/// L0B at the tile's larger side: 16384 / max(m, n) elements of 2 bytes on a 64 KB L0 (DVM's rule).
Layout layout_of(const Machine& machine, const MatmulArguments& args, DType type) {
  const std::int64_t item = size_of(type);
  Layout layout;
  layout.block_k = std::min(args.tile_k, round_up(args.k, kFractalRows));
  const std::int64_t a = args.trans_a != 0 ? nz_bytes(layout.block_k, args.tile_m, item)
                                           : nz_bytes(args.tile_m, layout.block_k, item);
  const std::int64_t b = (args.trans_b & isa::kTransposed) != 0
                             ? nz_bytes(args.tile_n, layout.block_k, item)
                             : nz_bytes(layout.block_k, args.tile_n, item);
  layout.b_offset = round_up(a, kAlign);
  layout.bias_offset = layout.b_offset + round_up(b, kAlign);
  layout.half_bytes = layout.bias_offset + (args.bias != 0 ? args.tile_n * bias_item(args) : 0);
  const std::int64_t step = std::max(kFractalRows, kFractalRow / item);
  const std::int64_t of_a = machine.l0a.size.count() / 2 / (round_up(args.tile_m, step) * item);
  const std::int64_t of_b = machine.l0b.size.count() / 2 / (round_up(args.tile_n, step) * item);
  layout.part = std::min(std::min(of_a, of_b) / step * step, round_up(layout.block_k, step));
  if ((args.loop & isa::kEvenParts) != 0 && layout.part > 0) {
    const std::int64_t parts = ceil_div(layout.block_k, layout.part);
    layout.part = round_up(ceil_div(layout.block_k, parts), step);
  }
  return layout;
}

}  // namespace

namespace {

/// Why B cannot come through slots.
std::string slots_problem(const Machine& machine, const MatmulArguments& args) {
  if (args.trans_a != 0 && args.trans_a != isa::kTransposed) return "no such layout of A";
  if (args.trans_b < 0 || args.trans_b >= 2 * isa::kFromSlots) return "no such layout of B";
  if ((args.trans_b & isa::kFromSlots) == 0) return {};
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "no vector cores of its group fill slots of B";
  }
  if (args.b_batch0 < 1 || args.b_batch0 > machine.xflag.max || args.b_batch1 < 1) {
    return "no such number or size of slots of B";
  }
  if ((args.loop & isa::kKeepOperands) != 0) return "operands in slots are not kept";
  return {};
}

}  // namespace

std::string MatmulMacro::problem(const Machine& machine, const MatmulArguments& args, DType type) {
  if (args.m < 1 || args.n < 1 || args.k < 1) return "a dimension is not positive";
  if (args.batch0 < 1 || args.batch1 < 1) return "a batch count is not positive";
  for (std::int64_t tile : {args.tile_m, args.tile_n, args.tile_k}) {
    if (tile < 16 || tile % 16 != 0) return "a tile is not a positive multiple of 16";
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  for (std::int64_t value :
       {args.a_stride, args.b_stride, args.c_stride, args.a_batch0, args.a_batch1, args.b_batch0,
        args.b_batch1, args.c_batch0, args.c_batch1, args.slot_bytes, args.slots}) {
    if (value > kMost || value < -kMost) return "an argument is larger than any memory";
  }
  const double elements = static_cast<double>(args.m) * static_cast<double>(args.n) *
                          static_cast<double>(args.batch0) * static_cast<double>(args.batch1);
  if (elements > 0x1p50 || args.k > kMost) return "the product is larger than any memory";
  if (args.tile_m > 1 << 16 || args.tile_n > 1 << 16 || args.tile_k > 1 << 16) {
    return "a tile is larger than any buffer";
  }
  if (args.swizzle < 0 || args.swizzle >= isa::kSwizzles || args.width < 1) {
    return "no such order of tiles";
  }
  if (args.loop < 0 || args.loop >= isa::kMatmulLoops) return "no such way through the tiles";
  if (args.slots > 0 && (args.loop & isa::kContiguous) != 0) {
    return "tiles in slots go round the cores";
  }
  if ((args.loop & isa::kUnitFlags) != 0 && !machine.cube.unit_flag) {
    return "the machine has no unit flags";
  }
  if (args.atomic < 0 || args.atomic > static_cast<std::int64_t>(isa::Atomic::Add)) {
    return "FixPipe can only store or add";
  }
  if (args.post < 0 || args.post > 1) return "no such operation after the product";
  if (args.out < 0 || args.out > static_cast<std::int64_t>(DType::F32) ||
      !contains(isa::kFixOutputs, static_cast<DType>(args.out))) {
    return "the result's type cannot be written";
  }
  if (args.bias_type < 0 || args.bias_type >= static_cast<std::int64_t>(kDTypes.size()) ||
      !contains(isa::kMovable, static_cast<DType>(args.bias_type))) {
    return "the bias's type cannot be read";
  }
  if (args.slots < 0) return "a negative number of slots";
  if (std::string why = slots_problem(machine, args); !why.empty()) return why;
  const Layout layout = layout_of(machine, args, type);
  if (layout.half_bytes > machine.l1.size.count() / 2) return "a block does not fit half of L1";
  if (layout.part < 1) return "a part does not fit half of L0A or L0B";
  if (args.tile_m * args.tile_n * 4 > machine.l0c.size.count()) return "a tile does not fit L0C";
  if (args.bias != 0 && args.tile_n * 4 > machine.bt.size.count()) {
    return "a tile's bias does not fit the bias table";
  }
  return {};
}

void MatmulMacro::start(const Machine& machine, const MatmulArguments& arguments, DType type,
                        int core, int cores, std::uint32_t pc) {
  args_ = arguments;
  args_.trans_b &= isa::kTransposed;
  b_slots_ = (arguments.trans_b & isa::kFromSlots) != 0 ? arguments.b_batch0 : 0;
  type_ = type;
  core_ = core;
  cores_ = cores;
  commands_.start(pc);
  item_ = size_of(type);
  out_item_ = size_of(static_cast<DType>(args_.out));
  const Layout layout = layout_of(machine, args_, type);
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
  const std::int64_t all = rows_ * columns_ * args_.batch0 * args_.batch1;
  const std::int64_t range = ceil_div(all, cores_);
  first_tile_ = has(isa::kContiguous) ? core_ * range : core_;
  tile_step_ = has(isa::kContiguous) ? 1 : cores_;
  tiles_ = std::max<std::int64_t>(0, ceil_div(all - first_tile_, tile_step_));
  if (has(isa::kContiguous)) tiles_ = std::min(tiles_, range);
  blocks_per_tile_ = ceil_div(args_.k, block_k_);
  blocks_ = tiles_ * blocks_per_tile_;
  l0_used_ = {};
  active_ = blocks_ > 0;
  if (!active_) return;
  next_block_ = first_block();
  for (std::int64_t slot = 0; slot < std::min(b_slots_, blocks_); ++slot) {
    commands_.offer_block(0);
  }
  load(next_block_);
}

const Command* MatmulMacro::next() {
  if (commands_.spent()) {
    if (next_block_.number == blocks_) {
      active_ = false;
      return nullptr;
    }
    const Block block = next_block_;
    next_block_ = block_after(block);
    if (next_block_.number < blocks_) load(next_block_);
    multiply(block);
    if (closes(block)) write(block.tile);
  }
  return commands_.take();
}

MatmulMacro::Tile MatmulMacro::tile_at(std::int64_t number) const {
  const std::int64_t grid = rows_ * columns_;
  const std::int64_t index = first_tile_ + number * tile_step_, batch = index / grid;
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
  return tile;
}

MatmulMacro::Block MatmulMacro::first_block() const {
  Block block;
  block.tile = tile_at(0);
  cut(block);
  return block;
}

/// After the last block only the number means anything.
MatmulMacro::Block MatmulMacro::block_after(const Block& block) const {
  Block after = block;
  ++after.number;
  if (++after.place == blocks_per_tile_) {
    after.place = 0;
    after.tile = tile_at(block.tile.number + 1);
  }
  cut(after);
  return after;
}

void MatmulMacro::cut(Block& block) const {
  const std::int64_t shift = has(isa::kShuffleK) ? core_ : 0;
  block.k0 = (block.place + shift) % blocks_per_tile_ * block_k_;
  block.k = std::min(block_k_, args_.k - block.k0);
  block.parts = ceil_div(block.k, part_);
  if (block.tile.number < 2) return;
  const Tile before = tile_at(block.tile.number - 2);
  block.loads_a = !keeps(before, block.tile, true);
  block.loads_b = !keeps(before, block.tile, false);
}

/// Two tiles of one block each that go to the same half of L1, one after the other.
bool MatmulMacro::keeps(const Tile& before, const Tile& after, bool of_a) const {
  if (blocks_per_tile_ > 1 || !has(isa::kKeepOperands)) return false;
  return of_a ? before.a == after.a && before.m0 == after.m0
              : before.b == after.b && before.n0 == after.n0;
}

bool MatmulMacro::loads_again(const Block& block, bool of_a) const {
  if (block.number + 2 >= blocks_) return false;
  if (blocks_per_tile_ > 1 || !has(isa::kKeepOperands)) return true;
  return !keeps(block.tile, tile_at(block.tile.number + 2), of_a);
}

/// Parts restart in the first half of L0 with every block; only the last block along k is shorter.
bool MatmulMacro::second_half_used_after(const Block& block) const {
  const bool full = std::min(block_k_, args_.k) > part_;
  const std::int64_t left = blocks_per_tile_ - 1 - block.place;
  if (block.tile.number + 1 < tiles_ || left > 1) return full;
  if (left == 0) return false;
  const std::int64_t next = (block.k0 / block_k_ + 1) % blocks_per_tile_;
  return std::min(block_k_, args_.k - next * block_k_) > part_;
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
                       rows,
                       columns,
                       round_up(rows, kFractalRows),
                       stride};
    return command;
  };
  const bool again = block.number >= 2;
  if (block.loads_a) {
    Command& a = matrix(args_.trans_a != 0, tile.a, args_.a_stride, half, tile.m0, block.k0, tile.m,
                        block.k);
    if (again) wait(a, Pipe::MTE1, kAFree + block.half());
    set(a, Pipe::MTE1, kAFull + block.half());
  }
  if (!block.loads_b) return;
  // The bias lies behind B: it is loaded, kept and freed with it.
  const bool with_bias = args_.bias != 0 && block.opens();
  if (with_bias) load_bias(block);
  const bool in_slot = b_slots_ > 0;
  if (in_slot) commands_.await_block(tile.number);
  const std::int64_t slot = core_ * b_slots_ + (in_slot ? block.number % b_slots_ : 0);
  const std::int64_t from =
      in_slot ? static_cast<std::int64_t>(args_.b) + slot * args_.b_batch1 : tile.b;
  Command& b = matrix(args_.trans_b != 0, from, args_.b_stride, half + b_offset_,
                      in_slot ? 0 : block.k0, in_slot ? 0 : tile.n0, block.k, tile.n);
  if (again && !with_bias) wait(b, Pipe::MTE1, kBFree + block.half());
  set(b, Pipe::MTE1, kBFull + block.half());
  if (in_slot && block.number + b_slots_ < blocks_) commands_.offer_block(tile.number);
}

void MatmulMacro::load_bias(const Block& block) {
  Command& bias = commands_.emit(Op::loadl1, Pipe::MTE2, block.tile.number);
  bias.operand = {block.half() * half_l1_ + bias_offset_,
                  static_cast<std::int64_t>(args_.bias) + block.tile.n0 * bias_item(args_),
                  block.tile.n * bias_item(args_)};
  if (block.number >= 2) wait(bias, Pipe::MTE1, kBFree + block.half());
}

void MatmulMacro::multiply(const Block& block) {
  if (args_.bias != 0 && block.opens()) {
    Command& bias = commands_.emit(Op::ldbt, Pipe::MTE1, block.tile.number);
    bias.operand = {args_.bias_type, 0, block.half() * half_l1_ + bias_offset_, block.tile.n};
    if (block.loads_b) wait(bias, Pipe::MTE2, kBFull + block.half());
    if (block.tile.number > 0) wait(bias, Pipe::Cube, kBiasFree);
  }
  for (std::int64_t part = 0; part < block.parts; ++part) {
    move_part(block, part);
    multiply_part(block, part);
    l0_used_[static_cast<std::size_t>(part % 2)] = true;
  }
  if (has(isa::kDrainBlocks)) l0_used_ = {};
}

void MatmulMacro::move_part(const Block& block, std::int64_t part) {
  const Tile& tile = block.tile;
  const std::int64_t half = block.half() * half_l1_, k0 = part * part_;
  const std::int64_t k = std::min(part_, block.k - k0);
  const int side = static_cast<int>(part % 2);
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
  const bool waited_for_bias = args_.bias != 0 && block.opens();
  if (first && block.loads_b && !waited_for_bias) wait(b, Pipe::MTE2, kBFull + block.half());
  set(b, Pipe::Cube, kL0Full + side);
  if (last && loads_again(block, false)) set(b, Pipe::MTE2, kBFree + block.half());
}

void MatmulMacro::multiply_part(const Block& block, std::int64_t part) {
  const Tile& tile = block.tile;
  const std::int64_t k = std::min(part_, block.k - part * part_);
  const int side = static_cast<int>(part % 2);
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool last = part + 1 == block.parts;
  const bool opens = block.opens() && part == 0, closes_tile = closes(block) && last;
  const isa::Init init = !opens            ? isa::Init::Accumulate
                         : args_.bias != 0 ? isa::Init::Bias
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
  const bool by_blocks = has(isa::kDrainBlocks), more = block.number + 1 < blocks_;
  const bool side_used_again =
      part + 2 < block.parts || (!by_blocks && (side == 0 ? more : second_half_used_after(block)));
  if (side_used_again) set(product, Pipe::MTE1, kL0Free + side);
  if (closes_tile) set(product, Pipe::Fix, kTileDone + place);
  // Flags of the pipe, behind the product if it has no room for them.
  if (by_blocks && last && more) tell(product, Pipe::MTE1, kBlockDone, tile);
  if (opens && args_.bias != 0 && tile.number + 1 < tiles_) {
    tell(commands_.last(), Pipe::MTE1, kBiasFree, tile);
  }
}

void MatmulMacro::tell(Command& product, Pipe pipe, int id, const Tile& tile) {
  if (product.op == Op::mmad && product.sets < 2) return set(product, pipe, id);
  Command& told = commands_.emit(Op::set, Pipe::Cube, tile.number);
  told.operand = {static_cast<std::int64_t>(Pipe::Cube), static_cast<std::int64_t>(pipe), id};
  set(told, pipe, id);
}

void MatmulMacro::write(const Tile& tile) {
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool in_slots = args_.slots > 0;
  if (in_slots && tile.number >= args_.slots) commands_.await_slot(tile.number);
  const std::int64_t slot = core_ * args_.slots + (in_slots ? tile.number % args_.slots : 0);
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
  if (tile.number + accumulators_ < tiles_) set(out, Pipe::Cube, kTileFree + place);
  if (!in_slots) return;
  commands_.fill_slot(tile.number);
  if (tile.number + 1 < tiles_) return;
  for (std::int64_t open = std::min(tiles_, args_.slots); open > 0; --open) {
    commands_.await_slot(tile.number);
  }
}

}  // namespace dvmsim
