#include "vm/isa/cost.h"

#include "vm/isa/footprint.h"
#include "vm/isa/recipe.h"

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

std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

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
    case Work::Bias:
      return split(command);
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
  const isa::Regions all = isa::regions(command);
  Cost cost{mte1.head, mte1.fixed, mte1.tail};
  for (int i = 0; i < all.count; ++i) {
    const isa::Region& region = all.region[i];
    if (region.space == Space::L1) continue;
    const Rate rate = region.space == Space::L0A   ? mte1.l0a
                      : region.space == Space::L0B ? mte1.l0b
                                                   : mte1.bt;
    cost.busy += rate.cycles_for(Bytes(region.bytes()));
  }
  return cost;
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
