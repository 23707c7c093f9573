#include "compiler/codegen/tiles.h"

#include <algorithm>
#include <numeric>

namespace dvmsim {

namespace {

using isa::Op;

/// Row and column of tile `index` of one batch, in the order of the schedule.
struct Place {
  Val row{}, column{};
};

/// Groups of `width` columns; inside a group rows one after another, backwards in odd groups.
Place place_in_groups(Builder& code, Val index, std::int64_t rows, std::int64_t columns,
                      std::int64_t width) {
  if (rows == 1) return {0, index};
  if (width >= columns) {
    return {code.compute(Op::sdiv, index, columns), code.compute(Op::smod, index, columns)};
  }
  const Val group = code.compute(Op::sdiv, index, width * rows);
  const Val inside = code.compute(Op::smod, index, width * rows);
  const Val first = code.compute(Op::smul, group, width);
  const Val here = columns % width == 0
                       ? Val(width)
                       : code.compute(Op::smin, code.compute(Op::ssub, columns, first), width);
  const Val forward = code.compute(Op::sdiv, inside, here);
  const Val backward = code.compute(Op::ssub, rows - 1, forward);
  const Val odd = code.compute(Op::sand, group, 1);
  const Val turn = code.compute(Op::smul, odd, code.compute(Op::ssub, backward, forward));
  return {code.compute(Op::sadd, forward, turn),
          code.compute(Op::sadd, first, code.compute(Op::smod, inside, here))};
}

/// Squares of width x width tiles, smaller at the edges; inside a square along its diagonals.
Place place_on_diagonals(Builder& code, Val index, std::int64_t rows, std::int64_t columns,
                         std::int64_t width) {
  const std::int64_t low = rows % width, slim = columns % width;  // of the last squares
  const Val above = code.compute(Op::sdiv, index, width * columns);
  const Val first_row = code.compute(Op::smul, above, width);
  Val high = width, broad = width;
  if (low != 0) high = code.compute(Op::smin, code.compute(Op::ssub, rows, first_row), width);
  const Val in_row = code.compute(Op::ssub, index, code.compute(Op::smul, first_row, columns));
  const Val square = code.compute(Op::smul, high, width);
  const Val first_column = code.compute(Op::smul, code.compute(Op::sdiv, in_row, square), width);
  if (slim != 0) {
    broad = code.compute(Op::smin, code.compute(Op::ssub, columns, first_column), width);
  }
  const Val inside = code.compute(Op::ssub, in_row, code.compute(Op::smul, first_column, high));
  // The least common multiple of the square's sides: one of at most four.
  const auto chosen = [&](Val side, Val one, std::int64_t other) {
    const Val differs = code.compute(Op::slt, side, width);
    const Val by = code.compute(Op::ssub, other, one);
    return code.compute(Op::sadd, one, code.compute(Op::smul, differs, by));
  };
  Val cycle = width;
  if (low != 0) cycle = chosen(high, cycle, std::lcm(low, width));
  if (slim != 0) {
    Val at_edge = std::lcm(width, slim);
    if (low != 0) at_edge = chosen(high, at_edge, std::lcm(low, slim));
    const Val differs = code.compute(Op::slt, broad, width);
    const Val by = code.compute(Op::ssub, at_edge, cycle);
    cycle = code.compute(Op::sadd, cycle, code.compute(Op::smul, differs, by));
  }
  const Val shifted = code.compute(Op::sadd, inside, code.compute(Op::sdiv, inside, cycle));
  return {code.compute(Op::sadd, first_row, code.compute(Op::smod, inside, high)),
          code.compute(Op::sadd, first_column, code.compute(Op::smod, shifted, broad))};
}

/// How many of `tile` are left from `start`, at most a tile.
Val extent(Builder& code, std::int64_t whole, std::int64_t tile, Val start) {
  if (whole % tile == 0) return tile;
  if (whole < tile) return whole;
  return code.compute(Op::smin, code.compute(Op::ssub, whole, start), tile);
}

}  // namespace

Val constant(Builder& code, std::int64_t value) {
  if (value == static_cast<std::int32_t>(value)) return value;
  const Reg result = code.reg();
  code.assign(result, Op::mov, value >> 30, 0);
  code.assign(result, Op::sshl, result, 30);
  code.assign(result, Op::sor, result, value & 0x3fffffff);
  return result;
}

TileRegisters locate_tile(Builder& code, const MatmulSpec& spec, const MatmulSchedule& schedule,
                          Val number) {
  const std::int64_t rows = tiles_m(spec, schedule), columns = tiles_n(spec, schedule);
  TileRegisters tile{};
  Val index = number;
  if (spec.batch0 * spec.batch1 > 1) {
    const Val batch = code.compute(Op::sdiv, number, rows * columns);
    index = code.compute(Op::smod, number, rows * columns);
    tile.batch0 = code.compute(Op::sdiv, batch, spec.batch1);
    tile.batch1 = spec.batch0 > 1 ? code.compute(Op::smod, batch, spec.batch1) : batch;
    if (spec.batch0 == 1) tile.batch0 = 0;
  }
  using isa::Swizzle;
  const bool turned = schedule.swizzle == Swizzle::Nz || schedule.swizzle == Swizzle::DiagonalN;
  const bool groups = schedule.swizzle == Swizzle::Zn || schedule.swizzle == Swizzle::Nz;
  const auto find = groups ? place_in_groups : place_on_diagonals;
  Place place = turned ? find(code, index, columns, rows, schedule.width)
                       : find(code, index, rows, columns, schedule.width);
  if (turned) std::swap(place.row, place.column);
  tile.m0 = code.compute(Op::smul, place.row, schedule.tile_m);
  tile.n0 = code.compute(Op::smul, place.column, schedule.tile_n);
  tile.m = extent(code, spec.m, schedule.tile_m, tile.m0);
  tile.n = extent(code, spec.n, schedule.tile_n, tile.n0);
  return tile;
}

Val offset_by(Builder& code, Val base, Val count, std::int64_t stride) {
  return code.compute(Op::sadd, base, code.compute(Op::smul, count, constant(code, stride)));
}

Val batch_address(Builder& code, Val base, const TileRegisters& tile, std::int64_t stride0,
                  std::int64_t stride1) {
  const Val outer = stride0 == 0 ? base : offset_by(code, base, tile.batch0, stride0);
  return stride1 == 0 ? outer : offset_by(code, outer, tile.batch1, stride1);
}

Val tiles_of_core(Builder& code, std::int64_t tiles, Val core, Val cores) {
  const Val left = code.compute(Op::ssub, code.compute(Op::sadd, cores, tiles - 1), core);
  return code.compute(Op::sdiv, left, cores);
}

}  // namespace dvmsim
