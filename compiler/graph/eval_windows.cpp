// Operators on windows of channels-last maps, and pools in either layout, as plain loops. Sums in
// f32 over the window in ascending order.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

using Sizes = std::vector<std::int64_t>;

/// The axes of a map and its windows.
struct Windows {
  Sizes in, out, kernel, stride, dilation, pad;

  Windows(const Call& call, Sizes in_size, Sizes out_size)
      : in(std::move(in_size)), out(std::move(out_size)) {
    const std::size_t rank = in.size();
    kernel = call.node.ints_of("kernel");
    stride = call.node.ints_of("strides", Sizes(rank, 1));
    dilation = call.node.ints_of("dilations", Sizes(rank, 1));
    pad = call.node.ints_of("pads", Sizes(2 * rank, 0));
  }
  [[nodiscard]] static Sizes coordinates(std::int64_t index, const Sizes& size) {
    Sizes at(size.size());
    for (std::size_t i = size.size(); i-- > 0; index /= size[i]) at[i] = index % size[i];
    return at;
  }
  /// The pixel under a tap of an output, or -1 outside the map.
  [[nodiscard]] std::int64_t pixel(std::int64_t output, std::int64_t tap) const {
    const Sizes to = coordinates(output, out), of = coordinates(tap, kernel);
    std::int64_t index = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::int64_t at = to[i] * stride[i] + of[i] * dilation[i] - pad[i];
      if (at < 0 || at >= in[i]) return -1;
      index = index * in[i] + at;
    }
    return index;
  }
};

/// A map as images x channels x pixels, wherever channels are.
struct Layout {
  std::int64_t images, channels, pixels;
  bool last;
  [[nodiscard]] std::size_t at(std::int64_t image, std::int64_t channel, std::int64_t pixel) const {
    return static_cast<std::size_t>(last ? (image * pixels + pixel) * channels + channel
                                         : (image * channels + channel) * pixels + pixel);
  }
};

Layout layout_of(const Sizes& shape, bool last) {
  Layout layout{shape[0], last ? shape.back() : shape[1], 1, last};
  for (std::size_t i = last ? 1 : 2; i < shape.size() - (last ? 1 : 0); ++i) {
    layout.pixels *= shape[i];
  }
  return layout;
}

Sizes spatial_of(const Sizes& shape, bool last) {
  return last ? Sizes(shape.begin() + 1, shape.end() - 1) : Sizes(shape.begin() + 2, shape.end());
}

template <class Number, class Join>
std::vector<Number> pooled(const Call& call, const std::vector<Number>& x, Number start,
                           Join&& join) {
  const bool last = call.node.int_of("last") != 0;
  const Sizes shape = call.out_shape();
  const Windows windows(call, spatial_of(call.in(0).shape(), last), spatial_of(shape, last));
  const Layout from = layout_of(call.in(0).shape(), last), to = layout_of(shape, last);
  const std::int64_t taps = element_count(windows.kernel);
  std::vector<Number> result(static_cast<std::size_t>(element_count(shape)), start);
  for (std::int64_t output = 0; output < to.pixels; ++output) {
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t pixel = windows.pixel(output, tap);
      if (pixel < 0) continue;
      for (std::int64_t image = 0; image < to.images; ++image) {
        for (std::int64_t channel = 0; channel < to.channels; ++channel) {
          Number& into = result[to.at(image, channel, output)];
          into = join(into, x[from.at(image, channel, pixel)], tap, channel);
        }
      }
    }
  }
  return result;
}

/// One output of conv_last after its sum.
float finished(const Call& call, float sum, float scale) {
  float value = sum * scale;
  if (call.node.int_of("relu") != 0 && value <= 0) value = 0;
  return quantised(call, value);
}

template <class Number>
std::vector<Number> conv_sums(const Call& call, const std::vector<Number>& x,
                              const std::vector<Number>& w, const std::vector<Number>& bias) {
  const Sizes shape = call.out_shape(), in = call.in(0).shape();
  const Windows windows(call, spatial_of(in, true), spatial_of(shape, true));
  const Layout from = layout_of(in, true), to = layout_of(shape, true);
  const std::int64_t groups = call.node.int_of("groups"), channels = from.channels / groups;
  const std::int64_t taps = element_count(windows.kernel), depth = call.in(1).shape()[1];
  const std::int64_t c0 = 32 / size_of(call.in(0).dtype());
  const auto fill = static_cast<Number>(call.node.int_of("fill"));
  std::vector<Number> result(static_cast<std::size_t>(element_count(shape)), Number{0});
  for (std::int64_t output = 0; output < to.pixels; ++output) {
    for (std::int64_t column = 0; column < depth; ++column) {
      const std::int64_t channel = column / (c0 * taps) * c0 + column % c0;
      if (channel >= channels) continue;
      const std::int64_t pixel = windows.pixel(output, column / c0 % taps);
      for (std::int64_t image = 0; image < to.images; ++image) {
        for (std::int64_t n = 0; n < to.channels; ++n) {
          const std::int64_t group = n / (to.channels / groups);
          const Number value =
              pixel < 0 ? fill : x[from.at(image, group * channels + channel, pixel)];
          result[to.at(image, n, output)] +=
              value * w[static_cast<std::size_t>(n * depth + column)];
        }
      }
    }
  }
  for (std::size_t i = 0; i < result.size() && !bias.empty(); ++i) {
    result[i] += bias[i % bias.size()];
  }
  return result;
}

std::int64_t lowest_of(DType dtype) {
  switch (dtype) {
    case DType::I8:
      return std::numeric_limits<std::int8_t>::min();
    case DType::I32:
      return std::numeric_limits<std::int32_t>::min();
    default:
      return 0;
  }
}

}  // namespace

Tensor window(const Call& call) {
  const Tensor& x = call.in(0);
  if (!is_float(x.dtype())) {
    return Tensor::of_ints(
        x.dtype(), call.out_shape(),
        pooled<std::int64_t>(call, x.ints(), lowest_of(x.dtype()),
                             [](auto a, auto b, auto, auto) { return std::max(a, b); }));
  }
  if (call.node.op == Op::MaxPool) {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    return Tensor::of_floats(
        x.dtype(), call.out_shape(),
        pooled<float>(call, x.floats(), kLowest,
                      [](float a, float b, auto, auto) { return b > a || b != b ? b : a; }));
  }
  const std::vector<float> w = call.has(1) ? call.in(1).floats() : std::vector<float>();
  const auto channels = static_cast<std::size_t>(x.shape().back());
  std::vector<float> sums =
      pooled<float>(call, x.floats(), 0, [&](float a, float b, auto tap, auto channel) {
        if (w.empty()) return a + b;
        const auto at = static_cast<std::size_t>(tap) * channels;
        return a + b * w[at + static_cast<std::size_t>(channel)];
      });
  if (call.node.op == Op::SumPool) {
    const auto scale = static_cast<float>(call.node.float_of("scale"));
    for (float& sum : sums) sum *= scale;
  }
  return Tensor::of_floats(x.dtype(), call.out_shape(), sums);
}

Tensor conv_last(const Call& call) {
  const bool real = is_float(call.in(0).dtype());
  std::vector<float> sums;
  if (real) {
    const auto bias = call.has(2) ? call.in(2).floats() : std::vector<float>();
    sums = conv_sums<float>(call, call.in(0).floats(), call.in(1).floats(), bias);
  } else {
    const auto bias = call.has(2) ? call.in(2).ints() : std::vector<std::int64_t>();
    const auto exact = conv_sums<std::int64_t>(call, call.in(0).ints(), call.in(1).ints(), bias);
    if (!call.has(3)) return Tensor::of_ints(call.out_dtype(), call.out_shape(), exact);
    sums.assign(exact.begin(), exact.end());
  }
  const std::vector<float> scale = call.has(3) ? call.in(3).floats() : std::vector<float>{1};
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i] = finished(call, sums[i], scale[i % scale.size()]);
  }
  return Tensor::of_floats(call.out_dtype(), call.out_shape(), sums);
}

}  // namespace dvmsim::eval_ops
