// Register blocking on the compilers' vector extensions, one instance a level. An accumulator tile
// stays in registers over the whole of k.
#include <cstring>

#include "vm/exec/cube.h"
#include "vm/exec/simd.h"

namespace dvmsim::exec {
namespace {

template <class Scalar, int bytes>
struct Vector;
#define VECTOR(Scalar, bytes)                                \
  template <>                                                \
  struct Vector<Scalar, bytes> {                             \
    typedef Scalar type __attribute__((vector_size(bytes))); \
  }
VECTOR(float, 16);
VECTOR(float, 32);
VECTOR(float, 64);
VECTOR(std::uint32_t, 16);
VECTOR(std::uint32_t, 32);
VECTOR(std::uint32_t, 64);
#undef VECTOR

#if defined(__clang__)
#define DVMSIM_UNROLL _Pragma("clang loop unroll(full)")
#else
#define DVMSIM_UNROLL _Pragma("GCC unroll 16")
#endif

/// `tall` rows x `wide` blocks of 16 columns, from row i and block j on.
template <class Scalar, int bytes, int tall, int wide>
[[gnu::always_inline]] inline void tile(const Panels<Scalar>& p, std::int64_t i, std::int64_t j) {
  using V = typename Vector<Scalar, bytes>::type;
  constexpr int kLanes = bytes / 4, kPerBlock = 16 / kLanes, kVectors = wide * kPerBlock;
  Scalar* const c = p.c + (j * p.rows + i) * 16;
  const Scalar* const a = p.a + i * p.a_stride;
  const Scalar* const b = p.b + j * p.k_stride * 16;
  V sum[tall][kVectors];
  DVMSIM_UNROLL
  for (int r = 0; r < tall; ++r) {
    DVMSIM_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t block = v / kPerBlock, lane = v % kPerBlock * kLanes;
      const Scalar* from = p.start != nullptr ? p.start + (j + block) * 16 + lane
                                              : c + (block * p.rows + r) * 16 + lane;
      std::memcpy(&sum[r][v], from, sizeof(V));
    }
  }
  for (std::int64_t k = 0; k < p.k; ++k) {
    V right[kVectors];
    DVMSIM_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t block = v / kPerBlock, lane = v % kPerBlock * kLanes;
      std::memcpy(&right[v], b + (block * p.k_stride + k) * 16 + lane, sizeof(V));
    }
    DVMSIM_UNROLL
    for (int r = 0; r < tall; ++r) {
      const V left = V{} + a[r * p.a_stride + k];
      DVMSIM_UNROLL
      for (int v = 0; v < kVectors; ++v) sum[r][v] = sum[r][v] + left * right[v];
    }
  }
  DVMSIM_UNROLL
  for (int r = 0; r < tall; ++r) {
    DVMSIM_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const std::int64_t block = v / kPerBlock, lane = v % kPerBlock * kLanes;
      std::memcpy(c + (block * p.rows + r) * 16 + lane, &sum[r][v], sizeof(V));
    }
  }
}

template <class Scalar, int bytes, int tall, int wide>
[[gnu::always_inline]] inline void all_tiles(const Panels<Scalar>& p) {
  const std::int64_t blocks = p.columns / 16;
  std::int64_t j = 0;
  for (; j + wide <= blocks; j += wide) {
    for (std::int64_t i = 0; i < p.rows; i += tall) tile<Scalar, bytes, tall, wide>(p, i, j);
  }
  for (; j < blocks; ++j) {
    for (std::int64_t i = 0; i < p.rows; i += tall) tile<Scalar, bytes, tall, 1>(p, i, j);
  }
}

template <class Scalar>
void baseline(const Panels<Scalar>& panels) {
  all_tiles<Scalar, 16, 2, 1>(panels);
}
template <class Scalar>
DVMSIM_AVX2 void avx2(const Panels<Scalar>& panels) {
  all_tiles<Scalar, 32, 4, 1>(panels);
}
template <class Scalar>
DVMSIM_AVX512 void avx512(const Panels<Scalar>& panels) {
  all_tiles<Scalar, 64, 8, 2>(panels);
}

template <class Scalar>
void dispatch(const Panels<Scalar>& panels) {
  switch (simd()) {
    case Simd::Avx512:
      return avx512(panels);
    case Simd::Avx2:
      return avx2(panels);
    default:
      return baseline(panels);
  }
}

}  // namespace

void multiply(const Panels<float>& panels) {
  dispatch(panels);
}
void multiply(const Panels<std::uint32_t>& panels) {
  dispatch(panels);
}

}  // namespace dvmsim::exec
