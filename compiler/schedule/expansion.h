// Operators that the machine has no instruction for, as several steps of a vector kernel.
#pragma once

#include <array>
#include <functional>

#include "compiler/schedule/vector_kernel.h"

namespace dvmsim {

/// Appends steps, each with a new result, and returns those.
struct StepWriter {
  DType dtype{};  // of the numbers
  std::function<int(isa::Op op, DType sources, DType result, std::array<int, 3> source, int scalar,
                    int pick)>
      add;

  [[nodiscard]] int unary(isa::Op op, int a, int scalar = 0) const {
    return add(op, dtype, dtype, {a, -1, -1}, scalar, 0);
  }
  [[nodiscard]] int binary(isa::Op op, int a, int b) const {
    return add(op, dtype, dtype, {a, b, -1}, 0, 0);
  }
  /// Bool values: a number compared with 0 or 1, and two Bool values joined.
  [[nodiscard]] int compared(int a, isa::Order order, int scalar) const {
    return add(isa::Op::vcmps, dtype, DType::Bool, {a, -1, -1}, scalar, static_cast<int>(order));
  }
  [[nodiscard]] int joined(isa::Op op, int a, int b) const {
    return add(op, DType::Bool, DType::Bool, {a, b, -1}, 0, 0);
  }
  [[nodiscard]] int select(int mask, int a, int b) const {
    return add(isa::Op::vsel, dtype, dtype, {mask, a, b}, 0, 0);
  }
};

/// The remainder with the divisor's sign; 0 stays 0.
[[nodiscard]] int floored_remainder(const StepWriter& steps, int a, int b);
/// Exact where the result is representable; a negative exponent gives the truncated fraction.
[[nodiscard]] int integer_power(const StepWriter& steps, int base, int exponent);

}  // namespace dvmsim
