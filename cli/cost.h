// What a machine costs besides time: area, power, price. Said in expressions over its parameters,
// in a section of a hardware file (or of a study, which then replaces it):
//
//   cost:
//     area:
//       unit: mm2
//       cube: {value: "cores.cube * cube.step.f16 * 350e-6", source: "assumed: ..."}   a term
//       sram: {value: "(l2.size + cores.cube * l1.size) / 1MiB * 0.6", source: "..."}
//     power:
//       unit: W
//       idle: {value: "cost.area * 0.1", source: "..."}        a cost defined above
//
// A cost is the sum of its terms. A source that begins with "assumed" marks everything made of it.
// Names are keys of the machine, as numbers in B, Hz, B/s, s and cycles (vm/machine/number.h).
#pragma once

#include <string>
#include <vector>

#include "cli/text/expression.h"
#include "cli/text/yaml.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct CostTerm {
  std::string name{}, source{};
  Expression value{};
  std::string place{};  // file:line
  [[nodiscard]] bool assumed() const { return source.starts_with("assumed"); }
};

struct DesignCost {
  std::string name{}, unit{};
  std::vector<CostTerm> terms{};
  [[nodiscard]] bool assumed() const;
};

/// The value of a `cost:` section. Throws Error with file:line, also for names that are no number
/// of a machine.
[[nodiscard]] std::vector<DesignCost> read_costs(const Yaml& section);
/// Those of a hardware file that was loaded without error: what its `base:` says, then its own.
[[nodiscard]] std::vector<DesignCost> costs_of_file(const std::string& hardware);

/// The values of the costs, and of each of their terms, for a machine. Throws Error with file:line.
struct CostValue {
  double value = 0;
  std::vector<double> terms{};
};
[[nodiscard]] std::vector<CostValue> values_of(const std::vector<DesignCost>& costs,
                                               const Machine& machine);

}  // namespace dvmsim
