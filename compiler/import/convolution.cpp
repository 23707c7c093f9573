// ONNX convolutions. A transposed one becomes an ordinary one: with stride s, output s * i + r is a
// convolution of the input with every s-th row of the kernel from r on, so the s phases are outputs
// of one convolution, which depth_to_space then weaves together.
#include <array>

#include "compiler/import/windows.h"

namespace dvmsim::onnx_import {

Dims list_of(Lower& l, const char* name, std::size_t count, std::int64_t fallback) {
  const std::vector<std::int64_t> given = l.ints_of(name);
  if (given.empty()) return Dims(count, fallback);
  if (given.size() != count) l.fail(std::string(name) + " has the wrong length");
  return Dims(given.begin(), given.end());
}

namespace {

/// Pads that make ceil(size / stride) outputs; the odd one comes last (UPPER) or first (LOWER).
Dims same_pads(const Dims& size, const WindowAttributes& w, bool upper) {
  const std::size_t spatial = size.size();
  Dims pads(2 * spatial);
  for (std::size_t i = 0; i < spatial; ++i) {
    const Dim outputs = ceil_div(size[i], w.strides[i]);
    const Dim covered = (outputs - 1) * w.strides[i] + (w.kernel[i] - 1) * w.dilations[i] + 1;
    const Dim total = max(0, covered - size[i]);
    const Dim half = floor_div(total, 2);
    pads[i] = upper ? half : total - half;
    pads[i + spatial] = total - pads[i];
  }
  return pads;
}

}  // namespace

WindowAttributes windows_of(Lower& l, const Dims& size, Dims kernel) {
  const std::size_t spatial = size.size();
  if (kernel.size() != spatial) l.fail("the kernel has the wrong number of axes");
  WindowAttributes w{std::move(kernel), list_of(l, "strides", spatial, 1),
                     list_of(l, "dilations", spatial, 1), list_of(l, "pads", 2 * spatial, 0)};
  const std::string automatic = l.string_of("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    w.pads = same_pads(size, w, automatic == "SAME_UPPER");
  } else if (automatic == "VALID") {
    w.pads = Dims(2 * spatial, 0);
  } else if (automatic != "NOTSET" && !automatic.empty()) {
    l.fail("auto_pad '" + automatic + "' is not known");
  }
  return w;
}

AttributeMap conv_attributes(Lower& l, ValueId x, ValueId w) {
  if (l.rank(x) < 3 || l.rank(x) != l.rank(w)) l.fail("input and weights do not fit");
  if (l.rank(x) > 4) l.fail("convolutions over more than two axes are not supported");
  const Dims size(l.shape(x).begin() + 2, l.shape(x).end());
  const WindowAttributes windows =
      windows_of(l, size, Dims(l.shape(w).begin() + 2, l.shape(w).end()));
  return {{"strides", windows.strides},
          {"dilations", windows.dilations},
          {"pads", windows.pads},
          {"groups", l.int_of("group", 1)}};
}

namespace {

void conv(Lower& l) {
  const ValueId x = l.in(0), w = l.in(1);
  l.out(0, l.op(Op::Conv, {x, w, l.in_or_none(2)}, conv_attributes(l, x, w)));
}

using Numbers = std::vector<std::int64_t>;

/// One axis of a transposed convolution.
struct Axis {
  std::int64_t kernel = 1, stride = 1, dilation = 1, extra = 0;
  Dim size = 1, begin = 0, out = 1;  // of the input; cut off before; of the output
  [[nodiscard]] std::int64_t covered() const { return (kernel - 1) * dilation + 1; }
  [[nodiscard]] std::int64_t taps() const { return (covered() + stride - 1) / stride; }
  [[nodiscard]] Dim whole() const { return (size - 1) * stride + covered() + extra; }
  /// Positions of the convolution that outputs are taken from.
  [[nodiscard]] Dim positions() const { return ceil_div(begin + out, stride); }
};

Axis axis_of(Lower& l, std::size_t i, std::size_t spatial, const Dims& x, const Dims& w) {
  if (!w[i + 2].is_known()) l.fail("the kernel's size is not known");
  Axis axis;
  axis.kernel = w[i + 2].value();
  axis.stride = list_of(l, "strides", spatial, 1)[i].value();
  axis.dilation = list_of(l, "dilations", spatial, 1)[i].value();
  axis.extra = list_of(l, "output_padding", spatial, 0)[i].value();
  if (axis.stride < 1 || axis.dilation < 1) l.fail("strides and dilations must be positive");
  axis.size = x[i + 2];
  const Dims pads = list_of(l, "pads", 2 * spatial, 0);
  const Numbers shape = l.ints_of("output_shape");
  const std::string automatic = l.string_of("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (shape.empty() && !same) {
    axis.begin = pads[i];
    axis.out = axis.whole() - pads[i] - pads[i + spatial];
    return axis;
  }
  // The output's size is given; the odd pad comes last, first with SAME_LOWER.
  axis.out =
      same && shape.empty() ? axis.size * axis.stride : Dim(shape[shape.size() - spatial + i]);
  const Dim total = max(0, axis.whole() - axis.out), half = floor_div(total, 2);
  axis.begin = automatic == "SAME_LOWER" ? total - half : half;
  return axis;
}

/// [channels, outputs, kh, kw] as the weights of the phases: [groups * sh * sw * outputs, channels
/// of a group, taps, taps].
ValueId phase_weights(Lower& l, ValueId w, const Numbers& shape, std::int64_t groups,
                      const std::array<Axis, 2>& axes) {
  const std::int64_t channels = shape[0] / groups, outputs = shape[1];
  const std::string constant = "constant";
  ValueId made =
      l.folded(Op::Reshape, {w},
               {{"shape", as_dims({shape[0] * outputs, axes[0].kernel, 1, axes[1].kernel, 1})}});
  // Zeros between the taps of a dilated kernel, then behind it up to whole steps.
  made = l.folded(
      Op::Pad, {made},
      {{"mode", constant},
       {"pads", as_dims({0, 0, 0, 0, 0, 0, 0, axes[0].dilation - 1, 0, axes[1].dilation - 1})}});
  Numbers sizes = {shape[0] * outputs, axes[0].kernel * axes[0].dilation,
                   axes[1].kernel * axes[1].dilation};
  made = l.folded(Op::Reshape, {made}, {{"shape", as_dims(sizes)}});
  Numbers ends = {0, 0, 0, 0, 0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    ends[i + 4] = axes[i].taps() * axes[i].stride - sizes[i + 1];
  }
  made = l.folded(Op::Pad, {made}, {{"mode", constant}, {"pads", as_dims(ends)}});
  made = l.folded(Op::Reshape, {made},
                  {{"shape", as_dims({groups, channels, outputs, axes[0].taps(), axes[0].stride,
                                      axes[1].taps(), axes[1].stride})}});
  const Dims flipped = as_dims({3, 5});
  made = l.folded(Op::Slice, {made},
                  {{"starts", as_dims({-1, -1})},
                   {"ends", as_dims({-axes[0].taps() - 1, -axes[1].taps() - 1})},
                   {"axes", flipped},
                   {"steps", as_dims({-1, -1})}});
  made = l.folded(Op::Transpose, {made}, {{"perm", as_dims({0, 4, 6, 2, 1, 3, 5})}});
  return l.folded(Op::Reshape, {made},
                  {{"shape", as_dims({groups * axes[0].stride * axes[1].stride * outputs, channels,
                                      axes[0].taps(), axes[1].taps()})}});
}

/// Groups come first in what the convolution gives, phases in what depth_to_space takes.
ValueId phases_first(Lower& l, ValueId y, std::int64_t groups, std::int64_t phases) {
  const Dims shape = l.shape(y);
  if (groups == 1) return y;
  const Dim outputs = floor_div(shape[1], groups * phases);
  y = l.reshape(y, {shape[0], groups, phases, outputs, shape[2], shape[3]});
  y = l.op(Op::Transpose, {y}, {{"perm", as_dims({0, 2, 1, 3, 4, 5})}});
  return l.reshape(y, shape);
}

void conv_transpose(Lower& l) {
  ValueId x = l.in(0), w = l.in(1);
  if (l.rank(x) < 3 || l.rank(x) != l.rank(w)) l.fail("input and weights do not fit");
  if (l.rank(x) > 4) l.fail("convolutions over more than two axes are not supported");
  const std::size_t spatial = static_cast<std::size_t>(l.rank(x)) - 2;
  std::array<Axis, 2> axes;
  for (std::size_t i = 0; i < spatial; ++i) {
    axes[2 - spatial + i] = axis_of(l, i, spatial, l.shape(x), l.shape(w));
  }
  const std::int64_t groups = l.int_of("group", 1);
  Numbers shape;
  for (const Dim& dim : l.shape(w)) {
    if (!dim.is_known()) l.fail("the shape of the weights is not known");
    shape.push_back(dim.value());
  }
  if (groups < 1 || shape[0] % groups != 0) l.fail("groups do not divide the channels");
  const Dims from = l.shape(x);
  if (spatial == 1) {
    x = l.reshape(x, {from[0], from[1], 1, from[2]});
    shape.insert(shape.begin() + 2, 1);
  }
  Dims pads(4);
  for (std::size_t i = 0; i < 2; ++i) {
    pads[i] = axes[i].taps() - 1;
    pads[i + 2] = max(0, axes[i].positions() - axes[i].size);
  }
  const std::int64_t phases = axes[0].stride * axes[1].stride;
  const ValueId kernel = phase_weights(l, w, shape, groups, axes);
  ValueId y = l.op(Op::Conv, {x, kernel}, {{"pads", pads}, {"groups", groups}});
  y = phases_first(l, y, groups, phases);
  if (phases > 1) {
    y = l.op(Op::DepthToSpace, {y}, {{"block", as_dims({axes[0].stride, axes[1].stride})}});
  }
  y = l.op(Op::Slice, {y},
           {{"starts", Dims{axes[0].begin, axes[1].begin}},
            {"ends", Dims{axes[0].begin + axes[0].out, axes[1].begin + axes[1].out}},
            {"axes", as_dims({2, 3})}});
  if (l.in_or_none(2) != kNoValue) {
    y = l.op(Op::Add, {y, l.reshape(l.in(2), {groups * shape[1], 1, 1})});
  }
  if (spatial == 1) y = l.reshape(y, {from[0], groups * shape[1], axes[1].out});
  l.out(0, y);
}

constexpr Entry kTable[] = {{"Conv", conv}, {"ConvTranspose", conv_transpose}};

}  // namespace

std::span<const Entry> convolution_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
