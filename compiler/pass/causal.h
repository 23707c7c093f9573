// Which keys a mask lets a query see: comparisons of positions that count up, whatever made them.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/pass/pass.h"

namespace dvmsim {

/// The number that all elements of a value have, if it is known.
[[nodiscard]] std::optional<double> uniform_number(const Graph& graph, ValueId id);

/// Queries and keys of the scores that a mask is for.
struct ScoreCounts {
  Dim queries = 0, keys = 0;
};

/// The condition is true (`seen`), or false, exactly where the key (last axis) is not behind the
/// query (the axis before it) by more than the result: key <= query + reach.
[[nodiscard]] std::optional<std::int64_t> reach_of(const Graph& graph, ValueId condition, bool seen,
                                                   const ScoreCounts& counts,
                                                   const PassContext& context);

/// The same of a mask to be added: 0 where a key is seen, and so low elsewhere that nothing is
/// left.
[[nodiscard]] std::optional<std::int64_t> reach_of_added(const Graph& graph, ValueId mask,
                                                         const ScoreCounts& counts,
                                                         const PassContext& context);

/// Is e to the power of it, beside any score, nothing?
[[nodiscard]] constexpr bool hides(double number) {
  return number <= -1e4;
}

}  // namespace dvmsim
