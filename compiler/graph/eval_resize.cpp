// Resizing, axis by axis.
#include "compiler/graph/eval_ops.h"
#include "compiler/graph/resample.h"

namespace dvmsim::eval_ops {
namespace {

std::vector<double> resized(const std::vector<double>& x, const std::vector<std::int64_t>& shape,
                            std::size_t axis, const AxisTaps& taps, double outside) {
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i < axis) outer *= shape[i];
    if (i > axis) inner *= shape[i];
  }
  const std::int64_t from = shape[axis];
  const auto to = static_cast<std::int64_t>(taps.index[0].size());
  std::vector<double> result(static_cast<std::size_t>(outer * to * inner), 0);
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < to; ++i) {
      const auto at = static_cast<std::size_t>(i);
      for (std::int64_t n = 0; n < inner; ++n) {
        double& sum = result[static_cast<std::size_t>((o * to + i) * inner + n)];
        for (std::size_t t = 0; t < taps.index.size(); ++t) {
          const double weight = taps.weight.empty() ? 1 : taps.weight[t][at];
          sum += weight * x[static_cast<std::size_t>((o * from + taps.index[t][at]) * inner + n)];
        }
        if (!taps.outside.empty() && taps.outside[at]) sum = outside;
      }
    }
  }
  return result;
}

}  // namespace

Tensor resize(const Call& call) {
  const Tensor& x = call.in(0);
  const std::vector<std::int64_t> wanted = call.out_shape();
  std::vector<std::int64_t> shape = x.shape();
  std::vector<double> values;
  if (is_float(x.dtype())) {
    for (const float value : x.floats()) values.push_back(value);
  } else {
    for (const std::int64_t value : x.ints()) values.push_back(static_cast<double>(value));
  }
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == wanted[axis] && is_kept(call.node, axis)) continue;
    const AxisTaps taps = axis_taps(call.node, axis, shape.size(), shape[axis], wanted[axis]);
    values = resized(values, shape, axis, taps, call.node.float_of("extrapolation"));
    shape[axis] = wanted[axis];
  }
  return Tensor::of(x.dtype(), wanted, values);
}

}  // namespace dvmsim::eval_ops
