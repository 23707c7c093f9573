#include "compiler/schedule/conv.h"

#include <gtest/gtest.h>

#include <numeric>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Values = std::vector<std::int64_t>;

Values copied(const ViewCopy& copy, const Values& from, Values to) {
  std::vector<std::int64_t> at(copy.dims.size(), 0);
  for (;;) {
    std::int64_t in = 0, out = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      in += at[i] * copy.in_stride[i];
      out += at[i] * copy.out_stride[i];
    }
    to.at(static_cast<std::size_t>(out)) = from.at(static_cast<std::size_t>(in));
    std::size_t i = at.size();
    while (i > 0 && ++at[i - 1] == copy.dims[i - 1]) at[--i] = 0;
    if (i == 0) return to;
  }
}

Values numbers(std::int64_t count, std::int64_t seed) {
  Values values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (static_cast<std::int64_t>(i) * 7 + seed) % 11 - 5;
  }
  return values;
}

Values by_plan(const ConvSpec& spec, const Values& input, const Values& weights) {
  const ConvPlan plan = plan_conv(spec);
  Values image = input;
  if (plan.pads) {
    const auto& p = plan.padded;
    Values padded(static_cast<std::size_t>(p[0] * p[1] * p[2] * p[3]), 0);
    for (std::size_t i = 0; i < input.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const std::int64_t w = at % spec.size[1], h = at / spec.size[1] % spec.size[0];
      const std::int64_t plane = at / (spec.size[0] * spec.size[1]);
      const std::int64_t row = plane * p[2] + spec.pad_begin[0] + h;
      padded.at(static_cast<std::size_t>(row * p[3] + spec.pad_begin[1] + w)) = input[i];
    }
    image = padded;
  }
  if (plan.gathers) {
    image = copied(plan.gather, image, Values(static_cast<std::size_t>(plan.column_elements), 99));
  }
  const MatmulSpec& product = plan.matmul;
  const std::int64_t in = size_of(product.in), out_item = size_of(product.out);
  Values out(static_cast<std::size_t>(product.batch0 * product.batch1 * product.m * product.n));
  for (std::int64_t b0 = 0; b0 < product.batch0; ++b0) {
    for (std::int64_t b1 = 0; b1 < product.batch1; ++b1) {
      for (std::int64_t m = 0; m < product.m; ++m) {
        for (std::int64_t n = 0; n < product.n; ++n) {
          std::int64_t sum = 0;
          for (std::int64_t k = 0; k < product.k; ++k) {
            const std::int64_t a =
                (b0 * product.a_batch0 + b1 * product.a_batch1 + m * product.a_stride) / in + k;
            const std::int64_t b =
                (b0 * product.b_batch0 + b1 * product.b_batch1 + k * product.b_stride) / in + n;
            sum += weights.at(static_cast<std::size_t>(a)) * image.at(static_cast<std::size_t>(b));
          }
          const std::int64_t c =
              (b0 * product.c_batch0 + b1 * product.c_batch1 + m * product.c_stride) / out_item + n;
          out.at(static_cast<std::size_t>(c)) = sum;
        }
      }
    }
  }
  return out;
}

Values by_definition(const ConvSpec& s, const Values& input, const Values& weights) {
  const ConvPlan plan = plan_conv(s);
  const std::int64_t oh = plan.out_size[0], ow = plan.out_size[1];
  const std::int64_t cg = s.channels / s.groups, og = s.out_channels / s.groups;
  Values out;
  for (std::int64_t n = 0; n < s.batch; ++n) {
    for (std::int64_t oc = 0; oc < s.out_channels; ++oc) {
      for (std::int64_t y = 0; y < oh; ++y) {
        for (std::int64_t x = 0; x < ow; ++x) {
          std::int64_t sum = 0;
          for (std::int64_t c = 0; c < cg; ++c) {
            for (std::int64_t i = 0; i < s.kernel[0]; ++i) {
              for (std::int64_t j = 0; j < s.kernel[1]; ++j) {
                const std::int64_t h = y * s.stride[0] + i * s.dilation[0] - s.pad_begin[0];
                const std::int64_t w = x * s.stride[1] + j * s.dilation[1] - s.pad_begin[1];
                if (h < 0 || h >= s.size[0] || w < 0 || w >= s.size[1]) continue;
                const std::int64_t channel = oc / og * cg + c;
                const std::int64_t at =
                    ((n * s.channels + channel) * s.size[0] + h) * s.size[1] + w;
                const std::int64_t weight = ((oc * cg + c) * s.kernel[0] + i) * s.kernel[1] + j;
                sum += input.at(static_cast<std::size_t>(at)) *
                       weights.at(static_cast<std::size_t>(weight));
              }
            }
          }
          out.push_back(sum);
        }
      }
    }
  }
  return out;
}

void expect_same(const ConvSpec& s) {
  const Values input = numbers(s.batch * s.channels * s.size[0] * s.size[1], 3);
  const Values weights =
      numbers(s.out_channels * s.channels / s.groups * s.kernel[0] * s.kernel[1], 8);
  EXPECT_EQ(by_plan(s, input, weights), by_definition(s, input, weights));
}

TEST(ConvPlanTest, GatherAndProductAreTheConvolution) {
  ConvSpec spec{};
  spec.batch = 2;
  spec.channels = 4;
  spec.out_channels = 6;
  spec.size = {7, 9};
  spec.kernel = {3, 2};
  expect_same(spec);
  spec.groups = 2;
  spec.pad_begin = {1, 0};
  spec.pad_end = {2, 1};
  spec.stride = {2, 3};
  spec.dilation = {1, 2};
  expect_same(spec);
}

TEST(ConvPlanTest, DepthwiseAndOneDimensionalOnes) {
  ConvSpec spec{};
  spec.batch = 2;
  spec.channels = spec.out_channels = spec.groups = 3;
  spec.size = {1, 11};
  spec.kernel = {1, 5};
  spec.pad_begin = spec.pad_end = {0, 2};
  expect_same(spec);
}

TEST(ConvPlanTest, OneByOneNeedsNoColumns) {
  ConvSpec spec{};
  spec.channels = 3;
  spec.out_channels = 2;
  spec.size = {4, 5};
  expect_same(spec);
  EXPECT_FALSE(plan_conv(spec).gathers);
  EXPECT_FALSE(plan_conv(spec).pads);
  spec.pad_begin = {1, 1};
  expect_same(spec);
  EXPECT_FALSE(plan_conv(spec).gathers);
  spec.stride = {2, 1};
  expect_same(spec);
  EXPECT_TRUE(plan_conv(spec).gathers);
}

TEST(ConvPlanTest, KernelLargerThanTheInputIsRefused) {
  ConvSpec spec{};
  spec.size = {2, 2};
  spec.kernel = {3, 3};
  EXPECT_THROW((void)plan_conv(spec), Error);
}

}  // namespace
}  // namespace dvmsim
