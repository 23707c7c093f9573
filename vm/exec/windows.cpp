// Convolution windows: loadfm brings part of a feature map to L1 as NZ (fractal.cpp says what that
// is), a pixel a row; img2col gathers from it the rows of the matrix of windows.
#include <algorithm>
#include <cstring>

#include "vm/exec/meaning.h"
#include "vm/isa/window.h"

namespace dvmsim::exec {
namespace {

constexpr std::int64_t kRow = 32;             // bytes of a fractal's row: a block of channels
constexpr std::int64_t kFractal = 16 * kRow;  // bytes of a fractal

constexpr std::int64_t blocks(std::int64_t count, std::int64_t size) {
  return (count + size - 1) / size;
}

/// A block of channels that lies outside the map.
struct Filling {
  std::byte row[kRow]{};

  Filling(std::int64_t fill, int size) {
    for (std::int64_t at = 0; at < kRow; at += size) {
      std::memcpy(row + at, &fill, static_cast<std::size_t>(size));
    }
  }
};

struct Map {
  const std::byte* pixels = nullptr;  // block of channels by block of channels
  std::int64_t h = 0, w = 0, prows = 0, ow = 1, top = 0, left = 0;
  isa::Window window{};

  /// The block of channels under a tap of the window of an output position, or nullptr outside.
  [[nodiscard]] const std::byte* at(std::int64_t position, std::int64_t block,
                                    std::int64_t tap) const {
    const std::int64_t ky = tap / window.kernel_w, kx = tap % window.kernel_w;
    const std::int64_t y = position / ow * window.stride_h + ky * window.dilation_h - top;
    const std::int64_t x = position % ow * window.stride_w + kx * window.dilation_w - left;
    if (y < 0 || y >= h || x < 0 || x >= w) return nullptr;
    return pixels + (block * prows + y * w + x) * kRow;
  }
};

/// Rows first..first+16 (as far as m goes) of one column of fractals; columns beyond k are zero.
void gather(std::byte* to, const Map& map, const Filling& filling, std::int64_t first,
            std::int64_t rows, std::int64_t column, std::int64_t width) {
  const std::int64_t taps = map.window.kernel_h * map.window.kernel_w;
  const std::int64_t block = column / taps, tap = column % taps;
  for (std::int64_t i = 0; i < 16; ++i, to += kRow) {
    if (i >= rows) {
      std::memset(to, 0, kRow);
      continue;
    }
    const std::byte* from = map.at(first + i, block, tap);
    std::memcpy(to, from != nullptr ? from : filling.row, kRow);
    if (width < kRow) std::memset(to + width, 0, static_cast<std::size_t>(kRow - width));
  }
}

}  // namespace

void loadfm(Frame& frame) {
  enum { kType, kDst, kSrc, kW, kCols, kProws, kStride, kH, kHstride };
  const bool some = frame.any({kW, kH});
  if (frame.fault || !frame.any({kCols, kProws})) return;
  const std::int64_t w = frame.at(kW), h = some ? frame.at(kH) : 0, prows = frame.at(kProws);
  if (prows % 16 != 0 || (h > 0 && w > prows / h)) {
    return frame.refuse("prows must be a multiple of 16 and at least h * w");
  }
  const std::int64_t width = frame.at(kCols) * size_of(frame.dtype(kType));
  std::byte* to = frame.storage(Space::L1, kDst, Extent::run(blocks(width, kRow) * prows * kRow));
  if (to == nullptr) return;
  const std::int64_t stride = frame.at(kStride), hstride = frame.at(kHstride);
  const std::byte* from = to;
  if (some) {
    from = frame.storage(Space::GM, kSrc, Extent::run(width).times(w, stride).times(h, hstride));
  }
  if (from == nullptr) return;
  for (std::int64_t column = 0; column < width; column += kRow, to += prows * kRow) {
    const std::int64_t part = std::min(kRow, width - column);
    for (std::int64_t y = 0; y < h; ++y) {
      for (std::int64_t x = 0; x < w; ++x) {
        std::byte* row = to + (y * w + x) * kRow;
        std::memcpy(row, from + y * hstride + x * stride + column, static_cast<std::size_t>(part));
        std::memset(row + part, 0, static_cast<std::size_t>(kRow - part));
      }
    }
    const std::int64_t filled = h * w;
    std::memset(to + filled * kRow, 0, static_cast<std::size_t>((prows - filled) * kRow));
  }
}

void img2col(Frame& frame) {
  enum { kType, kDst, kSrc, kM, kK, kProws, kM0, kK0, kH, kW, kOw, kKernel, kSteps, kTop };
  enum { kLeft = kTop + 1, kFill };
  const bool starts = frame.any({kM0, kK0});
  if ((!starts && frame.fault) || !frame.any({kM, kK, kProws, kH, kW, kOw})) return;
  const DType dtype = frame.dtype(kType);
  if (!contains(isa::kMatmulInputs, dtype)) {
    return frame.refuse("it does not work on elements of this type");
  }
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  if (frame.at(kKernel) < 0 || frame.at(kKernel) >= kMost || std::abs(frame.at(kTop)) >= kMost ||
      std::abs(frame.at(kLeft)) >= kMost) {
    return frame.refuse("its window is larger than any map");
  }
  const std::int64_t c0 = kRow / size_of(dtype);
  const std::int64_t m = frame.at(kM), k = frame.at(kK), k0 = frame.at(kK0);
  Map map{nullptr,         frame.at(kH),
          frame.at(kW),    frame.at(kProws),
          frame.at(kOw),   frame.at(kTop),
          frame.at(kLeft), isa::unpack_window(frame.at(kKernel), frame.at(kSteps))};
  if (map.prows % 16 != 0 || map.w > map.prows / map.h) {
    return frame.refuse("prows must be a multiple of 16 and at least h * w");
  }
  if (k0 % c0 != 0) return frame.refuse("k0 must be at a block of 32 bytes");
  const std::int64_t rows = blocks(m, 16), columns = blocks(k, c0);
  std::byte* to = frame.storage(Space::L0A, kDst, Extent::run(rows * columns * kFractal));
  if (to == nullptr) return;
  const std::int64_t depth = c0 * map.window.kernel_h * map.window.kernel_w;
  const std::int64_t first = k0 / depth * map.prows;
  const std::int64_t last = ((k0 + k - 1) / depth) * map.prows + map.h * map.w;
  const std::byte* from = frame.storage(Space::L1, kSrc, {first * kRow, last * kRow});
  if (from == nullptr) return;
  map.pixels = from;
  const Filling filling(frame.at(kFill), size_of(dtype));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column, to += kFractal) {
      const std::int64_t width = std::min(c0, k - column * c0) * size_of(dtype);
      gather(to, map, filling, frame.at(kM0) + row * 16, std::min<std::int64_t>(16, m - row * 16),
             k0 / c0 + column, width);
    }
  }
}

}  // namespace dvmsim::exec
