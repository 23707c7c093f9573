// The machine a command line asks for.
#pragma once

#include <string>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim {

/// The file, or the built-in machine if there is none, with every assignment applied, checked.
[[nodiscard]] Machine machine_from(const std::string& file, const std::vector<std::string>& sets);

}  // namespace dvmsim
