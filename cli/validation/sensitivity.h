// Which parameters of the machine move a case: each varied by 10 % either way, by itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/validation/parameter.h"
#include "cli/validation/score.h"

namespace dvmsim {

/// The machine a command line runs on. Throws Error.
using MachineOf = std::function<Machine(const Words& words)>;

struct Effect {
  Quantity parameter{};
  double less = 0, more = 0;  // relative change of the metric with 10 % less, more of the parameter
  [[nodiscard]] double size() const;
};

/// Of one row, the largest first; parameters without any effect are left out. Whole parameters
/// change by at least one; a side that no machine takes counts as no change.
[[nodiscard]] std::vector<Effect> sensitivity(const Table& table, const TableRow& row,
                                              const Overrides& overrides,
                                              const MachineOf& machine_of, Pool& pool);
/// The first `most` of them.
[[nodiscard]] std::string print(const TableRow& row, const std::vector<Effect>& effects, int most);

}  // namespace dvmsim
