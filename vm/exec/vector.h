// What the vector instructions share. Rows are processed in order, each in chunks of kChunk
// elements: a chunk is read whole, computed, rounded once, and written; so dst may be a source, but
// not overlap one otherwise. Floating types are computed in float, whatever the type.
//
// Reductions. vredx: of each row, lane j of 16 takes elements j, j + 16, ... in ascending order,
// starting from the neutral element; then lanes j and j + 8, j + 4, j + 2, j + 1 are combined.
// vredy: rows in ascending order. Sums and products of floating types accumulate in float and are
// rounded once; max and min propagate NaN. The reduction of nothing is the neutral element.
#pragma once

#include <cstring>

#include "vm/exec/arithmetic.h"
#include "vm/exec/element.h"
#include "vm/exec/meaning.h"
#include "vm/exec/simd.h"

namespace dvmsim::exec {

/// The types a row of isa.def allows.
constexpr DTypeSet types_of(isa::Op wanted) {
  using namespace isa;
  switch (wanted) {
#define INST(code, mnemonic, cores, pipe, dtypes, ...) \
  case Op::mnemonic:                                   \
    return dtypes;
#include "vm/isa/isa.def"
#undef INST
  }
  return 0;
}

/// The rows x count elements of one operand.
template <class T>
struct Matrix {
  std::byte* data = nullptr;
  std::int64_t stride = 0;

  [[nodiscard]] T* row(std::int64_t index) const {
    return reinterpret_cast<T*>(data + index * stride);
  }
  [[nodiscard]] bool is_packed(std::int64_t count) const {
    return stride == count * static_cast<std::int64_t>(sizeof(T));
  }
};

/// An operand in UB; data is nullptr after a fault.
template <class T>
Matrix<T> matrix(Frame& frame, int operand, std::int64_t count, std::int64_t rows,
                 std::int64_t stride) {
  if (frame.fault) return {};
  constexpr int kSize = static_cast<int>(sizeof(T));
  return {frame.rows(Space::UB, operand, count * kSize, rows, stride, kSize), stride};
}

/// Writes computed values as elements: the one rounding.
template <class T>
void put(T* to, const Computed<T>* from, std::int64_t count) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>) {
    narrow(to, from, count);
  } else {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
  }
}

/// Calls body(row, first, n) for each chunk of each row; one long row if `packed`.
template <class Body>
void each_chunk(std::int64_t rows, std::int64_t count, bool packed, Body&& body) {
  if (packed) {
    count *= rows;
    rows = 1;
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t first = 0; first < count; first += kChunk) {
      body(row, first, count - first < kChunk ? count - first : kChunk);
    }
  }
}

/// The scalar operand s as a value of the element type.
template <class T>
Computed<T> scalar_value(std::int64_t s) {
  if constexpr (kIsFloat<T>) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(s));
    return compute_value(stored_value<T>(value));
  } else if constexpr (std::is_same_v<T, BoolByte>) {
    return s != 0 ? 1 : 0;
  } else {
    return static_cast<T>(s);
  }
}

}  // namespace dvmsim::exec
