// What a sweep runs: every machine of a study with every strategy (a design) on every workload at
// every set of sizes (a case). Owns the order of points, their axes, and the key under which a
// result is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/study/machine_points.h"
#include "cli/study/study.h"

namespace dvmsim {

struct SweepAxis {
  enum class Kind : std::uint8_t {
    Hardware,
    Parameter,
    Factors,
    Choices,
    LaunchCost,
    Strategy,
    Workload,
    Dim
  };
  struct Value {
    std::string text{};
    std::optional<double> number{};  // in `unit`
  };
  std::string name{};
  Kind kind = Kind::Parameter;
  std::string unit{};
  std::vector<Value> values{};
  bool sampled = false;  // its values were drawn, or go along with those of other axes
};
[[nodiscard]] const char* name_of(SweepAxis::Kind kind);

struct SweepDesign {
  std::size_t machine = 0, strategy = 0;
};
struct SweepCase {
  std::size_t workload = 0;
  DimSizes dims{};
};
struct SweepPoint {
  std::size_t design = 0, at = 0;  // at: the case
  std::uint64_t key = 0;
};

struct SweepPlan {
  Study study{};
  std::vector<MachinePoint> machines{};
  std::vector<SweepDesign> designs{};
  std::vector<SweepCase> cases{};
  std::vector<SweepPoint> points{};                          // by design, then case
  std::vector<SweepAxis> axes{};                             // those with more than one value
  std::vector<std::pair<std::string, std::string>> fixed{};  // the others
  /// Of each axis the index of the design's or the case's value; -1: it has none.
  std::vector<std::vector<int>> design_values{}, case_values{};

  [[nodiscard]] const Machine& machine(const SweepDesign& design) const {
    return machines[design.machine].machine;
  }
  /// What the study sets of the constants that the design's strategy rests on.
  [[nodiscard]] std::vector<std::string> constants(const SweepDesign& design) const;
  /// The index of the point's value of an axis; -1: it has none.
  [[nodiscard]] int value(const SweepPoint& point, std::size_t axis) const {
    return std::max(design_values[point.design][axis], case_values[point.at][axis]);
  }
};

/// `program` identifies the simulator: results of another one do not count. Throws Error with file
/// and line for what cannot be swept.
[[nodiscard]] SweepPlan plan_sweep(Study study, std::uint64_t program);

}  // namespace dvmsim
