// Scores as a table for people and as JSON for scripts.
#pragma once

#include <string>

#include "cli/validation/score.h"

namespace dvmsim {

/// A line per row and per group, the verdict last. `failures_only`: only rows beyond their
/// tolerance.
[[nodiscard]] std::string print(const Table& table, const Score& score, bool failures_only);
/// The groups alone.
[[nodiscard]] std::string print_groups(const Score& score);
/// Members in a fixed order, a final newline.
[[nodiscard]] std::string to_json(const Table& table, const Score& score);

/// Four significant digits, or all digits before the point.
[[nodiscard]] std::string short_number(double value);

}  // namespace dvmsim
