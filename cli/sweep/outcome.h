// What a sweep found: the metrics of each point and each design, and the costs of its machines.
// Owns what a metric may be made of, and how cases are averaged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cost.h"
#include "cli/sweep/plan.h"
#include "cli/sweep/result_log.h"

namespace dvmsim {

struct SweepMetric {
  std::string name{}, unit{};
  Expression value{};
  int line = 0;       // of the study; 0: a default one
  bool more = false;  // the more, the better
};

/// What is computed from results, known before anything runs.
struct SweepForms {
  std::vector<SweepMetric> metrics{};
  std::vector<std::vector<DesignCost>> costs{};  // of each hardware of the study
  /// Names and units of all costs, in order; a machine that lacks one has no value of it.
  std::vector<std::pair<std::string, std::string>> cost_names{};
  std::vector<std::string> objectives{};  // metrics and costs; fewer than two: no front
  [[nodiscard]] bool more_is_better(const std::string& objective) const;
};
/// Throws Error with file and line for a metric made of what no run has, and for unknown
/// objectives.
[[nodiscard]] SweepForms sweep_forms(const SweepPlan& plan);

using Numbers = std::vector<std::optional<double>>;  // empty where there is no value

struct SweepOutcome {
  const SweepPlan* plan = nullptr;
  const SweepForms* forms = nullptr;
  std::vector<PointResult> results{};  // by point
  std::vector<Numbers> metrics{};      // by point and metric
  std::vector<Numbers> costs{};        // by design and cost
  /// By design and metric: the mean over its cases, if each has a value: geometric by weight where
  /// all values of the metric are positive, else arithmetic.
  std::vector<Numbers> means{};
  std::vector<std::size_t> front{};  // designs on the Pareto front, by the first objective

  [[nodiscard]] std::size_t count(PointResult::Status status) const;
  [[nodiscard]] std::optional<double> objective(std::size_t design, const std::string& name) const;
};
[[nodiscard]] SweepOutcome outcome_of(const SweepPlan& plan, const SweepForms& forms,
                                      const PointResults& results);

/// Rows that no other row beats: as small in every column, and smaller in one. Equal rows are all
/// kept.
[[nodiscard]] std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& rows);

}  // namespace dvmsim
