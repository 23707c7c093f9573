// The sizes that programs are compiled for ahead of time.
#pragma once

#include <cstdint>

#include "compiler/runtime/strategy/constants.h"

namespace dvmsim {

/// The smallest bucket that holds `size`. Throws Error if none of a given list does.
[[nodiscard]] std::int64_t bucket_of(std::int64_t size, const StrategyConstants& constants);

}  // namespace dvmsim
