// The words of `reduce`: the part of the command line that options.cpp takes from here.
#pragma once

#include "cli/options/options.h"

namespace CLI {
class App;
}

namespace dvmsim {

/// `check`: the text of --check.
void add_reduce(CLI::App& app, ReduceOptions& options, std::string& check);
/// Throws Error unless one question is asked.
void check_reduce(const ReduceOptions& options, bool check);

}  // namespace dvmsim
