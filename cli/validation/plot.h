// The scatter of simulated against measured values as an SVG that stands by itself.
#pragma once

#include <string>

#include "cli/validation/score.h"

namespace dvmsim {

/// Logarithmic axes, a colour per group, bands of 5 % and 20 % around the diagonal; rows that are
/// only listed are hollow. Each point carries its row as a title. Follows the reader's light or
/// dark colour scheme.
[[nodiscard]] std::string to_svg(const Score& score);

}  // namespace dvmsim
