#include "vm/firmware/conv.h"

#include <algorithm>
#include <cstdlib>

#include "vm/base/rounding.h"
#include "vm/firmware/matmul.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::ConvArguments;
using isa::Op;

// Flag ids, each pair of pipes apart; a second id belongs to the second stage, half or tile. Every
// buffer's "free" is a token, given at the start and taken back at the end.
constexpr int kStageFull = 0, kKeyFull = 2;  // mte2 -> mte1
constexpr int kStageFree = 0, kKeyFree = 2;  // mte1 -> mte2
constexpr int kL0Full = 0;                   // mte1 -> cube
constexpr int kL0Free = 0, kBiasFree = 2;    // cube -> mte1
constexpr int kTileDone = 0, kTileFree = 0;  // cube <-> fix
constexpr int kScale = 0;                    // mte2 <-> fix

constexpr std::int64_t kFractalRows = 16;

}  // namespace

void ConvMacro::start(const Machine& machine, const ConvArguments& arguments, DType type, int core,
                      int cores, std::uint32_t pc) {
  *this = ConvMacro();
  args_ = arguments;
  layout_ = conv_layout(machine, args_, type);
  type_ = type;
  core_ = core;
  cores_ = cores;
  commands_.start(pc);
  item_ = size_of(type);
  out_item_ = size_of(static_cast<DType>(args_.out));
  half_l0a_ = machine.l0a.size.count() / 2;
  half_l0b_ = machine.l0b.size.count() / 2;
  accumulator_bytes_ = args_.tile_m * args_.tile_n * 4;
  accumulators_ = 2 * accumulator_bytes_ <= machine.l0c.size.count() ? 2 : 1;
  positions_ = args_.by_row != 0 ? args_.out_w : args_.out_h * args_.out_w;
  rows_ = ceil_div(positions_, args_.tile_m);
  columns_ = ceil_div(args_.outputs, args_.tile_n);
  const std::int64_t batches = args_.images * args_.groups * (args_.by_row != 0 ? args_.out_h : 1);
  const std::int64_t all = rows_ * columns_ * batches;
  tiles_ = core_ < all ? ceil_div(all - core_, cores_) : 0;
  blocks_ = tiles_ * ceil_div(args_.channels, args_.tile_c);
  active_ = blocks_ > 0;
  if (!active_) return;
  next_block_.tile = tile_at(0);
  cut(next_block_);
  tokens(true);
  load(next_block_);
}

const Command* ConvMacro::next() {
  if (commands_.spent()) {
    if (next_block_.number > blocks_) {
      active_ = false;
      return nullptr;
    }
    const Block block = next_block_;
    if (block.number == blocks_) {
      ++next_block_.number;
      tokens(false);
    } else {
      next_block_ = block_after(block);
      if (next_block_.number < blocks_) load(next_block_);
      multiply(block);
      if (block.channel + block.channels == args_.channels) write(block.tile);
    }
  }
  return commands_.take();
}

ConvMacro::Tile ConvMacro::tile_at(std::int64_t number) const {
  const std::int64_t grid = rows_ * columns_;
  const std::int64_t index = core_ + number * cores_;
  std::int64_t batch = index / grid;
  const isa::TilePlace place = isa::place_of(index % grid, rows_, columns_,
                                             static_cast<isa::Swizzle>(args_.swizzle), args_.width);
  Tile tile;
  tile.number = number;
  tile.first = place.row * args_.tile_m;
  tile.m = std::min(args_.tile_m, positions_ - tile.first);
  tile.n0 = place.column * args_.tile_n;
  tile.n = std::min(args_.tile_n, args_.outputs - tile.n0);
  if (args_.by_row != 0) {
    tile.first += batch % args_.out_h * args_.out_w;
    batch /= args_.out_h;
  }
  tile.group = batch % args_.groups;
  tile.image = batch / args_.groups;
  tile.key = tile.group * columns_ + place.column;
  place_map(tile);
  return tile;
}

void ConvMacro::place_map(Tile& tile) const {
  const std::int64_t last = tile.first + tile.m - 1;
  const std::int64_t from = tile.first / args_.out_w, to = last / args_.out_w;
  const ConvAxis::Range high = vertical_axis(args_).under(from, to);
  tile.y = high.begin;
  tile.h = high.count;
  tile.top = high.before;
  if (args_.by_row == 0) {
    tile.w = args_.in_w;
    tile.left = args_.pad_left;
    tile.m0 = tile.first - from * args_.out_w;
    tile.row = args_.out_w;
    return;
  }
  const std::int64_t begin = from * args_.out_w;
  const ConvAxis::Range wide = horizontal_axis(args_).under(tile.first - begin, last - begin);
  tile.x = wide.begin;
  tile.w = wide.count;
  tile.left = wide.before;
  tile.row = tile.m;
}

/// After the last block only the number means anything.
ConvMacro::Block ConvMacro::block_after(const Block& block) const {
  Block after = block;
  ++after.number;
  after.channel += block.channels;
  if (after.channel >= args_.channels) {
    after.channel = 0;
    after.tile = tile_at(block.tile.number + 1);
  }
  cut(after);
  return after;
}

void ConvMacro::cut(Block& block) const {
  block.channels = std::min(args_.tile_c, args_.channels - block.channel);
  block.columns = round_up(block.channels, layout_.c0) * layout_.taps;
}

bool ConvMacro::begins_key(const Tile& tile) const {
  return tile.number == 0 || tile_at(tile.number - 1).key != tile.key;
}
bool ConvMacro::ends_key(const Tile& tile) const {
  return tile.number + 1 == tiles_ || tile_at(tile.number + 1).key != tile.key;
}

/// Gives pipe `to` a token of `from`, or takes it back.
void ConvMacro::token(Pipe from, Pipe to, int id, bool give) {
  Command& command = commands_.emit(give ? Op::set : Op::wait, give ? from : to, last_tile_);
  command.operand = {static_cast<std::int64_t>(give ? from : to),
                     static_cast<std::int64_t>(give ? to : from), id};
  if (give) set(command, to, id);
  if (!give) wait(command, from, id);
}

void ConvMacro::tokens(bool give) {
  for (int i = 0; i < 2; ++i) {
    token(Pipe::MTE1, Pipe::MTE2, kStageFree + i, give);
    token(Pipe::Cube, Pipe::MTE1, kL0Free + i, give);
    if (i < accumulators_) token(Pipe::Fix, Pipe::Cube, kTileFree + i, give);
  }
  if (args_.resident != 0 || args_.bias != 0) token(Pipe::MTE1, Pipe::MTE2, kKeyFree, give);
  if (args_.bias != 0) token(Pipe::Cube, Pipe::MTE1, kBiasFree, give);
  if (args_.scale != 0) token(Pipe::Fix, Pipe::MTE2, kScale, give);
}

/// What depends on a tile's outputs alone.
void ConvMacro::load_key(const Tile& tile) {
  const std::int64_t output = tile.group * args_.outputs + tile.n0;
  const auto values = [&](std::int64_t to, std::uint64_t from) -> Command& {
    Command& command = commands_.emit(Op::loadl1, Pipe::MTE2, tile.number);
    command.operand = {to, static_cast<std::int64_t>(from) + output * 4, tile.n * 4};
    return command;
  };
  if (args_.scale != 0) {
    Command& scales = values(layout_.scale, args_.scale);
    wait(scales, Pipe::Fix, kScale);
    set(scales, Pipe::Fix, kScale);
  }
  if (args_.resident == 0 && args_.bias == 0) return;
  if (args_.bias != 0) {
    Command& bias = values(layout_.bias, args_.bias);
    wait(bias, Pipe::MTE1, kKeyFree);
    if (args_.resident == 0) return set(bias, Pipe::MTE1, kKeyFull);
  }
  Command& weights = commands_.emit(Op::loadnz, Pipe::MTE2, tile.number);
  const std::int64_t row = layout_.depth * item_;
  weights.operand = {static_cast<std::int64_t>(type_),
                     layout_.weights,
                     static_cast<std::int64_t>(args_.w) + output * row,
                     tile.n,
                     layout_.depth,
                     round_up(tile.n, kFractalRows),
                     row};
  if (args_.bias == 0) wait(weights, Pipe::MTE1, kKeyFree);
  set(weights, Pipe::MTE1, kKeyFull);
}

void ConvMacro::load(const Block& block) {
  const Tile& tile = block.tile;
  if (block.channel == 0 && begins_key(tile)) load_key(tile);
  const std::int64_t stage = block.stage() * layout_.stage_bytes;
  const std::int64_t line = args_.in_w * args_.x_pixel;
  Command& map = commands_.emit(Op::loadfm, Pipe::MTE2, tile.number);
  map.operand = {static_cast<std::int64_t>(type_),
                 stage,
                 static_cast<std::int64_t>(args_.x) + (tile.image * args_.in_h + tile.y) * line +
                     tile.x * args_.x_pixel + (tile.group * args_.channels + block.channel) * item_,
                 tile.w,
                 block.channels,
                 round_up(tile.h * tile.w, kFractalRows),
                 args_.x_pixel,
                 tile.h,
                 line};
  wait(map, Pipe::MTE1, kStageFree + block.stage());
  if (args_.resident != 0) return set(map, Pipe::MTE1, kStageFull + block.stage());
  Command& weights = commands_.emit(Op::loadnz, Pipe::MTE2, tile.number);
  const std::int64_t row = layout_.depth * item_;
  weights.operand = {static_cast<std::int64_t>(type_),
                     stage + layout_.map_bytes,
                     static_cast<std::int64_t>(args_.w) +
                         (tile.group * args_.outputs + tile.n0) * row +
                         block.channel * layout_.taps * item_,
                     tile.n,
                     block.columns,
                     round_up(tile.n, kFractalRows),
                     row};
  set(weights, Pipe::MTE1, kStageFull + block.stage());
}

void ConvMacro::multiply(const Block& block) {
  const Tile& tile = block.tile;
  const bool opens = block.channel == 0;
  const bool has_key = args_.resident != 0 || args_.bias != 0;
  if (opens && has_key && begins_key(tile)) token(Pipe::MTE2, Pipe::MTE1, kKeyFull, false);
  if (opens && args_.bias != 0 && begins_key(tile)) {
    Command& bias = commands_.emit(Op::ldbt, Pipe::MTE1, tile.number);
    const DType sums = type_ == DType::I8 ? DType::I32 : DType::F32;
    bias.operand = {static_cast<std::int64_t>(sums), 0, layout_.bias, tile.n};
    wait(bias, Pipe::Cube, kBiasFree);
  }
  for (std::int64_t at = 0; at < block.columns; at += layout_.part, ++parts_) {
    const int side = static_cast<int>(parts_ % 2);
    move_part(block, at, side);
    multiply_part(block, at, side);
  }
  last_tile_ = tile.number;
  if (block.channel + block.channels < args_.channels || !ends_key(tile)) return;
  if (has_key) token(Pipe::MTE1, Pipe::MTE2, kKeyFree, true);
  if (args_.bias != 0) token(Pipe::Cube, Pipe::MTE1, kBiasFree, true);
}

void ConvMacro::move_part(const Block& block, std::int64_t at, int side) {
  const Tile& tile = block.tile;
  const std::int64_t k = std::min(layout_.part, block.columns - at);
  const std::int64_t stage = block.stage() * layout_.stage_bytes;
  const auto type = static_cast<std::int64_t>(type_);
  Command& a = commands_.emit(Op::img2col, Pipe::MTE1, tile.number);
  a.operand = {type,        side * half_l0a_,
               stage,       tile.m,
               k,           round_up(tile.h * tile.w, kFractalRows),
               tile.m0,     at,
               tile.h,      tile.w,
               tile.row,    args_.kernel,
               args_.steps, tile.top,
               tile.left,   args_.fill};
  if (at == 0) wait(a, Pipe::MTE2, kStageFull + block.stage());
  wait(a, Pipe::Cube, kL0Free + side);
  Command& b = commands_.emit(Op::l0b, Pipe::MTE1, tile.number);
  const bool resident = args_.resident != 0;
  b.operand = {type,
               side * half_l0b_,
               resident ? layout_.weights : stage + layout_.map_bytes,
               k,
               tile.n,
               round_up(tile.n, kFractalRows),
               at + (resident ? block.channel * layout_.taps : 0),
               0,
               1};
  set(b, Pipe::Cube, kL0Full + side);
  if (at + k == block.columns) set(b, Pipe::MTE2, kStageFree + block.stage());
}

void ConvMacro::multiply_part(const Block& block, std::int64_t at, int side) {
  const Tile& tile = block.tile;
  const std::int64_t k = std::min(layout_.part, block.columns - at);
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool opens = block.channel == 0 && at == 0;
  const bool closes = block.channel + block.channels == args_.channels && at + k == block.columns;
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
  wait(product, Pipe::MTE1, kL0Full + side);
  if (opens) wait(product, Pipe::Fix, kTileFree + place);
  set(product, Pipe::MTE1, kL0Free + side);
  if (closes) set(product, Pipe::Fix, kTileDone + place);
}

void ConvMacro::write(const Tile& tile) {
  const auto place = static_cast<int>(tile.number % accumulators_);
  const bool in_slots = args_.slots > 0;
  if (in_slots && tile.number >= args_.slots) commands_.await_slot(tile.number);
  const bool new_scales = args_.scale != 0 && begins_key(tile);
  if (new_scales) {
    Command& scales = commands_.emit(Op::ldfb, Pipe::Fix, tile.number);
    scales.operand = {0, layout_.scale, tile.n};
    scales.drain = true;  // the tile before has been written with the old ones
    wait(scales, Pipe::MTE2, kScale);
    set(scales, Pipe::MTE2, kScale);
  }
  const std::int64_t slot = core_ * args_.slots + (in_slots ? tile.number % args_.slots : 0);
  const auto y = static_cast<std::int64_t>(args_.y);
  const std::int64_t position = tile.image * args_.out_h * args_.out_w + tile.first;
  const std::int64_t to =
      in_slots ? y + slot * args_.slot_bytes
               : y + position * args_.y_pixel + (tile.group * args_.outputs + tile.n0) * out_item_;
  const std::int64_t stride = in_slots ? args_.tile_n * out_item_ : args_.y_pixel;
  const std::int64_t from = place * accumulator_bytes_;
  Command& out = commands_.emit(args_.scale != 0 ? Op::fixq : Op::fix, Pipe::Fix, tile.number);
  if (args_.scale != 0) {
    const DType sums = type_ == DType::I8 ? DType::I32 : DType::F32;
    out.operand = {args_.out, to, from,       tile.m,       tile.n,
                   stride,    0,  args_.post, args_.offset, static_cast<std::int64_t>(sums)};
  } else {
    out.operand = {args_.out, to, from, tile.m, tile.n, stride, args_.post, 0};
  }
  out.drain = new_scales;
  wait(out, Pipe::Cube, kTileDone + place);
  set(out, Pipe::Cube, kTileFree + place);
  if (!in_slots) return;
  commands_.fill_slot(tile.number);
  if (tile.number + 1 < tiles_) return;
  for (std::int64_t open = std::min(tiles_, args_.slots); open > 0; --open) {
    commands_.await_slot(tile.number);
  }
}

}  // namespace dvmsim
