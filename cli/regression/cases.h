// The list of cases that `dvmsim regress` runs, from YAML. Owns the format and its errors.
//
//   cases:
//     - model: ../workloads/encoder.graph      or op: softmax, with shapes: [64x4096]
//       dims: {seq: [16, 100]}                 a size, or a list: a case each
//       strategies: [eager, dvm]               default: dvm
//       hardware: [../hardware/tiny.yaml]      a file or a list; default: the built-in machine
//       tolerance: {cycles: 1%, host: ignore}  of figures, groups of them, all; default: exact
//
// Also: name; shape: {x: 1x3x48x160}, the inputs' shapes of a model; dtype; attrs: {axis: -1} and
// of an op; set: {clock.core: 1GHz}; options: [--l2 warm], further words of `dvmsim run` or `op`.
// Paths are relative to the list.
#pragma once

#include <string>
#include <vector>

#include "cli/validation/pool.h"

namespace dvmsim {

/// How far a figure may be from its baseline: a share of it; infinite: it is not looked at.
struct Tolerance {
  std::string figure{};  // "cycles", "host.launch_us", a group: "host", or "all"
  double share = 0;
  std::string place{};  // "cases.yaml:12", for messages
};

struct RegressionCase {
  std::string name{};
  Words words{};  // of the command line that runs it, without --hw's folder
  std::vector<Tolerance> tolerances{};
  std::string place{};
};

/// Throws Error with file:line for whatever is not exactly right. Names are unique.
[[nodiscard]] std::vector<RegressionCase> parse_cases(const std::string& text,
                                                      const std::string& path);

}  // namespace dvmsim
