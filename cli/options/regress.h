// The words of `diff` and `regress`: the part of the command line that options.cpp takes from here.
#pragma once

#include "cli/options/options.h"

namespace CLI {
class App;
}

namespace dvmsim {

void add_diff(CLI::App& app, DiffOptions& options);
void add_regress(CLI::App& app, RegressOptions& options);

}  // namespace dvmsim
