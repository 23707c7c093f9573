// Matrix products and convolutions. Products are added in f32 in ascending order of the contracted
// indices; the bias comes last. Integers are exact.
#include <algorithm>
#include <cmath>
#include <optional>

#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

struct Matrix {
  std::size_t row = 0;  // strides
  std::size_t column = 0;
};

Matrix strides(const Tensor& tensor, bool transposed) {
  const auto width = static_cast<std::size_t>(tensor.shape().back());
  return transposed ? Matrix{1, width} : Matrix{width, 1};
}

std::vector<std::int64_t> batch_of(const std::vector<std::int64_t>& shape) {
  return {shape.begin(), shape.end() - 2};
}

template <class Number>
Tensor multiplied(const Call& call) {
  const std::vector<std::int64_t> shape = call.out_shape();
  const std::vector<Number> a = numbers_of<Number>(call.in(0));
  const std::vector<Number> b = numbers_of<Number>(call.in(1));
  const Matrix by_a = strides(call.in(0), call.node.int_of("trans_a") != 0);
  const Matrix by_b = strides(call.in(1), call.node.int_of("trans_b") != 0);
  const auto rows = static_cast<std::size_t>(shape[shape.size() - 2]);
  const auto columns = static_cast<std::size_t>(shape.back());
  const std::vector<std::int64_t>& sa = call.in(0).shape();
  const auto depth =
      static_cast<std::size_t>(call.node.int_of("trans_a") != 0 ? sa[sa.size() - 2] : sa.back());
  const std::vector<std::int64_t> batch = batch_of(shape);
  const Offsets batch_a = broadcast_offsets(batch_of(sa), batch);
  const Offsets batch_b = broadcast_offsets(batch_of(call.in(1).shape()), batch);
  const std::vector<Number> bias =
      call.has(2) ? numbers_of<Number>(call.in(2)) : std::vector<Number>();
  std::vector<Number> result(static_cast<std::size_t>(element_count(shape)), Number{0});
  for (std::size_t n = 0; n < batch_a.size(); ++n) {
    const Number* left = a.data() + static_cast<std::size_t>(batch_a[n]) * rows * depth;
    const Number* right = b.data() + static_cast<std::size_t>(batch_b[n]) * depth * columns;
    for (std::size_t i = 0; i < rows; ++i) {
      Number* out = result.data() + (n * rows + i) * columns;
      for (std::size_t k = 0; k < depth; ++k) {
        const Number x = left[i * by_a.row + k * by_a.column];
        const Number* row = right + k * by_b.row;
        for (std::size_t j = 0; j < columns; ++j) out[j] += x * row[j * by_b.column];
      }
      for (std::size_t j = 0; j < columns && !bias.empty(); ++j) {
        out[j] += bias[bias.size() == 1 ? 0 : j];
      }
    }
  }
  return tensor_of(call.out_dtype(), shape, result);
}

/// A convolution over up to two spatial axes; one axis is a plane of height 1.
struct Plane {
  std::int64_t channels, in_h, in_w, kernel_h, kernel_w, out_h, out_w;
  std::int64_t stride_h = 1, stride_w = 1, pad_h = 0, pad_w = 0, dilate_h = 1, dilate_w = 1;
  std::int64_t fill = 0;  // what lies outside
};

Plane plane_of(const Call& call) {
  const std::vector<std::int64_t>& x = call.in(0).shape();
  const std::vector<std::int64_t>& w = call.in(1).shape();
  const std::vector<std::int64_t> out = call.out_shape();
  const std::size_t spatial = x.size() - 2;
  if (spatial > 2) call.use().fail("convolutions over more than two axes are not supported");
  const bool flat = spatial == 1;
  Plane p{w[1],     flat ? 1 : x[2],   x.back(),  flat ? 1 : w[2],
          w.back(), flat ? 1 : out[2], out.back()};
  const std::vector<std::int64_t> strides =
      call.node.ints_of("strides", std::vector<std::int64_t>(spatial, 1));
  const std::vector<std::int64_t> dilations =
      call.node.ints_of("dilations", std::vector<std::int64_t>(spatial, 1));
  const std::vector<std::int64_t> pads =
      call.node.ints_of("pads", std::vector<std::int64_t>(2 * spatial, 0));
  p.fill = call.node.int_of("fill");
  p.stride_w = strides.back();
  p.dilate_w = dilations.back();
  p.pad_w = pads[spatial - 1];
  if (!flat) {
    p.stride_h = strides[0];
    p.dilate_h = dilations[0];
    p.pad_h = pads[0];
  }
  return p;
}

template <class Number>
Number convolved(const Plane& p, const Number* x, const Number* w, std::int64_t oh,
                 std::int64_t ow) {
  Number sum = 0;
  for (std::int64_t c = 0; c < p.channels; ++c) {
    for (std::int64_t kh = 0; kh < p.kernel_h; ++kh) {
      const std::int64_t h = oh * p.stride_h + kh * p.dilate_h - p.pad_h;
      const bool outside = h < 0 || h >= p.in_h;
      if (outside && p.fill == 0) continue;
      const Number* row = outside ? nullptr : x + (c * p.in_h + h) * p.in_w;
      const Number* taps = w + (c * p.kernel_h + kh) * p.kernel_w;
      for (std::int64_t kw = 0; kw < p.kernel_w; ++kw) {
        const std::int64_t at = ow * p.stride_w + kw * p.dilate_w - p.pad_w;
        const bool inside = !outside && at >= 0 && at < p.in_w;
        sum += (inside ? row[at] : static_cast<Number>(p.fill)) * taps[kw];
      }
    }
  }
  return sum;
}

template <class Number>
Tensor convolution(const Call& call, std::optional<DType> type = std::nullopt) {
  const Plane p = plane_of(call);
  const std::vector<Number> x = numbers_of<Number>(call.in(0));
  const std::vector<Number> w = numbers_of<Number>(call.in(1));
  const std::vector<Number> bias =
      call.has(2) ? numbers_of<Number>(call.in(2)) : std::vector<Number>();
  const std::int64_t batch = call.in(0).shape()[0];
  const std::int64_t outputs = call.in(1).shape()[0];
  const std::int64_t groups = call.node.int_of("groups");
  const std::int64_t x_plane = p.channels * p.in_h * p.in_w;
  const std::int64_t w_plane = p.channels * p.kernel_h * p.kernel_w;
  std::vector<Number> result;
  result.reserve(static_cast<std::size_t>(element_count(call.out_shape())));
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t m = 0; m < outputs; ++m) {
      const std::int64_t group = m / (outputs / groups);
      const Number* from = x.data() + (n * groups + group) * x_plane;
      const Number* taps = w.data() + m * w_plane;
      const Number add = bias.empty() ? Number{0} : bias[static_cast<std::size_t>(m)];
      for (std::int64_t oh = 0; oh < p.out_h; ++oh) {
        for (std::int64_t ow = 0; ow < p.out_w; ++ow) {
          result.push_back(convolved(p, from, taps, oh, ow) + add);
        }
      }
    }
  }
  return tensor_of(type.value_or(call.out_dtype()), call.out_shape(), result);
}

}  // namespace

float quantised(const Call& call, float value) {
  if (is_float(call.out_dtype())) return value;
  const float low = call.out_dtype() == DType::U8 ? 0 : -128;
  const float high = call.out_dtype() == DType::U8 ? 255 : 127;
  if (value != value) return 0;
  const auto offset = static_cast<float>(call.node.int_of("offset"));
  return std::clamp(std::nearbyint(value) + offset, low, high);
}

Tensor matmul(const Call& call) {
  return is_float(call.in(0).dtype()) ? multiplied<float>(call) : multiplied<std::int64_t>(call);
}

Tensor conv(const Call& call) {
  if (!call.has(3)) {
    return is_float(call.in(0).dtype()) ? convolution<float>(call)
                                        : convolution<std::int64_t>(call);
  }
  // Scaled sums, a scale for each output.
  const std::vector<std::int64_t> sums = convolution<std::int64_t>(call, DType::I32).ints();
  const std::vector<float> scale = call.in(3).floats();
  const std::vector<std::int64_t> shape = call.out_shape();
  const std::int64_t pixels = element_count(shape) / (shape[0] * shape[1]);
  std::vector<float> result;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t output = i / static_cast<std::size_t>(pixels) % scale.size();
    result.push_back(quantised(call, static_cast<float>(sums[i]) * scale[output]));
  }
  return Tensor::of_floats(call.out_dtype(), shape, result);
}

}  // namespace dvmsim::eval_ops
