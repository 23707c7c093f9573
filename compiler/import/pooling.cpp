// ONNX pools. Averages and norms are sums over windows with something around them.
#include <cmath>

#include "compiler/import/windows.h"

namespace dvmsim::onnx_import {
namespace {

using Numbers = std::vector<std::int64_t>;

Dims spatial_of(Lower& l, ValueId x) {
  if (l.rank(x) < 3 || l.rank(x) > 5) l.fail("pools are over one, two or three axes");
  return {l.shape(x).begin() + 2, l.shape(x).end()};
}

/// With ceil_mode the end is padded for the last window, which must begin inside or before.
WindowAttributes pool_windows(Lower& l, ValueId x) {
  const Dims size = spatial_of(l, x);
  const Numbers kernel = l.ints_of("kernel_shape");
  WindowAttributes w = windows_of(l, size, as_dims(kernel));
  if (l.int_of("ceil_mode", 0) == 0) return w;
  for (std::size_t i = 0; i < size.size(); ++i) {
    const Dim padded = size[i] + w.pads[i] + w.pads[i + size.size()];
    const Dim covered = (w.kernel[i] - 1) * w.dilations[i] + 1;
    const Dim outputs = min(ceil_div(padded - covered, w.strides[i]) + 1,
                            ceil_div(size[i] + w.pads[i], w.strides[i]));
    w.pads[i + size.size()] = (outputs - 1) * w.strides[i] + covered - size[i] - w.pads[i];
  }
  return w;
}

std::optional<Numbers> known(const Dims& values) {
  Numbers result;
  for (const Dim& dim : values) {
    if (!dim.is_known()) return std::nullopt;
    result.push_back(dim.value());
  }
  return result;
}

/// For each output, the flat index (in one map) of the pixel under a tap of its window.
Numbers indices_under(const Numbers& size, const Numbers& out, const WindowAttributes& w,
                      std::int64_t tap, bool columns_first) {
  const std::size_t spatial = size.size();
  Numbers of(spatial), result;
  for (std::size_t i = spatial; i-- > 0;) {
    of[i] = tap % w.kernel[i].value();
    tap /= w.kernel[i].value();
  }
  const std::int64_t count = element_count(out);
  for (std::int64_t o = 0; o < count; ++o) {
    Numbers at(spatial);
    std::int64_t rest = o, flat = 0;
    for (std::size_t i = spatial; i-- > 0; rest /= out[i]) {
      at[i] =
          rest % out[i] * w.strides[i].value() + of[i] * w.dilations[i].value() - w.pads[i].value();
    }
    for (std::size_t i = 0; i < spatial; ++i) {
      const std::size_t axis = columns_first ? spatial - 1 - i : i;
      flat = flat * size[axis] + at[axis];
    }
    result.push_back(flat);
  }
  return result;
}

/// The largest of each window and where it is: tap by tap, the first of equal ones.
void max_pool_indices(Lower& l, ValueId x, const WindowAttributes& w) {
  const std::optional<Numbers> shape = known(l.shape(x)), ends = known(w.pads);
  if (!shape || !ends) l.fail("the output Indices needs known sizes");
  const std::size_t spatial = shape->size() - 2;
  const Numbers size(shape->begin() + 2, shape->end());
  Numbers pads = {0, 0, 0, 0}, out, axes;
  pads.insert(pads.begin() + 2, ends->begin(),
              ends->begin() + static_cast<std::ptrdiff_t>(spatial));
  pads.insert(pads.end(), ends->begin() + static_cast<std::ptrdiff_t>(spatial), ends->end());
  const ValueId padded = l.op(Op::Pad, {x, kNoValue, l.scalar(x, -INFINITY)},
                              {{"mode", std::string("constant")}, {"pads", as_dims(pads)}});
  std::int64_t taps = 1;
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t covered = (w.kernel[i].value() - 1) * w.dilations[i].value() + 1;
    const std::int64_t room = size[i] + (*ends)[i] + (*ends)[i + spatial] - covered;
    out.push_back(room / w.strides[i].value() + 1);
    axes.push_back(static_cast<std::int64_t>(i) + 2);
    taps *= w.kernel[i].value();
  }
  ValueId best = kNoValue, where = kNoValue;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    Numbers starts(spatial), stops(spatial);
    std::int64_t rest = tap;
    for (std::size_t i = spatial; i-- > 0; rest /= w.kernel[i].value()) {
      starts[i] = rest % w.kernel[i].value() * w.dilations[i].value();
      stops[i] = starts[i] + (out[i] - 1) * w.strides[i].value() + 1;
    }
    const ValueId under = l.op(Op::Slice, {padded},
                               {{"starts", as_dims(starts)},
                                {"ends", as_dims(stops)},
                                {"axes", as_dims(axes)},
                                {"steps", w.strides}});
    Numbers index_shape = {1, 1};
    index_shape.insert(index_shape.end(), out.begin(), out.end());
    const Numbers places = indices_under(size, out, w, tap, l.int_of("storage_order", 0) != 0);
    const ValueId here = l.constant(Tensor::of_ints(DType::I64, index_shape, places));
    if (tap == 0) {
      best = under;
      where = here;
      continue;
    }
    const ValueId larger = l.op(Op::Gt, {under, best});
    best = l.op(Op::Max, {under, best});
    where = l.op(Op::Select, {larger, here, where});
  }
  Numbers planes;
  for (std::int64_t i = 0; i < (*shape)[0] * (*shape)[1]; ++i) {
    planes.push_back(i * element_count(size));
  }
  Numbers plane_shape = {(*shape)[0], (*shape)[1]};
  plane_shape.resize(shape->size(), 1);
  l.out(0, best);
  l.out(1, l.op(Op::Add, {where, l.constant(Tensor::of_ints(DType::I64, plane_shape, planes))}));
}

void max_pool(Lower& l) {
  const ValueId x = l.in(0);
  const WindowAttributes w = pool_windows(l, x);
  if (l.wants(1)) return max_pool_indices(l, x, w);
  l.out(0, l.op(Op::MaxPool, {x}, w.map()));
}

/// How many pixels each window of one map counts, as a tensor that broadcasts.
ValueId counts(Lower& l, ValueId x, const WindowAttributes& w, const Dims& counted_pads) {
  const std::size_t spatial = w.kernel.size();
  Dims shape = {1, 1}, before = {0, 0}, after = {0, 0}, rest(2 * spatial);
  const Dims size = spatial_of(l, x);
  for (std::size_t i = 0; i < spatial; ++i) {
    // Pixels that count, those of the map and of the pads that do.
    shape.push_back(size[i] + counted_pads[i] + counted_pads[i + spatial]);
    rest[i] = w.pads[i] - counted_pads[i];
    rest[i + spatial] = w.pads[i + spatial] - counted_pads[i + spatial];
  }
  WindowAttributes windows = w;
  windows.pads = rest;
  const double one = 1;
  const std::optional<Numbers> sizes = known(shape);
  ValueId ones = kNoValue;
  if (sizes) {
    const std::vector<double> all(static_cast<std::size_t>(element_count(*sizes)), one);
    ones = l.constant(Tensor::of(l.dtype(x), *sizes, all));
  } else {
    ones = l.op(Op::Expand, {l.scalar(x, one)}, {{"shape", shape}});
  }
  return l.folded(Op::SumPool, {ones}, windows.map());
}

void average_pool(Lower& l) {
  const ValueId x = l.in(0);
  const WindowAttributes w = pool_windows(l, x);
  const bool all = l.int_of("count_include_pad", 0) != 0;
  double taps = 1;
  bool pads = false;
  for (const Dim& side : w.kernel) taps *= static_cast<double>(side.value());
  for (const Dim& pad : w.pads) pads = pads || !pad.is(0);
  AttributeMap attributes = w.map();
  if (!pads || (all && l.int_of("ceil_mode", 0) == 0)) {
    attributes.emplace_back("scale", 1 / taps);
    return l.out(0, l.op(Op::SumPool, {x}, attributes));
  }
  const Dims given = all ? list_of(l, "pads", w.pads.size(), 0) : Dims(w.pads.size(), 0);
  l.out(0, l.op(Op::Div, {l.op(Op::SumPool, {x}, attributes), counts(l, x, w, given)}));
}

/// |x|^p and, with `root`, the p-th root.
ValueId power(Lower& l, ValueId x, std::int64_t p, bool root) {
  if (p == 1) return root ? x : l.op(Op::Abs, {x});
  if (p == 2) return root ? l.op(Op::Sqrt, {x}) : l.op(Op::Mul, {x, x});
  const double exponent = root ? 1.0 / static_cast<double>(p) : static_cast<double>(p);
  return l.op(Op::Pow, {root ? x : l.op(Op::Abs, {x}), l.scalar(x, exponent)});
}

void lp_pool(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t p = l.int_of("p", 2);
  const WindowAttributes w = pool_windows(l, x);
  l.out(0, power(l, l.op(Op::SumPool, {power(l, x, p, false)}, w.map()), p, true));
}

void global_lp_pool(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t p = l.int_of("p", 2);
  Dims axes;
  for (std::int64_t i = 2; i < l.rank(x); ++i) axes.emplace_back(i);
  l.out(0, power(l, l.op(Op::ReduceSum, {power(l, x, p, false)}, {{"axes", axes}}), p, true));
}

/// Every output looks for its index among the inputs': for small maps.
void max_unpool(Lower& l) {
  const ValueId x = l.in(0), where = l.in(1);
  const std::optional<Numbers> in = known(l.shape(x));
  if (!in || in->size() < 3) l.fail("needs known sizes");
  const std::size_t spatial = in->size() - 2;
  const Dims kernel = as_dims(l.ints_of("kernel_shape"));
  const Dims strides = list_of(l, "strides", spatial, 1), pads = list_of(l, "pads", 2 * spatial, 0);
  if (kernel.size() != spatial) l.fail("kernel_shape has the wrong length");
  Numbers out = {(*in)[0], (*in)[1]};
  for (std::size_t i = 0; i < spatial; ++i) {
    out.push_back(((*in)[i + 2] - 1) * strides[i].value() + kernel[i].value() - pads[i].value() -
                  pads[i + spatial].value());
  }
  const std::int64_t from = element_count(*in), to = element_count(out);
  constexpr std::int64_t kMost = 1 << 22;
  if (from * to > kMost) l.fail("maps of this size are not supported");
  Numbers all(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) all[static_cast<std::size_t>(i)] = i;
  const ValueId places = l.constant(Tensor::of_ints(DType::I64, {1, to}, all));
  const ValueId hit = l.op(Op::Eq, {l.reshape(where, {from, 1}), places});
  const ValueId value = l.op(Op::Select, {hit, l.reshape(x, {from, 1}), l.scalar(x, 0)});
  ValueId y = l.op(Op::ReduceSum, {value}, {{"axes", as_dims({0})}, {"keepdims", std::int64_t{0}}});
  y = l.reshape(y, as_dims(out));
  if (const auto wanted = l.numbers("output_shape", 2)) {
    Numbers after(2 * out.size(), 0);
    for (std::size_t i = 0; i < out.size(); ++i) after[out.size() + i] = (*wanted)[i] - out[i];
    y = l.op(Op::Pad, {y}, {{"mode", std::string("constant")}, {"pads", as_dims(after)}});
  }
  l.out(0, y);
}

constexpr Entry kTable[] = {{"AveragePool", average_pool},
                            {"GlobalLpPool", global_lp_pool},
                            {"LpPool", lp_pool},
                            {"MaxPool", max_pool},
                            {"MaxUnpool", max_unpool}};

}  // namespace

std::span<const Entry> pooling_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
