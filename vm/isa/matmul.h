// The argument words of the `matmul` macro: one whole (batched) matrix product C = A * B (+ bias),
// as DVM's cube program takes it. The firmware expands it into loadnz, l0a, l0b, mmad and fix
// commands.
#pragma once

#include <cstdint>

#include "vm/base/dtype.h"
#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// Order in which tiles are visited, for L2 reuse. Zn: groups of `width` columns of tiles, rows
/// first inside, odd groups backwards; Nz: the same with rows and columns exchanged.
enum class Swizzle : std::uint8_t { Zn, Nz };

/// In this order from argument word `index`. Core b of n takes tiles b, b + n, ...; batches
/// outermost. Strides are bytes. A is m x k (k x m if trans_a), B is k x n (n x k if trans_b),
/// row-major.
struct MatmulArguments {
  std::uint64_t a = 0, b = 0, c = 0, bias = 0;  // GM addresses; bias 0: none (n elements of dtype)
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;  // between rows
  std::int64_t batch0 = 1, batch1 = 1;                    // outer, inner
  std::int64_t a_batch0 = 0, a_batch1 = 0, b_batch0 = 0, b_batch1 = 0, c_batch0 = 0, c_batch1 = 0;
  std::int64_t tile_m = 0, tile_n = 0, tile_k = 0;  // multiples of 16; two of each fit L1
  std::int64_t swizzle = 0, width = 1;
  std::int64_t trans_a = 0, trans_b = 0;
  std::int64_t out = 0;   // DType of C
  std::int64_t post = 0;  // Post
  /// 0: C is written in place. n > 0: every tile goes to one of n slots of the group in a workspace
  /// at `c` (slot s of core b at c + (b * n + s) * slot_bytes, row stride tile_n * size), announced
  /// with xset(fix, 0, group) and taken back with xwait(fix, 1, group).
  std::int64_t slots = 0, slot_bytes = 0;
};
inline constexpr int kMatmulWords = static_cast<int>(sizeof(MatmulArguments) / 8);
static_assert(sizeof(MatmulArguments) == 8 * kMatmulWords);

}  // namespace dvmsim::isa
