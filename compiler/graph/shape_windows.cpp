// Shapes of operators that look at windows: convolutions and pools.
#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim::shape_rules {
namespace {

ValueType typed(const Use& use, Dims shape) {
  const bool given = use.node.find("to") != nullptr;
  return {given ? use.node.dtype_of("to") : use.in(0).dtype, std::move(shape), std::nullopt};
}

/// How many windows fit along each axis.
void append_outputs(const Use& use, const Dims& size, const Dims& kernel, Dims& shape) {
  const std::size_t spatial = size.size();
  const std::vector<std::int64_t> strides = use.node.ints_of("strides", {});
  const std::vector<std::int64_t> dilations = use.node.ints_of("dilations", {});
  const Dims* pads = use.node.dims_of("pads");
  const auto fits = [&](std::size_t count, std::size_t wanted) {
    return count == 0 || count == wanted;
  };
  if (kernel.size() != spatial || !fits(strides.size(), spatial) ||
      !fits(dilations.size(), spatial) || (pads != nullptr && pads->size() != 2 * spatial)) {
    use.fail("kernel, strides, dilations or pads do not have one entry for each spatial axis");
  }
  for (std::size_t i = 0; i < spatial; ++i) {
    const std::int64_t stride = strides.empty() ? 1 : strides[i];
    const std::int64_t dilation = dilations.empty() ? 1 : dilations[i];
    if (stride < 1 || dilation < 1) use.fail("strides and dilations must be positive");
    if (kernel[i].is_known() && kernel[i].value() < 1) use.fail("the kernel must be positive");
    Dim padded = size[i];
    if (pads != nullptr) padded = padded + (*pads)[i] + (*pads)[i + spatial];
    const Dim room = padded - (kernel[i] - 1) * dilation - 1;
    if (room.is_known() && room.value() < 0) {
      use.fail("the kernel " + to_text(kernel) + " is larger than the padded input " +
               to_text(size));
    }
    shape.push_back(floor_div(room, stride) + 1);
  }
}

}  // namespace

Types conv(const Use& use) {
  const Dims& x = use.shape(0);
  const Dims& w = use.shape(1);
  if (x.size() < 3 || w.size() != x.size()) {
    use.fail("input " + to_text(x) + " and weights " + to_text(w) + " do not fit");
  }
  const std::int64_t groups = use.node.int_of("groups");
  if (groups < 1) use.fail("groups must be positive");
  const Dim channels = w[1] * groups;
  if (channels.is_known() && x[1].is_known() && !(channels == x[1])) {
    use.fail("input " + to_text(x) + " has not the " + to_text(channels) + " channels of weights " +
             to_text(w));
  }
  if (w[0].is_known() && w[0].value() % groups != 0) use.fail("groups do not divide the outputs");
  if (use.has(2) &&
      (use.rank(2) != 1 || (use.shape(2)[0].is_known() && !(use.shape(2)[0] == w[0])))) {
    use.fail("the bias is " + to_text(use.shape(2)) + ", not [" + to_text(w[0]) + "]");
  }
  Dims shape = {x[0], w[0]};
  append_outputs(use, Dims(x.begin() + 2, x.end()), Dims(w.begin() + 2, w.end()), shape);
  return {typed(use, std::move(shape))};
}

Types conv_last(const Use& use) {
  const Dims& x = use.shape(0);
  const Dims& w = use.shape(1);
  const Dims* kernel = use.node.dims_of("kernel");
  if (x.size() != 4 || w.size() != 2 || kernel == nullptr) {
    use.fail("input " + to_text(x) + " and weights " + to_text(w) + " do not fit");
  }
  Dims shape = {x[0]};
  append_outputs(use, {x[1], x[2]}, *kernel, shape);
  shape.push_back(w[0]);
  return {typed(use, std::move(shape))};
}

Types depth_to_space(const Use& use) {
  Dims shape = use.shape(0);
  const bool last = use.node.int_of("last") != 0;
  const std::vector<std::int64_t> block = use.node.ints_of("block");
  if (shape.size() != 4 || block.size() != 2 || block[0] < 1 || block[1] < 1) {
    use.fail("takes four dimensions and a block of two, not " + to_text(shape));
  }
  Dim& channels = shape[last ? 3 : 1];
  const std::int64_t size = block[0] * block[1];
  if (channels.is_known() && channels.value() % size != 0) {
    use.fail("a block does not divide the channels of " + to_text(shape));
  }
  channels = floor_div(channels, size);
  for (std::size_t i = 0; i < 2; ++i) {
    Dim& side = shape[i + (last ? 1 : 2)];
    side = side * block[i];
  }
  return {typed(use, std::move(shape))};
}

Types window(const Use& use) {
  const Dims& x = use.shape(0);
  const Dims* kernel = use.node.dims_of("kernel");
  const bool last = use.node.int_of("last") != 0;
  if (x.size() < 3 || x.size() > 5 || kernel == nullptr) {
    use.fail("windows are over one, two or three axes, not in a tensor " + to_text(x));
  }
  if (use.in(0).dtype == DType::I64) use.fail("does not take i64 (input 0)");
  const auto first = x.begin() + (last ? 1 : 2);
  Dims shape = {x[0]};
  if (!last) shape.push_back(x[1]);
  append_outputs(use, Dims(first, first + static_cast<std::ptrdiff_t>(x.size()) - 2), *kernel,
                 shape);
  if (last) shape.push_back(x.back());
  if (use.has(1)) {
    Dim taps = 1;
    for (const Dim& side : *kernel) taps = taps * side;
    const Dims& w = use.shape(1);
    if (!last || w.size() != 2 || !(w[0] == taps) || !(w[1] == x.back())) {
      use.fail("weights " + to_text(w) + " do not fit the input " + to_text(x));
    }
  }
  return {typed(use, std::move(shape))};
}

}  // namespace dvmsim::shape_rules
