// How far outputs of a model are from what they should be.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace dvmsim {

/// Largest error, relative to values above one; infinity for NaN or another number of values.
inline double worst_error(const std::vector<float>& actual, const std::vector<float>& expected) {
  if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double x = actual[i], y = expected[i];
    const double error = std::abs(x - y) / std::max(1.0, std::abs(y));
    most = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(most, error);
  }
  return most;
}

}  // namespace dvmsim
