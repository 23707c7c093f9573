// Whole numbers rounded to a unit: how many tiles cover a side, how many bytes a padded row takes.
#pragma once

#include <cstdint>

namespace dvmsim {

/// How many units cover `value`: none or fewer if it is not positive. unit > 0.
[[nodiscard]] constexpr std::int64_t ceil_div(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit;
}
/// The least multiple of `unit` that is not below `value`.
[[nodiscard]] constexpr std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return ceil_div(value, unit) * unit;
}
/// The greatest multiple of `unit` that is not above `value`.
[[nodiscard]] constexpr std::int64_t round_down(std::int64_t value, std::int64_t unit) {
  return value / unit * unit;
}

}  // namespace dvmsim
