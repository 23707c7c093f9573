#include "compiler/schedule/conv.h"

#include <algorithm>
#include <string>

#include "vm/base/error.h"

namespace dvmsim {

namespace {

void require(bool holds, const char* rule) {
  if (!holds) throw Error(std::string("convolution: ") + rule);
}

void check_sizes(const ConvSpec& spec) {
  require(spec.batch > 0 && spec.channels > 0 && spec.out_channels > 0 && spec.groups > 0,
          "batch, channels and groups must be at least 1");
  require(spec.channels % spec.groups == 0 && spec.out_channels % spec.groups == 0,
          "groups must divide the input and the output channels");
  for (std::size_t i = 0; i < 2; ++i) {
    require(spec.size[i] > 0 && spec.kernel[i] > 0 && spec.stride[i] > 0 && spec.dilation[i] > 0,
            "sizes, kernel, strides and dilations must be at least 1");
    require(spec.pad_begin[i] >= 0 && spec.pad_end[i] >= 0, "pads must not be negative");
    const std::int64_t window = spec.dilation[i] * (spec.kernel[i] - 1) + 1;
    require(spec.size[i] + spec.pad_begin[i] + spec.pad_end[i] >= window,
            "the kernel must not be larger than the padded input");
  }
}

/// Appends a dimension; those of one element are left out.
void add(ViewCopy& copy, std::int64_t count, std::int64_t in_stride, std::int64_t out_stride) {
  if (count == 1) return;
  copy.dims.push_back(count);
  copy.in_stride.push_back(in_stride);
  copy.out_stride.push_back(out_stride);
}

ViewCopy gather_copy(const ConvSpec& spec, const ConvPlan& plan) {
  const std::int64_t width = plan.padded[3], plane = plan.padded[2] * width;
  const std::int64_t ow = plan.out_size[1], out_plane = plan.out_size[0] * ow;
  const std::int64_t kw = spec.kernel[1], window = spec.kernel[0] * kw;
  ViewCopy copy{};
  add(copy, spec.batch * spec.channels, plane, window * out_plane);
  add(copy, spec.kernel[0], spec.dilation[0] * width, kw * out_plane);
  add(copy, kw, spec.dilation[1], out_plane);
  add(copy, plan.out_size[0], spec.stride[0] * width, ow);
  add(copy, ow, spec.stride[1], 1);
  return copy;
}

}  // namespace

ConvPlan plan_conv(const ConvSpec& spec) {
  check_sizes(spec);
  ConvPlan plan{};
  std::array<std::int64_t, 2> padded{};
  bool one_by_one = true;
  for (std::size_t i = 0; i < 2; ++i) {
    padded[i] = spec.size[i] + spec.pad_begin[i] + spec.pad_end[i];
    const std::int64_t window = spec.dilation[i] * (spec.kernel[i] - 1) + 1;
    plan.out_size[i] = (padded[i] - window) / spec.stride[i] + 1;
    plan.pads = plan.pads || padded[i] != spec.size[i];
    one_by_one = one_by_one && spec.kernel[i] == 1 && spec.stride[i] == 1;
  }
  plan.padded = {spec.batch, spec.channels, padded[0], padded[1]};
  plan.gathers = !one_by_one;
  const std::int64_t window = spec.kernel[0] * spec.kernel[1];
  const std::int64_t positions = plan.out_size[0] * plan.out_size[1];
  if (plan.gathers) {
    plan.gather = gather_copy(spec, plan);
    plan.column_elements = spec.batch * spec.channels * window * positions;
  }
  MatmulSpec& product = plan.matmul;
  product.m = spec.out_channels / spec.groups;
  product.k = spec.channels / spec.groups * window;
  product.n = positions;
  product.batch0 = spec.batch;
  product.batch1 = spec.groups;
  product.in = spec.in;
  product.out = spec.out;
  product = packed(product);
  product.a_batch0 = 0;  // the weights are the same for every image
  return plan;
}

}  // namespace dvmsim
