// Runs points of a sweep, one after the other, in one process.
#pragma once

#include <map>
#include <memory>

#include "cli/execute.h"
#include "cli/sweep/plan.h"
#include "cli/sweep/result_log.h"

namespace dvmsim {

class PointRunner {
 public:
  /// Imports every model of the plan once: what starts from here shares them. Throws Error, with
  /// the place in the study, for a model that cannot be read.
  explicit PointRunner(const SweepPlan& plan);

  /// Whatever goes wrong is the result.
  [[nodiscard]] PointResult run(const SweepPoint& point);

 private:
  [[nodiscard]] RunOptions options_of(const SweepPoint& point) const;
  /// A point on a recorded stream: the sums of its steps.
  [[nodiscard]] PointResult run_stream(const SweepPoint& point) const;

  const SweepPlan& plan_;
  std::vector<Job> jobs_{};  // by workload; dims and inputs are the point's
};

}  // namespace dvmsim
