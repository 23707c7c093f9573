// A profiler's operator summary (msprof's op_summary CSV) as a table of cases: what ran on real
// hardware becomes calls of our operators, and its task, core and pipe times what they are compared
// with. Rows that have no counterpart stay in the table with the reason.
#pragma once

#include <optional>

#include "cli/validation/csv.h"

namespace dvmsim {

struct Table;

/// Recognised by its columns: an operator's type, its task duration and its input shapes.
[[nodiscard]] bool is_op_summary(const Csv& csv);

/// Without `tolerance` all rows are listed, none is gated. Groups are types of operators. Throws
/// Error with the line for malformed numbers and shapes.
[[nodiscard]] Table table_of_op_summary(const Csv& csv, std::optional<double> tolerance);

}  // namespace dvmsim
