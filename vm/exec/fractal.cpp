// Into the cube's layouts. A fractal is 16 rows of 32 bytes. L1 holds a matrix as NZ: element (r,
// c) at
// ((c / c0) * prows + r) * c0 + c % c0, c0 = 32 bytes' worth. L0A (ZZ) and L0B (ZN) hold fractals
// of 16 rows or columns x c0 of k, k contiguous: (m / 16, k / c0) and (k / c0, n / 16) row by row.
#include <algorithm>
#include <cstring>

#include "vm/exec/meaning.h"
#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

constexpr std::int64_t kRow = 32;             // bytes of a fractal's row
constexpr std::int64_t kFractal = 16 * kRow;  // bytes of a fractal

constexpr std::int64_t blocks(std::int64_t count, std::int64_t size) {
  return (count + size - 1) / size;
}

/// Part of an NZ matrix that becomes fractals: x runs along m or n, k along k.
struct Part {
  const std::byte* matrix = nullptr;
  std::int64_t prows = 0, x0 = 0, x = 0, k0 = 0, k = 0;
  bool rows_along_k = false;  // of the matrix in L1
};

/// Rows of the matrix run along x, and the part begins at a fractal: rows of fractals stay whole.
template <class U>
void copy_fractal(std::byte* to, const Part& part, std::int64_t x, std::int64_t k) {
  constexpr auto kC0 = kRow / static_cast<std::int64_t>(sizeof(U));
  const std::int64_t rows = std::min<std::int64_t>(16, part.x - x);
  const std::int64_t row = (part.k0 + k) / kC0 * part.prows + part.x0 + x;
  std::memcpy(to, part.matrix + row * kRow, static_cast<std::size_t>(rows * kRow));
  std::memset(to + rows * kRow, 0, static_cast<std::size_t>(kFractal - rows * kRow));
  const std::int64_t width = (part.k - k) * static_cast<std::int64_t>(sizeof(U));
  for (std::int64_t i = 0; width < kRow && i < rows; ++i) {
    std::memset(to + i * kRow + width, 0, static_cast<std::size_t>(kRow - width));
  }
}

/// Any other part, element by element.
template <class U>
void gather_fractal(std::byte* to, const Part& part, std::int64_t x, std::int64_t k) {
  constexpr auto kC0 = kRow / static_cast<std::int64_t>(sizeof(U));
  U fractal[16 * kC0] = {};
  const std::int64_t rows = std::min<std::int64_t>(16, part.x - x);
  const std::int64_t width = std::min(kC0, part.k - k);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t along = part.x0 + x + i;
    for (std::int64_t j = 0; j < width; ++j) {
      const std::int64_t across = part.k0 + k + j;
      const std::int64_t r = part.rows_along_k ? across : along;
      const std::int64_t c = part.rows_along_k ? along : across;
      const std::int64_t offset = ((c / kC0) * part.prows + r) * kC0 + c % kC0;
      std::memcpy(&fractal[i * kC0 + j],
                  part.matrix + offset * static_cast<std::int64_t>(sizeof(U)), sizeof(U));
    }
  }
  std::memcpy(to, fractal, sizeof fractal);
}

/// `k_outer`: fractals of one k are neighbours (ZN), otherwise those of one x (ZZ).
template <class U>
void to_fractals(std::byte* to, const Part& part, bool k_outer) {
  constexpr auto kC0 = kRow / static_cast<std::int64_t>(sizeof(U));
  const std::int64_t x_blocks = blocks(part.x, 16), k_blocks = blocks(part.k, kC0);
  const bool whole = !part.rows_along_k && part.k0 % kC0 == 0;
  for (std::int64_t xb = 0; xb < x_blocks; ++xb) {
    for (std::int64_t kb = 0; kb < k_blocks; ++kb) {
      const std::int64_t block = k_outer ? kb * x_blocks + xb : xb * k_blocks + kb;
      const auto fill = whole ? copy_fractal<U> : gather_fractal<U>;
      fill(to + block * kFractal, part, xb * 16, kb * kC0);
    }
  }
}

/// Fills Part::matrix after checking what will be read; says whether it may be.
bool find_matrix(Frame& frame, int operand, Part& part, std::int64_t c0) {
  const std::int64_t row0 = part.rows_along_k ? part.k0 : part.x0;
  const std::int64_t rows = part.rows_along_k ? part.k : part.x;
  const std::int64_t column0 = part.rows_along_k ? part.x0 : part.k0;
  const std::int64_t columns = part.rows_along_k ? part.x : part.k;
  if (row0 + rows > part.prows || part.prows % 16 != 0) {
    frame.refuse("the rows it reads must be inside prows, a multiple of 16");
    return false;
  }
  const std::int64_t first = column0 / c0 * part.prows + row0;
  const std::int64_t last = (column0 + columns - 1) / c0 * part.prows + row0 + rows;
  part.matrix = frame.storage(Space::L1, operand, {first * kRow, last * kRow});
  return part.matrix != nullptr;
}

/// l0a and l0b differ in the names of their sides, in the order of fractals, and in what trans
/// means.
void load_operand(Frame& frame, Space space, Part part, bool k_outer) {
  enum { kType, kDst, kSrc };
  const DType dtype = frame.dtype(kType);
  if (!contains(isa::kMatmulInputs, dtype)) {
    return frame.refuse("it does not work on elements of this type");
  }
  const std::int64_t c0 = kRow / size_of(dtype);
  const std::int64_t size = blocks(part.x, 16) * blocks(part.k, c0) * kFractal;
  std::byte* to = frame.storage(space, kDst, Extent::run(size));
  if (to == nullptr || !find_matrix(frame, kSrc, part, c0)) return;
  switch (size_of(dtype)) {
    case 1:
      return to_fractals<std::uint8_t>(to, part, k_outer);
    case 2:
      return to_fractals<std::uint16_t>(to, part, k_outer);
    default:
      return to_fractals<std::uint32_t>(to, part, k_outer);
  }
}

}  // namespace

void loadnz(Frame& frame) {
  enum { kType, kDst, kSrc, kRows, kCols, kProws, kStride };
  const bool some = frame.any({kRows});
  if (frame.fault || !frame.any({kCols, kProws})) return;
  const std::int64_t rows = frame.at(kRows), prows = frame.at(kProws);
  if (prows % 16 != 0 || rows > prows) {
    return frame.refuse("prows must be a multiple of 16 and at least rows");
  }
  const std::int64_t width = frame.at(kCols) * size_of(frame.dtype(kType));
  std::byte* to = frame.storage(Space::L1, kDst, Extent::run(blocks(width, kRow) * prows * kRow));
  if (to == nullptr) return;
  const std::int64_t stride = frame.at(kStride);
  const std::byte* from = some ? frame.rows(Space::GM, kSrc, width, rows, stride) : to;
  if (from == nullptr) return;
  for (std::int64_t column = 0; column < width; column += kRow, to += prows * kRow) {
    const std::int64_t part = std::min(kRow, width - column);
    if (part == kRow) {
      for (std::int64_t row = 0; row < rows; ++row) {
        std::memcpy(to + row * kRow, from + row * stride + column, kRow);
      }
    } else {
      std::memset(to, 0, static_cast<std::size_t>(rows * kRow));
      for (std::int64_t row = 0; row < rows; ++row) {
        std::memcpy(to + row * kRow, from + row * stride + column, static_cast<std::size_t>(part));
      }
    }
    std::memset(to + rows * kRow, 0, static_cast<std::size_t>((prows - rows) * kRow));
  }
}

void l0a(Frame& frame) {
  enum { kType, kDst, kSrc, kM, kK, kProws, kM0, kK0, kTrans };
  const bool starts = frame.any({kM0, kK0});
  if ((!starts && frame.fault) || !frame.any({kM, kK, kProws})) return;
  load_operand(frame, Space::L0A,
               {nullptr, frame.at(kProws), frame.at(kM0), frame.at(kM), frame.at(kK0), frame.at(kK),
                frame.at(kTrans) != 0},
               false);
}

void l0b(Frame& frame) {
  enum { kType, kDst, kSrc, kK, kN, kProws, kK0, kN0, kTrans };
  const bool starts = frame.any({kK0, kN0});
  if ((!starts && frame.fault) || !frame.any({kK, kN, kProws})) return;
  load_operand(frame, Space::L0B,
               {nullptr, frame.at(kProws), frame.at(kN0), frame.at(kN), frame.at(kK0), frame.at(kK),
                frame.at(kTrans) == 0},
               true);
}

void ldbt(Frame& frame) {
  enum { kType, kDst, kSrc, kN };
  if (!frame.any({kN})) return;
  const std::int64_t n = frame.at(kN);
  const bool known = with_element(frame.dtype(kType), isa::kMovable, [&](auto zero) {
    using T = decltype(zero);
    using Accumulator = std::conditional_t<kIsFloat<T>, float, std::int32_t>;
    std::byte* to = frame.rows(Space::BT, kDst, n * 4, 1, 0);
    if (to == nullptr) return;
    const std::byte* from =
        frame.rows(Space::L1, kSrc, n * static_cast<std::int64_t>(sizeof(T)), 1, 0);
    if (from == nullptr) return;
    for (std::int64_t i = 0; i < n; ++i) {
      T element;
      std::memcpy(&element, from + i * static_cast<std::int64_t>(sizeof(T)), sizeof element);
      const auto value = static_cast<Accumulator>(compute_value(element));
      std::memcpy(to + i * 4, &value, sizeof value);
    }
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace dvmsim::exec
