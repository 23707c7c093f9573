// The argument words of the `conv` macro: one whole convolution of feature maps that lie channels
// last, y = x * w (+ bias), with windows gathered on the way to the cube. The firmware expands it
// into loadfm, loadnz, img2col, l0b, mmad and fix commands.
#pragma once

#include <cstdint>

#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// In this order from argument word `index`. x is images x in_h x in_w pixels, y images x out_h x
/// out_w; a pixel holds groups * channels, or groups * outputs elements. w is groups x outputs rows
/// of K elements, K over (block of 32 bytes of channels, ky, kx, channel), the last block filled up
/// with zeros. Tiles are runs of tile_m output positions, of the whole image or of a row of it
/// (by_row), by tile_n outputs; core b of n takes tiles b, b + n, ... in the order of the matmul
/// macro, batches being images x groups (x rows).
struct ConvArguments {
  std::uint64_t x = 0, w = 0, y = 0;
  std::uint64_t bias = 0;   // groups * outputs accumulator values (F32, I32); 0: none
  std::uint64_t scale = 0;  // groups * outputs F32: y is written scaled (fixq); 0: not
  std::int64_t images = 1, groups = 1, channels = 1, outputs = 1;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  std::int64_t kernel = 0, steps = 0;  // as img2col's
  std::int64_t pad_top = 0, pad_left = 0, fill = 0;
  std::int64_t x_pixel = 0, y_pixel = 0;       // bytes between pixels
  std::int64_t tile_m = 16, tile_n = 16;       // multiples of 16
  std::int64_t tile_c = 0;                     // channels in L1 at a time: whole blocks
  std::int64_t by_row = 0;                     // 1: a tile lies in one row of outputs
  std::int64_t resident = 0;                   // 1: all weights of a tile's outputs stay in L1
  std::int64_t swizzle = 0, width = 1;         // as the matmul macro's
  std::int64_t out = 0, post = 0, offset = 0;  // DType of y; Post; fixq's offset
  std::int64_t slots = 0, slot_bytes = 0;      // as the matmul macro's; `y` is the workspace
};
inline constexpr int kConvWords = static_cast<int>(sizeof(ConvArguments) / 8);
static_assert(sizeof(ConvArguments) == 8 * kConvWords);

}  // namespace dvmsim::isa
