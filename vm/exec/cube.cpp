// mmad: unpacks the operand fractals into plain panels and multiplies those. Padding of the result
// is zero; NaN in it is canonical.
#include "vm/exec/cube.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "vm/base/rounding.h"
#include "vm/exec/meaning.h"
#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

enum { kType, kC, kA, kB, kM, kK, kN, kInit, kBias };

/// The elements of one fractal, as factors.
template <class T, class Scalar>
void factors(Scalar* to, const std::byte* fractal) {
  constexpr std::int64_t kCount = 512 / static_cast<std::int64_t>(sizeof(T));
  if constexpr (std::is_same_v<T, std::int8_t>) {
    const auto* from = reinterpret_cast<const std::int8_t*>(fractal);
    for (std::int64_t i = 0; i < kCount; ++i) {
      to[i] = static_cast<std::uint32_t>(static_cast<std::int32_t>(from[i]));
    }
  } else if constexpr (std::is_same_v<T, float>) {
    std::memcpy(to, fractal, 512);
  } else {
    T elements[kCount];
    std::memcpy(elements, fractal, sizeof elements);
    widen(to, elements, kCount);
  }
}

/// 4 x 4 words, transposed; strides in elements.
template <class Scalar>
[[gnu::always_inline]] inline void transpose4(Scalar* to, std::int64_t to_stride,
                                              const Scalar* from, std::int64_t from_stride) {
  typedef std::uint32_t Words __attribute__((vector_size(16)));
  Words in[4];
  for (int i = 0; i < 4; ++i) std::memcpy(&in[i], from + i * from_stride, sizeof(Words));
  const Words low01 = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
  const Words high01 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
  const Words low23 = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
  const Words high23 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
  const Words out[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                        __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                        __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                        __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
  for (int i = 0; i < 4; ++i) std::memcpy(to + i * to_stride, &out[i], sizeof(Words));
}

/// ZZ fractals to rows of k.
template <class T, class Scalar>
void unpack_left(Scalar* to, const std::byte* from, std::int64_t rows, std::int64_t k) {
  constexpr std::int64_t kC0 = 32 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t i = 0; i < rows; i += 16) {
    for (std::int64_t p = 0; p < k; p += kC0, from += 512) {
      Scalar block[16 * kC0];
      factors<T>(block, from);
      for (std::int64_t r = 0; r < 16; ++r) {
        std::memcpy(to + (i + r) * k + p, block + r * kC0, kC0 * sizeof(Scalar));
      }
    }
  }
}

/// ZN fractals to panels of 16 columns, a row of a panel for each k.
template <class T, class Scalar>
void unpack_right(Scalar* to, const std::byte* from, std::int64_t columns, std::int64_t k) {
  constexpr std::int64_t kC0 = 32 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t p = 0; p < k; p += kC0) {
    for (std::int64_t j = 0; j < columns; j += 16, from += 512) {
      Scalar block[16 * kC0];
      factors<T>(block, from);
      Scalar* panel = to + (j / 16 * k + p) * 16;
      for (std::int64_t q = 0; q < kC0; q += 4) {
        for (std::int64_t r = 0; r < 16; r += 4) {
          transpose4(panel + q * 16 + r, 16, block + r * kC0 + q, kC0);
        }
      }
    }
  }
}

/// Zeroes outside m x n, and the one NaN.
template <class Scalar>
void tidy(Scalar* c, std::int64_t m, std::int64_t n, std::int64_t rows, std::int64_t columns) {
  if constexpr (std::is_same_v<Scalar, float>) {
    for (std::int64_t i = 0; i < rows * columns; ++i) c[i] = canonical(c[i]);
  }
  for (std::int64_t j = 0; j < columns; j += 16) {
    Scalar* block = c + j * rows;
    std::fill(block + m * 16, block + rows * 16, Scalar{});
    if (n - j >= 16) continue;
    for (std::int64_t i = 0; i < m; ++i)
      std::fill_n(block + i * 16 + (n - j), 16 - (n - j), Scalar{});
  }
}

/// Panels outlive a command so that the next one finds its memory.
template <class Scalar>
struct Scratch {
  std::vector<Scalar> a{}, b{}, start{};
};
template <class Scalar>
Scalar* room(std::vector<Scalar>& in, std::int64_t count) {
  if (in.size() < static_cast<std::size_t>(count)) in.resize(static_cast<std::size_t>(count));
  return in.data();
}

template <class T>
void run(Frame& frame) {
  using Scalar = std::conditional_t<std::is_same_v<T, std::int8_t>, std::uint32_t, float>;
  constexpr std::int64_t kC0 = 32 / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t m = frame.at(kM), n = frame.at(kN), k = frame.at(kK);
  const std::int64_t rows = round_up(m, 16), columns = round_up(n, 16), depth = round_up(k, kC0);
  std::byte* c = frame.storage(Space::L0C, kC, Extent::run(rows * columns * 4));
  if (c == nullptr) return;
  if (frame.at(kC) % 4 != 0) return frame.refuse("c must be a multiple of its 4-byte elements");
  const auto size = static_cast<std::int64_t>(sizeof(T));
  const std::byte* a = frame.storage(Space::L0A, kA, Extent::run(rows * depth * size));
  if (a == nullptr) return;
  const std::byte* b = frame.storage(Space::L0B, kB, Extent::run(columns * depth * size));
  if (b == nullptr) return;
  const auto init = frame.pick<isa::Init>(kInit);
  thread_local Scratch<Scalar> scratch;
  Scalar* start = nullptr;
  if (init != isa::Init::Accumulate) {
    start = room(scratch.start, columns);
    std::fill_n(start, columns, Scalar{});
  }
  if (init == isa::Init::Bias) {
    const std::byte* bias = frame.storage(Space::BT, kBias, Extent::run(n * 4));
    if (bias == nullptr) return;
    std::memcpy(start, bias, static_cast<std::size_t>(n * 4));
  }
  Scalar* left = room(scratch.a, rows * depth);
  Scalar* right = room(scratch.b, columns * depth);
  unpack_left<T>(left, a, rows, depth);
  unpack_right<T>(right, b, columns, depth);
  auto* result = reinterpret_cast<Scalar*>(c);
  multiply(Panels<Scalar>{left, depth, right, depth, result, rows, columns, k, start});
  tidy(result, m, n, rows, columns);
}

}  // namespace

void mmad(Frame& frame) {
  const bool some = frame.any({kK});  // k = 0 leaves the first values
  if ((!some && frame.fault) || !frame.any({kM, kN})) return;
  constexpr DTypeSet kTypes = types_of(isa::Op::mmad);
  const bool known = with_element(frame.dtype(kType), kTypes, [&](auto zero) {
    if constexpr (contains(kTypes, kDTypeOf<decltype(zero)>)) run<decltype(zero)>(frame);
  });
  if (!known) frame.refuse("it does not multiply elements of this type");
}

}  // namespace dvmsim::exec
