// What dimensions can be when every symbol has a largest value: their range, and minima and maxima
// that are decided by it.
#pragma once

#include <cstdint>

#include "compiler/graph/dim.h"

namespace dvmsim {

struct DimRange {
  std::int64_t least = 0, most = 0;
};

/// Symbols lie in [0, largest]; every one of `dim` has a largest value.
[[nodiscard]] DimRange range_of(const Dim& dim, const Bindings& largest);
/// The same number for all such values, without the minima and maxima that they decide.
[[nodiscard]] Dim simplify(const Dim& dim, const Bindings& largest);

}  // namespace dvmsim
