// The cube's inner loop on plain panels. Owns the order of additions: each accumulator takes its
// products in ascending k, multiply then add, at every level; so every level gives the same bits.
#pragma once

#include <cstdint>

namespace dvmsim::exec {

/// c += a * b for whole 16 x 16 blocks of c.
template <class Scalar>
struct Panels {
  const Scalar* a = nullptr;  // row i at a + i * a_stride, k contiguous
  std::int64_t a_stride = 0;
  const Scalar* b =
      nullptr;  // panels of 16 columns: (k, j) at b + (j / 16 * k_stride + k) * 16 + j % 16
  std::int64_t k_stride = 0;
  Scalar* c = nullptr;  // columns of blocks: (i, j) at c + (j / 16 * rows + i) * 16 + j % 16
  std::int64_t rows = 0, columns = 0, k = 0;  // rows and columns are multiples of 16
  const Scalar* start = nullptr;  // one row of first values, for every row; nullptr: c's own
};

void multiply(const Panels<float>& panels);
/// Two's complement, wrapping.
void multiply(const Panels<std::uint32_t>& panels);

}  // namespace dvmsim::exec
