// Which axis moves a metric, and how much. On axes that form a grid, main effects: how far the
// geometric mean of the metric at one value of the axis lies from that at another, all other axes
// being equal; where some points have no result, what fits the others best (least squares of
// logarithms). On axes drawn at random, least squares of the metric's logarithm on the logarithms
// of all drawn axes at once, everything else being equal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/sweep/outcome.h"

namespace dvmsim {

struct AxisEffect {
  std::size_t axis = 0;
  /// Largest over smallest mean, less 1; of a drawn axis what its slope makes over its range.
  /// Empty: not to be told from these points.
  std::optional<double> effect{};
  /// Change of the metric's logarithm over that of the axis: -1 halves the metric when the axis
  /// doubles. Empty for axes without numbers.
  std::optional<double> elasticity{};
  struct Level {
    int value = 0;  // of the axis
    double mean = 0;
    std::size_t points = 0, lacking = 0;  // with a result, and without
  };
  std::vector<Level> levels{};  // of main effects; only values that can be compared
  /// The effect among the points with one value of another axis: where the axis matters.
  struct Within {
    std::size_t axis = 0;
    int value = 0;
    double effect = 0;
  };
  std::vector<Within> within{};  // of main effects, up to 20,000 points
  std::size_t comparisons = 0;   // points that differ in this axis alone from another
};

struct MetricEffects {
  std::size_t metric = 0;
  std::vector<AxisEffect> axes{};     // the largest first, unknown ones last
  std::optional<double> explained{};  // share of variance that the regression explains
};

/// Empty if a value of the metric is not positive: ratios mean nothing then.
[[nodiscard]] std::optional<MetricEffects> effects_on(const SweepOutcome& outcome,
                                                      std::size_t metric);

/// Least squares: slopes of `y` on the columns of `x` (rows of equal length, y as many), without a
/// constant. Empty if the columns depend on one another.
[[nodiscard]] std::optional<std::vector<double>> least_squares(
    const std::vector<std::vector<double>>& x, const std::vector<double>& y);

}  // namespace dvmsim
