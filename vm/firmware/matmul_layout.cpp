#include "vm/firmware/matmul_layout.h"

#include <algorithm>
#include <utility>

#include "vm/base/rounding.h"
#include "vm/firmware/matmul.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kAlign = 256;

/// Bytes of a matrix in L1: blocks of 16 rows of 32 bytes.
std::int64_t nz_bytes(std::int64_t rows, std::int64_t columns, std::int64_t item) {
  return round_up(rows, kFractalRows) * round_up(columns * item, kFractalRow);
}

}  // namespace

std::int64_t bias_item(const isa::MatmulArguments& args) {
  return size_of(static_cast<DType>(args.bias_type));
}

MatmulLayout matmul_layout(const Machine& machine, const isa::MatmulArguments& args, DType type) {
  const std::int64_t item = size_of(type);
  MatmulLayout layout;
  layout.block_k = std::min(args.tile_k, round_up(args.k, kFractalRows));
  const std::int64_t a = (args.trans_a & isa::kTransposed) != 0
                             ? nz_bytes(layout.block_k, args.tile_m, item)
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

namespace {

/// An operand that comes through slots.
struct SlotOperand {
  char name = 'A';
  std::int64_t layout = 0;  // isa::MatmulOperand
  std::int64_t slots = 0, bytes = 0, stride = 0;
  std::int64_t rows = 0, columns = 0;  // of a block, not transposed
};

/// Why it cannot.
std::string problem_of(const Machine& machine, const isa::MatmulArguments& args, DType type,
                       SlotOperand operand) {
  const std::string name(1, operand.name);
  if (operand.layout < 0 || operand.layout >= 2 * isa::kFromSlots) {
    return "no such layout of " + name;
  }
  if ((operand.layout & isa::kFromSlots) == 0) return {};
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "no vector cores of its group fill slots of " + name;
  }
  if (operand.slots < 1 || operand.slots > machine.xflag.max || operand.bytes < 1) {
    return "no such number or size of slots of " + name;
  }
  if ((args.loop & isa::kKeepOperands) != 0) return "operands in slots are not kept";
  if ((args.loop & isa::kShared) != 0) return "shared tiles read " + name + " from its tensor";
  if ((operand.layout & isa::kTransposed) != 0) std::swap(operand.rows, operand.columns);
  const std::int64_t row = operand.columns * size_of(type);
  if (operand.stride < row) return "rows of a block in a slot overlap";
  if ((operand.rows - 1) * operand.stride + row > operand.bytes) {
    return "a block does not fit its slot";
  }
  return {};
}

/// Why A or B cannot come through slots.
std::string slots_problem(const Machine& machine, const isa::MatmulArguments& args, DType type) {
  if ((args.trans_a & args.trans_b & isa::kFromSlots) != 0) {
    return "only one operand comes through slots";
  }
  const std::int64_t k = std::min(matmul_layout(machine, args, type).block_k, args.k);
  const SlotOperand a{
      'A', args.trans_a, args.a_batch0, args.a_batch1, args.a_stride, std::min(args.tile_m, args.m),
      k};
  if (std::string why = problem_of(machine, args, type, a); !why.empty()) return why;
  return problem_of(machine, args, type,
                    {'B', args.trans_b, args.b_batch0, args.b_batch1, args.b_stride, k,
                     std::min(args.tile_n, args.n)});
}

}  // namespace

std::string MatmulMacro::problem(const Machine& machine, const isa::MatmulArguments& args,
                                 DType type) {
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
  if (args.loop < 0 || (args.loop & ~isa::kShared) >= isa::kMatmulLoops) {
    return "no such way through the tiles";
  }
  if (args.slots > 0 && (args.loop & isa::kContiguous) != 0) {
    return "tiles in slots go round the cores";
  }
  if ((args.loop & isa::kShared) != 0) {
    if ((args.loop & (isa::kShuffleK | isa::kContiguous)) != 0) {
      return "shared tiles go round the cores, their k blocks in order";
    }
    if (args.atomic != 0) return "shared tiles are stored, not added";
    if (args.slot_bytes < 4 * args.tile_m * args.tile_n) return "a piece does not fit its slot";
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
  if (std::string why = slots_problem(machine, args, type); !why.empty()) return why;
  const MatmulLayout layout = matmul_layout(machine, args, type);
  if (layout.half_bytes > machine.l1.size.count() / 2) return "a block does not fit half of L1";
  if (layout.part < 1) return "a part does not fit half of L0A or L0B";
  if (args.tile_m * args.tile_n * 4 > machine.l0c.size.count()) return "a tile does not fit L0C";
  if (args.bias != 0 && args.tile_n * 4 > machine.bt.size.count()) {
    return "a tile's bias does not fit the bias table";
  }
  return {};
}

std::string MatmulMacro::problem_of_more(const isa::MatmulArguments& args,
                                         std::span<const std::uint64_t> more) {
  if (more.empty()) return {};
  const std::int64_t tiles = ceil_div(args.m, args.tile_m) * ceil_div(args.n, args.tile_n);
  const auto shared = static_cast<std::int64_t>(more[0]);
  if (shared >= 1 && shared <= tiles * args.batch0 * args.batch1) return {};
  return "as many tiles are shared as there are at most, and at least one";
}

std::string MatmulMacro::problem(const Machine& machine, const isa::GroupedArguments& args,
                                 DType type) {
  if (args.groups < 1) return "the list has no groups";
  if (args.axis < 0 || args.axis > static_cast<std::int64_t>(isa::GroupAxis::K)) {
    return "no such axis of groups";
  }
  const auto list = static_cast<DType>(args.list_type);
  if (list != DType::I32 && list != DType::I64) return "the list is of i32 or i64";
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (args.groups > kMost || args.stride > kMost || args.stride < -kMost ||
      args.bias_stride > kMost || args.bias_stride < -kMost) {
    return "an argument is larger than any memory";
  }
  const isa::MatmulArguments& product = args.product;
  if (((product.trans_a | product.trans_b) & isa::kFromSlots) != 0) {
    return "groups read A and B from their tensors";
  }
  if (product.batch0 != 1 || product.batch1 != 1) return "groups have no batches";
  if (product.slots != 0) return "groups do not go through slots";
  if ((product.loop & isa::kContiguous) != 0) return "tiles of groups go round the cores";
  if ((product.loop & isa::kShared) != 0) return "tiles of groups are not shared";
  if (args.axis == static_cast<std::int64_t>(isa::GroupAxis::K) && product.bias != 0) {
    return "groups along k have no bias";
  }
  return problem(machine, product, type);
}

}  // namespace dvmsim
