#include "vm/isa/footprint.h"

#include <algorithm>
#include <array>

#include "vm/base/error.h"
#include "vm/base/rounding.h"
#include "vm/isa/window.h"

namespace dvmsim::isa {
namespace {

constexpr std::int64_t kBlockRows = 16, kBlockRowBytes = 32;
constexpr std::int64_t kBlockBytes = kBlockRows * kBlockRowBytes;

/// A Measure with the name looked up: lane >= 0 says where its value stands.
struct Term {
  std::int64_t constant = 0;
  int lane = -1;
  bool is_type = false;

  [[nodiscard]] std::int64_t of(const Command& command) const {
    if (lane < 0) return constant;
    const std::int64_t value = command.at(lane);
    return is_type ? size_of(static_cast<DType>(value)) : value;
  }
};

/// One memory operand of a row, ready for numbers.
struct Plan {
  Shape shape = Shape::None;
  Space space = Space::GM;
  Access access = Access::None;
  int lane = 0;
  Term length{}, width{}, rows{}, stride{}, row0{}, column0{}, transpose{};
  std::array<Term, 4> nd_count{}, nd_stride{};
  int init = -1, atomic = -1;  // lanes that change what is touched
};

struct Plans {
  int count = 0;
  std::array<Plan, 4> plan{};
};

Term term_of(const Row& row, const Measure& measure) {
  if (measure.operand.empty()) return {measure.constant};
  const int lane = row.find(measure.operand);
  return {0, lane, row.operand[static_cast<std::size_t>(lane)].kind == OperandKind::Type};
}

Term named(const Row& row, std::string_view letter, char digit) {
  const std::array<char, 2> name = {letter[0], digit};
  return {0, row.find({name.data(), name.size()})};
}

Plan plan_of(const Row& row, int lane) {
  const Operand& operand = row.operand[static_cast<std::size_t>(lane)];
  const Footprint& f = operand.footprint;
  Plan plan{f.shape, operand.space, operand.access, lane};
  plan.length = term_of(row, f.length);
  plan.width = term_of(row, f.width);
  plan.init = row.find("init");
  plan.atomic = row.find("atomic");
  if (f.shape == Shape::Nd) {
    for (char i = 0; i < 4; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const auto digit = static_cast<char>('0' + i);
      plan.nd_count[at] = named(row, "n", digit);
      plan.nd_stride[at] = named(row, f.stride.operand, digit);
    }
    // The buffer's side has no innermost stride: elements lie packed.
    if (plan.nd_stride[0].lane < 0) plan.nd_stride[0] = plan.width;
    return plan;
  }
  plan.rows = term_of(row, f.rows);
  plan.stride = term_of(row, f.stride);
  plan.row0 = term_of(row, f.row0);
  plan.column0 = term_of(row, f.column0);
  plan.transpose = term_of(row, f.transpose);
  return plan;
}

const std::array<Plans, 256> kPlans = [] {
  std::array<Plans, 256> all{};
  for (const Row& row : rows()) {
    Plans& plans = all[static_cast<std::size_t>(row.op)];
    for (int i = 0; i < row.operands; ++i) {
      if (row.operand[static_cast<std::size_t>(i)].kind != OperandKind::Memory) continue;
      DVMSIM_ASSERT(plans.count < 4, "a row has at most four memory operands");
      plans.plan[static_cast<std::size_t>(plans.count++)] = plan_of(row, i);
    }
  }
  return all;
}();

/// rows x length bytes, stride apart; joined into one run if they touch, empty if nothing is there.
void set_rows(Region& region, std::int64_t length, std::int64_t count, std::int64_t stride) {
  if (length <= 0 || count <= 0) return;
  if (stride == 0) count = 1;
  if (stride == length) {
    length *= count;
    count = 1;
  }
  region.length = length;
  region.rows = count;
  region.stride = count == 1 ? 0 : stride;
}

/// Four dimensions, innermost first, folded into rows and two outer ones. A fourth that is not
/// contiguous with its neighbours is widened to the range it spans.
void set_nd(Region& region, const Plan& plan, const Command& command) {
  struct Dim {
    std::int64_t count = 1, stride = 0;
  };
  std::int64_t length = plan.width.of(command);
  std::array<Dim, 4> dims{};
  std::size_t used = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Dim dim{plan.nd_count[i].of(command), plan.nd_stride[i].of(command)};
    if (dim.count <= 0 || length <= 0) return;
    if (dim.count == 1 || dim.stride == 0) continue;
    if (used == 0 && dim.stride == length) {
      length *= dim.count;
    } else if (used == 0 && dim.stride == -length) {
      region.base += dim.stride * (dim.count - 1);
      length *= dim.count;
    } else {
      dims[used++] = dim;
    }
  }
  if (used == 4) {  // the innermost becomes the range it spans
    const std::int64_t span = dims[0].stride * (dims[0].count - 1);
    region.base += std::min<std::int64_t>(span, 0);
    length += std::max(span, -span);
    std::rotate(dims.begin(), dims.begin() + 1, dims.end());
    used = 3;
  }
  region.length = length;
  region.rows = used > 0 ? dims[0].count : 1;
  region.stride = used > 0 ? dims[0].stride : 0;
  for (std::size_t i = 1; i < used; ++i) {
    region.outer[i - 1] = dims[i].count;
    region.outer_stride[i - 1] = dims[i].stride;
  }
}

/// The blocks of an NZ matrix of `stride` (prows) rows that hold the tile: of each column of
/// blocks, the same run of block rows.
void set_tile(Region& region, const Plan& plan, const Command& command) {
  std::int64_t row0 = plan.row0.of(command), rows = plan.rows.of(command);
  std::int64_t column0 = plan.column0.of(command), columns = plan.length.of(command);
  if (rows <= 0 || columns <= 0) return;
  if (plan.transpose.of(command) != 0) {
    std::swap(row0, column0);
    std::swap(rows, columns);
  }
  const std::int64_t width = plan.width.of(command);
  const std::int64_t column_bytes = round_up(plan.stride.of(command), kBlockRows) * kBlockRowBytes;
  const std::int64_t first_row = row0 / kBlockRows * kBlockRows;
  const std::int64_t last_row = round_up(row0 + rows, kBlockRows);
  const std::int64_t first_column = column0 * width / kBlockRowBytes;
  const std::int64_t last_column =
      round_up((column0 + columns) * width, kBlockRowBytes) / kBlockRowBytes;
  region.base += first_column * column_bytes + first_row * kBlockRowBytes;
  set_rows(region, (last_row - first_row) * kBlockRowBytes, last_column - first_column,
           column_bytes);
}

/// Rows of pixels, those again for each row of the map.
void set_image(Region& region, const Plan& plan, const Command& command) {
  const std::int64_t outer = plan.row0.of(command), step = plan.column0.of(command);
  set_rows(region, plan.length.of(command) * plan.width.of(command), plan.rows.of(command),
           plan.stride.of(command));
  if (region.rows == 0 || outer <= 0) return void(region.rows = 0);
  if (outer == 1 || step == 0) return;
  if (region.rows == 1) return set_rows(region, region.length, outer, step);
  if (step == region.rows * region.stride) return void(region.rows *= outer);
  region.outer[0] = outer;
  region.outer_stride[0] = step;
}

/// Whole blocks of channels, those that columns column0..column0+columns come from.
void set_slab(Region& region, const Plan& plan, const Command& command) {
  const std::int64_t pixels = plan.rows.of(command) * plan.length.of(command);
  const std::int64_t first = plan.column0.of(command), columns = plan.row0.of(command);
  if (pixels <= 0 || columns <= 0) return;
  const std::int64_t taps = taps_of(plan.transpose.of(command));
  const std::int64_t block = kBlockRowBytes / plan.width.of(command) * taps;
  const std::int64_t from = first / block, to = (first + columns + block - 1) / block;
  const std::int64_t pitch = plan.stride.of(command) * kBlockRowBytes;
  region.base += from * pitch;
  set_rows(region, pixels * kBlockRowBytes, to - from, pitch);
}

Access access_of(const Plan& plan, const Command& command) {
  const auto is = [&](int lane, auto value) {
    return lane >= 0 && command.at(lane) == static_cast<std::int64_t>(value);
  };
  // Accumulators that are not added to are only written; atomic stores read what they change.
  if (plan.access == Access::ReadWrite && plan.init >= 0 && !is(plan.init, Init::Accumulate)) {
    return Access::Write;
  }
  if (plan.space == Space::GM && plan.access == Access::Write && plan.atomic >= 0 &&
      !is(plan.atomic, Atomic::None)) {
    return Access::ReadWrite;
  }
  return plan.access;
}

Region region_of(const Plan& plan, const Command& command) {
  Region region;
  region.space = plan.space;
  region.access = access_of(plan, command);
  region.base = command.at(plan.lane);
  region.operand = plan.lane;
  const std::int64_t length = plan.length.of(command), width = plan.width.of(command);
  switch (plan.shape) {
    case Shape::Linear:
      set_rows(region, length * width, 1, 0);
      break;
    case Shape::Rows:
      set_rows(region, length * width, plan.rows.of(command), plan.stride.of(command));
      break;
    case Shape::Nd:
      set_nd(region, plan, command);
      break;
    case Shape::Fractal: {
      const std::int64_t rows = plan.rows.of(command);
      const std::int64_t blocks = round_up(rows, kBlockRows) / kBlockRows *
                                  round_up(length * width, kBlockRowBytes) / kBlockRowBytes;
      if (rows > 0) set_rows(region, blocks * kBlockBytes, 1, 0);
      break;
    }
    case Shape::Tile:
      set_tile(region, plan, command);
      break;
    case Shape::Image:
      set_image(region, plan, command);
      break;
    case Shape::Slab:
      set_slab(region, plan, command);
      break;
    case Shape::Accumulator:
      set_rows(region,
               round_up(plan.rows.of(command), kBlockRows) * round_up(length, kBlockRows) * width,
               1, 0);
      break;
    case Shape::Bias:
      if (command.at(plan.init) == static_cast<std::int64_t>(Init::Bias)) {
        set_rows(region, length * width, 1, 0);
      }
      break;
    case Shape::None:
      break;
  }
  return region;
}

std::int64_t reach(const Region& region, bool forward) {
  std::int64_t sum = 0;
  const auto add = [&](std::int64_t count, std::int64_t stride) {
    const std::int64_t span = stride * (count - 1);
    if ((span > 0) == forward) sum += span;
  };
  add(region.rows, region.stride);
  add(region.outer[0], region.outer_stride[0]);
  add(region.outer[1], region.outer_stride[1]);
  return sum;
}

}  // namespace

std::int64_t Region::first() const {
  return rows == 0 ? base : base + reach(*this, false);
}
std::int64_t Region::last() const {
  return rows == 0 ? base : base + reach(*this, true) + length;
}

Regions regions(const Command& command) {
  const Plans& plans = kPlans[static_cast<std::size_t>(command.op)];
  Regions found;
  for (int i = 0; i < plans.count; ++i) {
    const Region region = region_of(plans.plan[static_cast<std::size_t>(i)], command);
    if (region.rows > 0) found.region[found.count++] = region;
  }
  return found;
}

Region region_in(const Command& command, Space space) {
  const Plans& plans = kPlans[static_cast<std::size_t>(command.op)];
  for (int i = 0; i < plans.count; ++i) {
    const Plan& plan = plans.plan[static_cast<std::size_t>(i)];
    if (plan.space == space) return region_of(plan, command);
  }
  return {};
}

}  // namespace dvmsim::isa
