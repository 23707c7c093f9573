// A case of a validation table, run: from the words of a command line to the figures of its report.
#pragma once

#include <string>

#include "cli/validation/pool.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Paths in the words are relative to `folder`. Throws Error for what cannot be run and for faults
/// of the simulated machine.
[[nodiscard]] Figures measure(const Words& words, const std::string& folder);
/// The machine it runs on.
[[nodiscard]] Machine machine_of_case(const Words& words, const std::string& folder);

}  // namespace dvmsim
