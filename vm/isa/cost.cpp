#include "vm/isa/cost.h"

#include <algorithm>

#include "vm/base/rounding.h"
#include "vm/isa/footprint.h"
#include "vm/isa/recipe.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;
using isa::Recipe;
using isa::Work;

constexpr std::array<Recipe, 256> kRecipes = [] {
  std::array<Recipe, 256> all{};
  for (const auto& [op, recipe] : isa::recipes::kEntries)
    all[static_cast<std::size_t>(op)] = recipe;
  return all;
}();

constexpr bool has_cost(int code) {
  return kRecipes[static_cast<std::size_t>(code)].work != Work::Missing;
}
#define INST(code, mnemonic, ...) \
  static_assert(has_cost(code), #mnemonic " needs an entry in recipe.h");
#include "vm/isa/isa.def"
#undef INST

}  // namespace

CostModel::CostModel(const Machine& machine)
    : machine_(&machine), vector_(machine), transfer_(machine) {}

Cost CostModel::of(const Command& command) const {
  const Recipe& recipe = kRecipes[static_cast<std::size_t>(command.op)];
  switch (recipe.work) {
    case Work::Missing:
    case Work::Scalar:
      return {};
    case Work::Flag:
      return {Cycles(0), machine_->firmware.flag_issue, Cycles(0)};
    case Work::Split:
      return split(command);
    case Work::Windows:
      return windows(command);
    case Work::Retain:
      return retain(command);
    case Work::Multiply:
      return multiply(command);
    case Work::Transfer:
      return transfer_.of(command);
    default:
      return vector_.of(recipe, command);
  }
}

/// By the bytes that arrive, whole fractals.
Cost CostModel::split(const Command& command) const {
  const auto& mte1 = machine_->mte1;
  Cost cost{mte1.head, mte1.fixed, mte1.tail};
  const auto arrive = [&](Space space, const Rate& rate) {
    const std::int64_t bytes = isa::region_in(command, space).bytes();
    if (bytes > 0) cost.busy += rate.cycles_for(Bytes(bytes));
  };
  arrive(Space::L0A, mte1.l0a);
  arrive(Space::L0B, mte1.l0b);
  arrive(Space::BT, mte1.bt);
  arrive(Space::FB, mte1.bt);
  return cost;
}

/// A column of fractals whose 16 positions lie in n rows of outputs arrives at img2col over n + 2
/// if windows are neighbours, over twice their distance (of 2, 4 or 8), and n if that is not 1,
/// otherwise; neighbours in one row as a plain copy; nothing slower than the floor. perf.
Cost CostModel::windows(const Command& command) const {
  enum { kM = 3, kK, kProws, kM0, kK0, kH, kW, kOw, kKernel, kSteps };
  const auto& mte1 = machine_->mte1;
  Cost cost{mte1.head, mte1.fixed, mte1.tail};
  const std::int64_t m = command.at(kM), m0 = command.at(kM0);
  const std::int64_t width = std::max<std::int64_t>(command.at(kOw), 1);
  const std::int64_t row = machine_->cube.fractal_row.count();
  const std::int64_t columns = ceil_div(command.at(kK) * size_of(command.dtype()), row);
  if (m <= 0 || columns <= 0) return cost;
  const std::int64_t stride = isa::unpack_window(0, command.at(kSteps)).stride_w;
  const std::int64_t high = machine_->cube.fractal_rows;
  const std::int64_t bytes = columns * high * row;
  const Rational rate = mte1.img2col.per_cycle(), least = mte1.img2col_least.per_cycle();
  const auto per_cycle = [&](std::int64_t rows) {
    const bool listed = stride == 1 || stride == 2 || stride == 4 || stride == 8;
    if (stride == 1 && rows == 1) return mte1.l0a.per_cycle();
    if (!listed) return least;
    const std::int64_t over = stride == 1 ? rows + 2 : 2 * stride + (rows > 1 ? rows : 0);
    const Rational slow = rate * Rational(1, over);
    return slow < least ? least : slow;
  };
  std::int64_t run = 0, run_rows = 0;  // fractals of the same rate are one run
  Cycles busy(0);
  const auto flush = [&] {
    if (run > 0) busy += Cycles(per_cycle(run_rows).ceil_of(run * bytes));
    run = 0;
  };
  for (std::int64_t first = m0; first < m0 + m; first += high) {
    const std::int64_t last = std::min(first + high, m0 + m) - 1;
    const std::int64_t rows = last / width - first / width + 1;
    if (rows != run_rows) flush();
    run_rows = rows;
    ++run;
  }
  flush();
  cost.busy += busy;
  return cost;
}

/// By the accumulators that are read. What arrives is visible as soon as the accumulators are free.
Cost CostModel::retain(const Command& command) const {
  const auto& fix = machine_->fix;
  const std::int64_t bytes = isa::region_in(command, Space::L0C).bytes();
  return {Cycles(0), std::max(fix.issue_gap, fix.l0c_to_l1.cycles_for(Bytes(bytes))), fix.tail};
}

/// A step multiplies a block of each operand; m, n and k are rounded up to whole blocks.
Cost CostModel::multiply(const Command& command) const {
  const auto& cube = machine_->cube;
  const CubeStep step = machine_->step(command.dtype());
  // dtype, c, a, b, m, k, n
  const std::int64_t m = command.at(4), k = command.at(5), n = command.at(6);
  Cost cost{cube.head, cube.gap, cube.tail};
  if (step.k > 0) {
    cost.busy += Cycles(ceil_div(m, step.m) * ceil_div(n, step.n) * ceil_div(k, step.k));
  }
  return cost;
}

}  // namespace dvmsim
