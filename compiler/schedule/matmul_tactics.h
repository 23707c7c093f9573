// What is done to a product in launches of its own, so that the product itself is quick: rows of an
// operand padded, k in steps, a bias in the accumulators' type.
#pragma once

#include <optional>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

struct MatmulTactics {
  std::int64_t a_row = 0, b_row = 0;  // elements from row to row of a padded copy; 0: as it is
  std::int64_t k_step = 0;            // k in steps that add up in F32 (I32); 0: at once
  bool cast_bias = false;             // to F32
  friend bool operator==(const MatmulTactics&, const MatmulTactics&) = default;
};

/// DVM's rules.
[[nodiscard]] MatmulTactics dvm_tactics(const MatmulSpec& spec, const Machine& machine);

/// Tactics, and what was found on the way to them.
struct ChosenTactics {
  MatmulTactics tactics{};
  std::optional<MatmulSchedule> schedule{};  // choose_cost's for the product that is left
};
/// Ours: padding if the estimate of product and copies is less than that of the product alone.
[[nodiscard]] ChosenTactics choose_tactics(const MatmulSpec& spec, const Machine& machine);
[[nodiscard]] inline MatmulTactics cost_tactics(const MatmulSpec& spec, const Machine& machine) {
  return choose_tactics(spec, machine).tactics;
}

/// The product that is left when the operands have been prepared.
[[nodiscard]] MatmulSpec prepared(MatmulSpec spec, const MatmulTactics& tactics);
/// Type in which steps of k add up.
[[nodiscard]] DType accumulator_of(const MatmulSpec& spec);

}  // namespace dvmsim
