// ONNX operators of signal processing. Windows and filter banks depend on sizes alone and are made
// here; Fourier transforms are products with matrices made here.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

using std::numbers::pi;

double known_number(Lower& l, int index, const char* what) {
  const std::optional<Tensor> tensor = l.known(l.in(index));
  if (!tensor || tensor->count() != 1) l.fail(std::string(what) + " must be one known number");
  return static_cast<double>(tensor->floats()[0]);
}

std::int64_t known_count(Lower& l, int index, const char* what, std::int64_t least) {
  constexpr double kMost = 1 << 24;
  const double value = known_number(l, index, what);
  if (!(value >= static_cast<double>(least) && value <= kMost)) {
    l.fail(std::string(what) + " must be a number from " + std::to_string(least) + " to 2^24");
  }
  return static_cast<std::int64_t>(value);
}

DType output_type(Lower& l) {
  return l.has_attribute("output_datatype") ? l.element_type(l.int_of("output_datatype", 1))
                                            : DType::F32;
}

/// a - b * cos(x) + c * cos(2x) over a period.
void window(Lower& l, double a, double b, double c) {
  const std::int64_t size = known_count(l, 0, "the size", 0);
  const bool periodic = l.int_of("periodic", 1) != 0;
  const auto period = static_cast<double>(std::max<std::int64_t>(periodic ? size : size - 1, 1));
  std::vector<double> values;
  for (std::int64_t i = 0; i < size; ++i) {
    const double x = 2 * pi * static_cast<double>(i) / period;
    values.push_back(a - b * std::cos(x) + c * std::cos(2 * x));
  }
  l.out(0, l.constant(Tensor::of(output_type(l), {size}, values)));
}
void hann(Lower& l) {
  window(l, 0.5, 0.5, 0);
}
void hamming(Lower& l) {
  window(l, 25.0 / 46.0, 21.0 / 46.0, 0);
}
void blackman(Lower& l) {
  window(l, 0.42, 0.5, 0.08);
}

/// Triangles over the bins of a spectrum, at equal distances on the mel scale.
void mel_weights(Lower& l) {
  const std::int64_t bands = known_count(l, 0, "num_mel_bins", 1);
  const std::int64_t length = known_count(l, 1, "dft_length", 1);
  const auto rate = static_cast<double>(known_count(l, 2, "sample_rate", 1));
  const auto mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double low = mel(known_number(l, 3, "lower_edge_hertz"));
  const double step =
      (mel(known_number(l, 4, "upper_edge_hertz")) - low) / static_cast<double>(bands + 2);
  std::vector<std::int64_t> bins;
  for (std::int64_t i = 0; i < bands + 2; ++i) {
    const double hertz = 700 * (std::pow(10, (low + static_cast<double>(i) * step) / 2595) - 1);
    const double bin = std::floor(static_cast<double>(length + 1) * hertz / rate);
    bins.push_back(static_cast<std::int64_t>(std::clamp(bin, 0.0, 0x1p40)));
  }
  const std::int64_t spectrum = length / 2 + 1;
  std::vector<double> weights(static_cast<std::size_t>(spectrum * bands), 0);
  for (std::int64_t band = 0; band < bands; ++band) {
    const auto at = static_cast<std::size_t>(band);
    const std::int64_t first = bins[at], peak = bins[at + 1], last = bins[at + 2];
    for (std::int64_t bin = first; bin < last && bin < spectrum; ++bin) {
      const bool rises = bin < peak;
      double& weight = weights[static_cast<std::size_t>(bin * bands + band)];
      weight = rises ? static_cast<double>(bin - first) / static_cast<double>(peak - first)
                     : static_cast<double>(last - bin) / static_cast<double>(last - peak);
    }
    if (peak < spectrum) weights[static_cast<std::size_t>(peak * bands + band)] = 1;
  }
  l.out(0, l.constant(Tensor::of(output_type(l), {spectrum, bands}, weights)));
}

/// [size, outputs] of cos and of sin(2 pi k n / length), of the samples there are.
std::pair<ValueId, ValueId> waves(Lower& l, DType dtype, std::int64_t size, std::int64_t length,
                                  std::int64_t outputs, double sign, double scale) {
  std::vector<double> real, imaginary;
  for (std::int64_t n = 0; n < size; ++n) {
    for (std::int64_t k = 0; k < outputs; ++k) {
      const double x = 2 * pi * static_cast<double>(n * k % length) / static_cast<double>(length);
      real.push_back(scale * std::cos(x));
      imaginary.push_back(scale * sign * std::sin(x));
    }
  }
  return {l.constant(Tensor::of(dtype, {size, outputs}, real)),
          l.constant(Tensor::of(dtype, {size, outputs}, imaginary))};
}

/// x [rows, size] times a matrix.
ValueId product(Lower& l, ValueId x, ValueId matrix) {
  return l.op(Op::MatMul, {x, matrix});
}

ValueId joined(Lower& l, ValueId real, ValueId imaginary) {
  Dims shape = l.shape(real);
  shape.emplace_back(1);
  const auto last = static_cast<std::int64_t>(shape.size()) - 1;
  return l.op(Op::Concat, {l.reshape(real, shape), l.reshape(imaginary, shape)}, {{"axis", last}});
}

/// The transform of the last axis of a real part and perhaps an imaginary one: [..., outputs, 2].
ValueId transform(Lower& l, ValueId real, ValueId imaginary, std::int64_t length,
                  std::int64_t outputs, bool inverse) {
  const Dims shape = l.shape(real);
  const std::int64_t size = std::min(shape.back().value(), length);
  const int last = static_cast<int>(shape.size()) - 1;
  const auto rows = [&](ValueId x) {
    Dims flat = {element_count(Dims(shape.begin(), shape.end() - 1)), size};
    return l.reshape(l.slice(x, last, 0, size), flat);
  };
  const double scale = inverse ? 1.0 / static_cast<double>(length) : 1.0;
  const auto [cosines, sines] =
      waves(l, l.dtype(real), size, length, outputs, inverse ? 1 : -1, scale);
  ValueId a = product(l, rows(real), cosines), b = product(l, rows(real), sines);
  if (imaginary != kNoValue) {
    a = l.op(Op::Sub, {a, product(l, rows(imaginary), sines)});
    b = l.op(Op::Add, {b, product(l, rows(imaginary), cosines)});
  }
  Dims result(shape.begin(), shape.end() - 1);
  result.emplace_back(outputs);
  return joined(l, l.reshape(a, result), l.reshape(b, result));
}

void check_length(Lower& l, const Dim& size) {
  if (!size.is_known()) l.fail("the transformed dimension must be known");
}

void dft(Lower& l) {
  ValueId x = l.in(0);
  const int rank = l.rank(x);
  std::int64_t at = l.int_of("axis", 1);
  if (l.has(2)) at = static_cast<std::int64_t>(known_number(l, 2, "axis"));
  const int axis = l.axis(at, rank);
  if (rank < 3 || axis == rank - 1) l.fail("transforms an axis before the last one");
  Dims shape = l.shape(x);
  check_length(l, shape[static_cast<std::size_t>(axis)]);
  std::int64_t length = shape[static_cast<std::size_t>(axis)].value();
  if (l.has(1)) length = known_count(l, 1, "dft_length", 1);
  if (length < 1) l.fail("transforms no elements");
  const bool one_sided = l.int_of("onesided", 0) != 0, inverse = l.int_of("inverse", 0) != 0;
  if (one_sided && inverse) l.fail("an inverse transform is not one-sided");
  const bool is_complex = shape.back().is(2);
  Dims perm, back;
  for (int i = 0; i < rank - 1; ++i) {
    if (i != axis) perm.emplace_back(i);
  }
  perm.emplace_back(axis);
  for (int i = 0; i < rank - 1; ++i) {
    back.emplace_back(i < axis ? i : i == axis ? rank - 2 : i - 1);
  }
  back.emplace_back(rank - 1);
  const auto part = [&](std::int64_t which) {
    Dims whole = shape;
    whole.pop_back();
    const ValueId plane = l.reshape(l.slice(x, rank - 1, which, which + 1), whole);
    return l.op(Op::Transpose, {plane}, {{"perm", perm}});
  };
  const ValueId result = transform(l, part(0), is_complex ? part(1) : kNoValue, length,
                                   one_sided ? length / 2 + 1 : length, inverse);
  l.out(0, l.op(Op::Transpose, {result}, {{"perm", back}}));
}

/// Frames by number, the window, and the transform of each frame.
void stft(Lower& l) {
  const ValueId signal = l.in(0);
  const Dims shape = l.shape(signal);
  if (shape.size() < 2 || shape.size() > 3 || (shape.size() == 3 && !shape[2].is(1))) {
    l.fail("only real signals are supported");
  }
  check_length(l, shape[1]);
  const std::int64_t step = known_count(l, 1, "frame_step", 1);
  std::int64_t length = 0;
  if (l.has(3)) {
    length = known_count(l, 3, "frame_length", 1);
  } else if (l.has(2)) {
    check_length(l, l.shape(l.in(2))[0]);
    length = l.shape(l.in(2))[0].value();
  } else {
    l.fail("needs a window or a frame_length");
  }
  if (length < 1 || shape[1].value() < length) l.fail("the signal is shorter than a frame");
  const std::int64_t frames = (shape[1].value() - length) / step + 1;
  std::vector<std::int64_t> numbers;
  for (std::int64_t frame = 0; frame < frames; ++frame) {
    for (std::int64_t i = 0; i < length; ++i) numbers.push_back(frame * step + i);
  }
  const ValueId index = l.constant(Tensor::of_ints(DType::I64, {frames * length}, numbers));
  const ValueId flat = l.reshape(signal, {shape[0], shape[1]});
  ValueId framed = l.reshape(l.op(Op::Gather, {flat, index}, {{"axis", std::int64_t{1}}}),
                             {shape[0], frames, length});
  if (l.has(2)) framed = l.op(Op::Mul, {framed, l.in(2)});
  const bool one_sided = l.int_of("onesided", 1) != 0;
  l.out(0, transform(l, framed, kNoValue, length, one_sided ? length / 2 + 1 : length, false));
}

constexpr Entry kTable[] = {
    {"BlackmanWindow", blackman},     {"DFT", dft},
    {"HammingWindow", hamming},       {"HannWindow", hann},
    {"MelWeightMatrix", mel_weights}, {"STFT", stft},
};

}  // namespace

std::span<const Entry> signal_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
