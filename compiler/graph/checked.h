// Arithmetic on sizes that says so when 64 bits do not hold the result.
#pragma once

#include <cstdint>

#include "vm/base/error.h"

namespace dvmsim::checked {

[[nodiscard]] inline std::int64_t sum(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) throw Error("a dimension overflows 64 bits");
  return result;
}

[[nodiscard]] inline std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw Error("a dimension overflows 64 bits");
  return result;
}

/// Rounded down.
[[nodiscard]] inline std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (b == 0) throw Error("a dimension is divided by zero");
  if (b == -1) return product(a, -1);
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

}  // namespace dvmsim::checked
