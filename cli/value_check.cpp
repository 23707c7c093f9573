#include "cli/value_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

double tolerance(DType type) {
  switch (type) {
    case DType::F16:
      return 2e-2;
    case DType::BF16:
      return 8e-2;
    case DType::F32:
      return 1e-4;
    default:
      return 0;
  }
}

void note(RunReport::Check& check, double worst, double largest) {
  check.max_abs_err = std::max(check.max_abs_err, worst);
  if (largest > 0) check.max_rel_err = std::max(check.max_rel_err, worst / largest);
}

void add_floats(RunReport::Check& check, const Tensor& actual, const Tensor& expected) {
  const std::vector<float> a = actual.floats(), e = expected.floats();
  const double share = tolerance(expected.dtype());
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double want = e[i], got = a[i];
    if (std::isfinite(want)) largest = std::max(largest, std::abs(want));
    if (want == got || (std::isnan(want) && std::isnan(got))) continue;
    double error = std::abs(got - want);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    worst = std::max(worst, error);
    if (!(error <= share * (1 + std::abs(want)))) check.pass = false;
  }
  note(check, worst, largest);
}

void add_integers(RunReport::Check& check, const Tensor& actual, const Tensor& expected) {
  const auto a = actual.ints(), e = expected.ints();
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const auto want = static_cast<double>(e[i]);
    largest = std::max(largest, std::abs(want));
    if (a[i] == e[i]) continue;
    worst = std::max(worst, std::abs(static_cast<double>(a[i]) - want));
    check.pass = false;
  }
  note(check, worst, largest);
}

}  // namespace

RunReport::Check check_values(const std::vector<Tensor>& actual,
                              const std::vector<Tensor>& expected) {
  DVMSIM_ASSERT(actual.size() == expected.size(), "a run gives every output of the graph");
  RunReport::Check check;
  check.pass = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (actual[i].dtype() != expected[i].dtype() || actual[i].shape() != expected[i].shape()) {
      check.pass = false;
    } else if (is_float(expected[i].dtype())) {
      add_floats(check, actual[i], expected[i]);
    } else {
      add_integers(check, actual[i], expected[i]);
    }
  }
  return check;
}

}  // namespace dvmsim
