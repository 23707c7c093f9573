// --feature: which of a strategy's features are on.
#pragma once

#include <string>
#include <vector>

#include "cli/options/options.h"
#include "compiler/pass/feature.h"

namespace dvmsim {

/// What the strategy does, as --feature switches it. Error for a feature there is not, or one that
/// the strategy cannot have.
[[nodiscard]] Features features_of(const RunOptions& options);
/// Their names, for reports.
[[nodiscard]] std::vector<std::string> names_of(Features features);

}  // namespace dvmsim
