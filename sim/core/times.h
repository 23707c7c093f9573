// Points in time that are not there yet.
#pragma once

#include <limits>

#include "vm/base/strong.h"

namespace dvmsim {

/// Before everything: the end of a hold of a pipe that has held nothing.
inline constexpr Cycles kNever{std::numeric_limits<std::int64_t>::min() / 4};

}  // namespace dvmsim
