#include "cli/compare.h"

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

void add_floats(RunReport::Check& check, const Tensor& actual, const Tensor& expected) {
  const std::vector<float> a = actual.floats(), e = expected.floats();
  const double share = tolerance(expected.dtype());
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double want = e[i], got = a[i];
    if (want == got || (std::isnan(want) && std::isnan(got))) continue;
    double error = std::abs(got - want);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    const double relative = want == 0 ? 0 : error / std::abs(want);
    check.max_abs_err = std::max(check.max_abs_err, error);
    check.max_rel_err = std::max(check.max_rel_err, relative);
    if (!(error <= share * (1 + std::abs(want)))) check.pass = false;
  }
}

void add_integers(RunReport::Check& check, const Tensor& actual, const Tensor& expected) {
  const auto a = actual.ints(), e = expected.ints();
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (a[i] == e[i]) continue;
    const double error = std::abs(static_cast<double>(a[i]) - static_cast<double>(e[i]));
    check.max_abs_err = std::max(check.max_abs_err, error);
    if (e[i] != 0) {
      check.max_rel_err = std::max(check.max_rel_err, error / std::abs(static_cast<double>(e[i])));
    }
    check.pass = false;
  }
}

}  // namespace

RunReport::Check compare(const std::vector<Tensor>& actual, const std::vector<Tensor>& expected) {
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
