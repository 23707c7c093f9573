// The options of `dvmsim compare`. The library that parses them is seen in the .cpp alone.
#pragma once

#include "cli/options/options.h"

namespace CLI {
class App;
}

namespace dvmsim {

/// `options` outlives the parsing.
void add_compare(CLI::App& app, CompareOptions& options);

}  // namespace dvmsim
