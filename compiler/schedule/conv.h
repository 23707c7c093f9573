// A convolution as data movement and one batched matrix product: windows are gathered into columns
// (unless the input already is them), then out[n][g] = W[g] * columns[n][g]. Plain numbers; whoever
// generates code pads, copies and multiplies. The bias, one value per output channel, is a column
// of the product.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "compiler/schedule/copy.h"
#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// N, C, H, W convolved with oc x C/groups x KH x KW; one-dimensional ones have H = KH = 1. Index 0
/// is the height, 1 the width.
struct ConvSpec {
  std::int64_t batch = 1, channels = 1, out_channels = 1, groups = 1;
  std::array<std::int64_t, 2> size = {1, 1}, kernel = {1, 1};
  std::array<std::int64_t, 2> stride = {1, 1}, dilation = {1, 1};
  std::array<std::int64_t, 2> pad_begin = {0, 0}, pad_end = {0, 0};
  DType in = DType::F16, out = DType::F16;
};

struct ConvPlan {
  std::array<std::int64_t, 2> out_size = {1, 1};
  bool pads = false;                                  // copy the input into a zeroed, larger one
  std::array<std::int64_t, 4> padded = {1, 1, 1, 1};  // its shape N, C, H, W
  bool gathers = false;                               // columns are made; else the input is them
  ViewCopy gather{};                                  // from the (padded) input
  std::int64_t column_elements = 0;                   // size of the columns tensor; 0 if none
  MatmulSpec matmul{};                                // a: weights; b: columns; batches n, g
};

/// Throws Error if the sizes do not fit together.
[[nodiscard]] ConvPlan plan_conv(const ConvSpec& spec);

}  // namespace dvmsim
