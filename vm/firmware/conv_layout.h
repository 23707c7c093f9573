// What the arguments of the `conv` macro mean before any command: which part of the map lies under
// a tile, how L1 is divided, and what does not fit. For the macro and for whoever chooses its
// tiles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "vm/isa/conv.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// How outputs step over one axis of the map.
struct ConvAxis {
  std::int64_t size, kernel, stride, dilation, pad;
  /// Elements from the first to the last that outputs first..last touch, those inside.
  struct Range {
    std::int64_t begin, count, before;  // before: how far the window begins ahead of `begin`
  };
  [[nodiscard]] Range under(std::int64_t first, std::int64_t last) const {
    const std::int64_t low = first * stride - pad;
    const std::int64_t high = last * stride - pad + (kernel - 1) * dilation;
    const std::int64_t begin = std::clamp<std::int64_t>(low, 0, size - 1);
    const std::int64_t end = std::clamp<std::int64_t>(high, begin, size - 1);
    return {begin, end - begin + 1, begin - low};
  }
  [[nodiscard]] std::int64_t most(std::int64_t outputs) const {
    return std::min(size, (outputs - 1) * stride + (kernel - 1) * dilation + 1);
  }
};
[[nodiscard]] ConvAxis vertical_axis(const isa::ConvArguments& arguments);
[[nodiscard]] ConvAxis horizontal_axis(const isa::ConvArguments& arguments);

/// Where things lie in L1, and how far a tile reaches. Bytes where not said otherwise.
struct ConvLayout {
  std::int64_t taps = 1, c0 = 16;           // of the kernel; channels in a block
  std::int64_t depth = 0, block_depth = 0;  // columns of the matrix of windows: all, of tile_c
  std::int64_t pixels = 0;                  // most of the map that a tile needs
  std::int64_t part = 0;                    // columns that fit half of L0A and of L0B
  std::int64_t map_bytes = 0;               // of tile_c channels of the map
  std::int64_t stage_bytes = 0;             // the map, and its weights if they are not resident
  std::int64_t weights = 0, bias = 0, scale = 0, end = 0;  // offsets in L1
};
[[nodiscard]] ConvLayout conv_layout(const Machine& machine, const isa::ConvArguments& arguments,
                                     DType type);
/// Why the arguments cannot be expanded on this machine, or empty.
[[nodiscard]] std::string conv_problem(const Machine& machine, const isa::ConvArguments& arguments,
                                       DType type);

}  // namespace dvmsim
