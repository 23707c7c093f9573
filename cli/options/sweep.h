// The options of `dvmsim sweep`. The library that parses them is seen in the .cpp alone.
#pragma once

#include "cli/options/options.h"

namespace CLI {
class App;
}

namespace dvmsim {

/// `options` outlives the parsing.
void add_sweep(CLI::App& app, SweepOptions& options);
/// Throws Error for options that exclude one another.
void check_sweep(const SweepOptions& sweep);

}  // namespace dvmsim
