// What each mechanism of the model buys: the table's errors with the mechanism switched off by
// settings that neutralise it. Which mechanisms there are is data, a YAML list:
//
//   - mechanism: head of the cube
//     off: [cube.head=0cycles]
#pragma once

#include <string>
#include <vector>

#include "cli/validation/score.h"

namespace dvmsim {

struct Mechanism {
  std::string name{};
  std::vector<std::string> off{};  // as --set
};

/// Throws Error with file and line for whatever is not such a list, and for settings that no
/// machine takes.
[[nodiscard]] std::vector<Mechanism> parse_mechanisms(const std::string& text,
                                                      const std::string& path);

struct Ablation {
  std::string name{};                 // of the mechanism; empty: all on
  std::vector<GroupScore> groups{};   // gated ones
  std::size_t worse = 0, better = 0;  // rows whose error grew, shrank by more than half a percent
};

/// The first has everything on; then one per mechanism, off by itself.
[[nodiscard]] std::vector<Ablation> ablate(const Table& table, const Overrides& overrides,
                                           const std::vector<Mechanism>& mechanisms, Pool& pool);
/// Median and worst error of each group, a line per mechanism.
[[nodiscard]] std::string print(const std::vector<Ablation>& ablations);

}  // namespace dvmsim
