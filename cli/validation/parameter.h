// Numeric parameters of a machine as numbers that can be varied: value and unit apart, whole where
// the parameter is. What sensitivity and fit walk over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim {

struct Quantity {
  std::string key{}, text{}, unit{};  // text: the value as the machine prints it
  double number = 0;
  bool whole = false;
  double grain = 1;  // of whole ones

  /// The nearest value the parameter can take.
  [[nodiscard]] double legal(double value) const;
  /// As apply_set reads it, "key=value".
  [[nodiscard]] std::string assignment(double value) const;
};

/// The parameter's value on the machine; nothing if it is not a number. Throws Error on an unknown
/// key.
[[nodiscard]] std::optional<Quantity> quantity_of(const Machine& machine, std::string_view key);
/// Every numeric parameter that is not about the host, in the order of machine.def; without
/// granularities (lines, blocks, alignments), which mean nothing if they are a tenth larger.
[[nodiscard]] std::vector<Quantity> quantities_of(const Machine& machine);

}  // namespace dvmsim
