// Graphs compiled with overrides, for the tests of them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/module/override.h"
#include "vm/base/error.h"

namespace dvmsim::testing {

inline const Machine& machine() {
  static const Machine made = default_machine();
  return made;
}

inline Graph graph_of(const std::string& lines) {
  return deduce_shapes(parse_graph("graph g\n" + lines, "test.graph"));
}

/// As line 3 of a file says.
inline ScheduleOverrides said(const std::string& kernel, KernelChoice choice) {
  KernelOverride entry;
  entry.kernel = kernel;
  entry.where = "my.yaml:3";
  entry.choice = std::move(choice);
  return {{entry}, {}};
}

struct Compiled {
  Module module{};
  std::vector<ScheduleDecision> decisions{};
  /// Of the only kernel of the kind, or the first.
  template <class Choice>
  [[nodiscard]] Choice first() const {
    for (const ScheduleDecision& each : decisions) {
      if (const auto* found = std::get_if<Choice>(&each.choice)) return *found;
    }
    return {};
  }
};

inline Compiled compiled(const Graph& graph, ScheduleOverrides& overrides,
                         CompileOptions options = {}) {
  Compiled made;
  options.overrides = &overrides;
  options.decisions = &made.decisions;
  made.module = compile(graph, machine(), options);
  return made;
}

inline Compiled compiled(const std::string& lines, ScheduleOverrides overrides,
                         CompileOptions options = {}) {
  return compiled(graph_of(lines), overrides, options);
}

inline std::string error_of(const std::string& lines, ScheduleOverrides overrides,
                            CompileOptions options = {}) {
  try {
    (void)compiled(lines, std::move(overrides), options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Every decision as an override of its own, by number where it has one.
inline ScheduleOverrides as_overrides(const std::vector<ScheduleDecision>& decisions) {
  ScheduleOverrides overrides;
  for (const ScheduleDecision& decision : decisions) {
    KernelOverride entry;
    entry.kernel = decision.kernel;
    entry.where = "own";
    if (decision.number >= 0) entry.number = decision.number;
    entry.choice = decision.choice;
    overrides.kernels.push_back(std::move(entry));
  }
  return overrides;
}

}  // namespace dvmsim::testing
