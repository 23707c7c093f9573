// A case of a table or a list, run: from the words of a command line to its report.
#pragma once

#include <string>

#include "cli/validation/pool.h"
#include "traces/report.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// The report of the words, which are those of `run` or `op`. Paths in them are relative to
/// `folder`; `decode`: what decoding costs is measured too, in further runs. Throws Error for what
/// cannot be run and for faults of the simulated machine.
[[nodiscard]] RunReport report_of(const Words& words, const std::string& folder, bool decode);
/// Its figures.
[[nodiscard]] Figures measure(const Words& words, const std::string& folder);
/// The machine it runs on.
[[nodiscard]] Machine machine_of_case(const Words& words, const std::string& folder);

}  // namespace dvmsim
