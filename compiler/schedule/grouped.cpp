#include "compiler/schedule/grouped.h"

#include <algorithm>

#include "compiler/schedule/matmul_legal.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

/// Source: DVM: the order of visit of its grouped products, whose tiles come from a cost tiler.
constexpr std::int64_t kDiagonal = 8;

MatmulSchedule by_dvm(const GroupedSpec& spec, const Machine& machine, Tiling rule) {
  MatmulSchedule schedule =
      choose_dvm(spec.product, machine, rule == Tiling::Dvm ? rule : Tiling::DvmV1);
  schedule.swizzle = isa::Swizzle::DiagonalZ;
  schedule.width = kDiagonal;
  return schedule;
}

MatmulSchedule by_cost(const GroupedSpec& spec, const Machine& machine) {
  const MatmulSpec equal = equal_groups(spec);
  MatmulSchedule schedule = choose_cost(equal, machine);
  // A group may be longer than its share, and then its blocks are whole.
  schedule.tile_k = std::min(schedule.tile_k, round_up(equal.k, k_unit(machine, equal.in)));
  return schedule;
}

}  // namespace

MatmulSpec equal_groups(const GroupedSpec& spec) {
  MatmulSpec equal = spec.product;
  const std::int64_t item = size_of(equal.in);
  equal.batch1 = spec.groups;
  if (spec.axis == isa::GroupAxis::M) {
    equal.m = std::max<std::int64_t>(1, ceil_div(equal.m, spec.groups));
    equal.a_batch1 = equal.m * (equal.trans_a ? item : equal.a_stride);
    equal.b_batch1 = spec.stride;
    equal.c_batch1 = equal.m * equal.c_stride;
  } else {
    equal.k = std::max<std::int64_t>(1, ceil_div(equal.k, spec.groups));
    equal.a_batch1 = equal.k * (equal.trans_a ? equal.a_stride : item);
    equal.b_batch1 = equal.k * (equal.trans_b ? item : equal.b_stride);
    equal.c_batch1 = spec.stride;
  }
  return equal;
}

std::int64_t most_tiles(const GroupedSpec& spec, const MatmulSchedule& schedule) {
  const std::int64_t columns = tiles_n(spec.product, schedule), m = spec.product.m;
  const std::int64_t rows = ceil_div(m, schedule.tile_m);
  // Every group, and what is behind them, may end within a tile.
  const std::int64_t all =
      spec.axis == isa::GroupAxis::M ? std::min(m, rows + spec.groups) : rows * spec.groups;
  return all * columns;
}

MatmulSchedule choose_grouped(const GroupedSpec& spec, const Machine& machine, Tiling rule,
                              int cores) {
  MatmulSchedule schedule =
      rule == Tiling::Cost ? by_cost(spec, machine) : by_dvm(spec, machine, rule);
  schedule.loop &= ~isa::kContiguous;  // tiles go round the cores
  schedule.cores = static_cast<int>(std::min<std::int64_t>(most_tiles(spec, schedule), cores));
  return schedule;
}

}  // namespace dvmsim
