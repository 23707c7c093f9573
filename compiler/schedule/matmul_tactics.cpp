#include "compiler/schedule/matmul_tactics.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {

namespace {

/// Rows of a stored operand: elements in one, and how many.
struct Rows {
  std::int64_t length = 0, count = 0;
};
Rows rows_of_a(const MatmulSpec& spec) {
  return spec.trans_a ? Rows{spec.m, spec.k} : Rows{spec.k, spec.m};
}
Rows rows_of_b(const MatmulSpec& spec) {
  return spec.trans_b ? Rows{spec.k, spec.n} : Rows{spec.n, spec.k};
}

constexpr std::int64_t kPad = 256;  // elements; DVM's constant

/// DVM pads rows that are not whole lines, unless they are short and of whole fractals.
std::int64_t dvm_row(Rows rows) {
  const bool whole = rows.length % 128 == 0;
  const bool is_short = rows.length <= kPad && rows.length % 32 == 0;
  return whole || is_short ? 0 : round_up(rows.length, kPad);
}

/// Steps over which half of L2 holds what is in use, if one launch would take more than two.
std::int64_t dvm_step(const MatmulSpec& spec, const Machine& machine) {
  constexpr std::int64_t kLongest = 20480, kShortest = 4096;
  if (!contains(machine.can.atomic.set, accumulator_of(spec))) return 0;
  const std::int64_t step = machine.l2.size.count() / (spec.m + spec.n) / 2;
  if (spec.k <= kLongest || 2 * step >= spec.k) return 0;
  return std::clamp(round_down(step, kPad), kShortest, kLongest);
}

/// Distinct matrices of an operand over the batches.
std::int64_t matrices(const MatmulSpec& spec, std::int64_t stride0, std::int64_t stride1) {
  return (stride0 != 0 ? spec.batch0 : 1) * (stride1 != 0 ? spec.batch1 : 1);
}

/// Cycles of a launch that copies an operand to padded rows: every vector core reads and writes its
/// share, one after the other in the first and last tile.
double copy_cycles(Rows rows, std::int64_t count, std::int64_t size, const Machine& machine) {
  const std::int64_t cores = machine.cores.unified ? machine.cores.cube : machine.cores.vector;
  if (cores == 0) return 1e300;
  const auto of = [&](Picoseconds time) {
    return static_cast<double>(cycles_in(time, machine.clock.core).count());
  };
  const double start = of(machine.launch.vector) +
                       of(machine.launch.per_core) * static_cast<double>(cores) +
                       of(machine.launch.entry) + of(machine.launch.exit);
  const std::int64_t least = machine.dma.least_request.count();
  const double row = static_cast<double>(round_up(rows.length * size, least) + least);
  const double bytes = row * static_cast<double>(rows.count * count) / static_cast<double>(cores);
  const double rate = std::min(machine.mte2.gm_to_ub.per_cycle().value(),
                               machine.mte3.ub_to_gm.per_cycle().value());
  return start + 2 * bytes / rate;
}

}  // namespace

DType accumulator_of(const MatmulSpec& spec) {
  return spec.in == DType::I8 ? DType::I32 : DType::F32;
}

MatmulTactics dvm_tactics(const MatmulSpec& spec, const Machine& machine) {
  MatmulTactics tactics;
  tactics.a_row = dvm_row(rows_of_a(spec));
  tactics.b_row = dvm_row(rows_of_b(spec));
  tactics.k_step = dvm_step(spec, machine);
  tactics.cast_bias = spec.bias && spec.bias_type == DType::BF16;
  return tactics;
}

ChosenTactics choose_tactics(const MatmulSpec& spec, const Machine& machine) {
  const std::int64_t size = size_of(spec.in), line = machine.l2.line.count();
  const Rows a = rows_of_a(spec), b = rows_of_b(spec);
  const auto padded_row = [&](std::int64_t stride, Rows rows) {
    const bool starts_well = stride % line == 0 || rows.count == 1;
    return starts_well ? std::int64_t{0} : round_up(rows.length * size, line) / size;
  };
  std::int64_t a_row = padded_row(spec.a_stride, a), b_row = padded_row(spec.b_stride, b);
  ChosenTactics best{};
  if (a_row == 0 && b_row == 0) return best;
  const auto copies = [&](const MatmulTactics& tactics) {
    double total = 0;
    if (tactics.a_row != 0) {
      total += copy_cycles(a, matrices(spec, spec.a_batch0, spec.a_batch1), size, machine);
    }
    if (tactics.b_row != 0) {
      total += copy_cycles(b, matrices(spec, spec.b_batch0, spec.b_batch1), size, machine);
    }
    return total;
  };
  const bool is_large = MatmulEstimate(spec, machine).bound() > copies({a_row, b_row});
  // The port reads rows well that share lines; what HBM reads of them twice is a small part of a
  // small product.
  const std::int64_t align = machine.mte2.nz_align.count();
  if (!is_large && spec.a_stride % align == 0) a_row = 0;
  if (!is_large && spec.b_stride % align == 0) b_row = 0;
  if (a_row == 0 && b_row == 0) return best;
  // Of equal ones the first is taken. A small product is seldom worth a copy, a large one nearly
  // always is: what is likely comes first, so that the others need only be bounded.
  const std::array<MatmulTactics, 4> all = {MatmulTactics{}, MatmulTactics{.a_row = a_row},
                                            MatmulTactics{.b_row = b_row},
                                            MatmulTactics{.a_row = a_row, .b_row = b_row}};
  double least = 0;
  std::size_t taken = all.size();
  const auto consider = [&](std::size_t number) {
    const MatmulSpec left = prepared(spec, all[number]);
    const double copied = copies(all[number]);
    constexpr double kRounding = 1 + 1e-9;
    const double left_over = (least - copied) * kRounding;
    if (taken < all.size()) {  // can it take less, whatever its tiles?
      if (MatmulEstimate(left, machine).bound() >= left_over) return;
      if (!may_take_less(left, machine, left_over)) return;
    }
    const MatmulSchedule schedule = choose_cost(left, machine);
    const double total = copied + MatmulEstimate(left, machine).of(schedule).total;
    if (taken < all.size() && std::tie(total, number) >= std::tie(least, taken)) return;
    least = total;
    taken = number;
    best = {all[number], schedule};
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t number = is_large ? all.size() - 1 - i : i;
    const auto* same = std::find(all.begin(), all.begin() + number, all[number]);
    if (same == all.begin() + number) consider(number);
  }
  return best;
}

MatmulSpec prepared(MatmulSpec spec, const MatmulTactics& tactics) {
  const auto pad = [&](std::int64_t row, Rows rows, std::int64_t& stride, std::int64_t& batch0,
                       std::int64_t& batch1) {
    if (row == 0) return;
    stride = row * size_of(spec.in);
    const std::int64_t matrix = rows.count * stride;
    const std::int64_t inner = batch1 != 0 ? spec.batch1 : 1;
    if (batch1 != 0) batch1 = matrix;
    if (batch0 != 0) batch0 = inner * matrix;
  };
  pad(tactics.a_row, rows_of_a(spec), spec.a_stride, spec.a_batch0, spec.a_batch1);
  pad(tactics.b_row, rows_of_b(spec), spec.b_stride, spec.b_batch0, spec.b_batch1);
  if (tactics.cast_bias) spec.bias_type = DType::F32;
  return spec;
}

}  // namespace dvmsim
