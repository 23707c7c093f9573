// A parameter of a machine as a plain number, for expressions over parameters and for axes of
// plots.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vm/machine/machine.h"

namespace dvmsim {

struct MachineNumber {
  double value = 0;
  /// "B", "Hz", "B/s", "s", "cycles", "macs" (of a cube.step, per cycle) or "" (counts, fractions,
  /// and true as 1).
  std::string unit{};
};

/// The parameter in the unit of its kind; nothing for texts, choices and lists of types. Throws
/// Error on an unknown key.
[[nodiscard]] std::optional<MachineNumber> number_of(const Machine& machine, std::string_view key);

}  // namespace dvmsim
