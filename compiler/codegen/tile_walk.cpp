#include "compiler/codegen/tile_walk.h"

#include <algorithm>

#include "vm/base/rounding.h"

namespace dvmsim {

using isa::Op;

TileWalk::TileWalk(Builder& builder, std::span<const std::int64_t> dims,
                   std::span<const std::int64_t> tile)
    : TileWalk(builder, dims, tile, Reg{isa::kCoreIndexReg}, Reg{isa::kCoreCountReg}) {}

TileWalk::TileWalk(Builder& builder, std::span<const std::int64_t> dims,
                   std::span<const std::int64_t> tile, Val core, Val cores)
    : builder_(builder), dims_(dims.begin(), dims.end()), tile_(tile.begin(), tile.end()) {
  std::int64_t total = 1;
  for (std::size_t i = 0; i < dims_.size(); ++i) total *= ceil_div(dims_[i], tile_[i]);
  // share = ceil(total / cores); this core takes [core * share, min(that + share, total)).
  const Val rounded = builder.compute(Op::sadd, cores, total - 1);
  const Val share = builder.compute(Op::sdiv, rounded, cores);
  current_ = builder.reg();
  if (share.is(1)) {
    builder.assign(current_, Op::mov, core, 0);
  } else {
    builder.assign(current_, Op::smul, core, share);
  }
  const bool known = !share.lane.is_register;
  if (known && share.value() * cores.value() == total) {
    count_ = share;
    return;
  }
  const Val left = builder.compute(Op::ssub, total, current_);
  count_ = builder.compute(Op::smin, left, share);
  // Without tiles for the last walker, fewer than none are left.
  const bool all_walk = known && share.value() * (cores.value() - 1) < total;
  if (!all_walk) count_ = builder.compute(Op::smax, count_, 0);
}

TilePosition TileWalk::position(bool in_tiles) {
  TilePosition position;
  position.index.resize(dims_.size());
  position.extent.resize(dims_.size());
  if (in_tiles) position.unit = tile_;
  Val rest = current_;
  // The innermost dimension varies fastest.
  ByDim<std::size_t> walked;
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    if (ceil_div(dims_[i], tile_[i]) > 1) walked.push_back(i);
  }
  for (std::size_t i = 0; i < dims_.size(); ++i) {
    position.index[i] = 0;
    position.extent[i] = std::min(dims_[i], tile_[i]);
  }
  for (auto it = walked.rbegin(); it != walked.rend(); ++it) {
    const std::size_t i = *it;
    const std::int64_t tiles = ceil_div(dims_[i], tile_[i]);
    const bool last = std::next(it) == walked.rend();
    const Val tile = last ? rest : builder_.compute(Op::smod, rest, tiles);
    if (!last) rest = builder_.compute(Op::sdiv, rest, tiles);
    const bool edge = dims_[i] % tile_[i] != 0;
    const Val first = edge || !in_tiles ? builder_.compute(Op::smul, tile, tile_[i]) : tile;
    position.index[i] = in_tiles ? tile : first;
    if (edge) {
      const Val left = builder_.compute(Op::ssub, dims_[i], first);
      position.extent[i] = builder_.compute(Op::smin, left, tile_[i]);
    }
  }
  return position;
}

void TileWalk::end() {
  builder_.assign(current_, Op::sadd, current_, 1);
}

Val address(Builder& builder, Val base, const TilePosition& position,
            std::span<const std::int64_t> stride, std::int64_t size) {
  Val sum = base;
  int total = -1;  // one register for all partial sums
  for (std::size_t i = 0; i < stride.size(); ++i) {
    if (stride[i] == 0 || position.index[i].is(0)) continue;
    const std::int64_t unit = position.unit.empty() ? 1 : position.unit[i];
    const std::int64_t step = stride[i] * size * unit;
    if (sum.is(0) && step == 1) {
      sum = position.index[i];
      continue;
    }
    if (total < 0) total = builder.reg().number;
    const int mark = builder.registers();
    if (sum.is(0)) {
      builder.assign(Reg{total}, Op::smul, position.index[i], step);
    } else {
      builder.assign(Reg{total}, Op::sadd, sum, builder.compute(Op::smul, position.index[i], step));
    }
    builder.free_registers(mark);
    sum = Reg{total};
  }
  return sum;
}

}  // namespace dvmsim
