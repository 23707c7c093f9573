// Which instructions of this computer the loops may use. Every level computes the same bits; a
// faster one only takes less time. Owns the choice and the conversions of arrays of elements.
#pragma once

#include <cstdint>
#include <type_traits>

#include "vm/base/half.h"
#include "vm/exec/element.h"

#if defined(__x86_64__)
#define DVMSIM_AVX2 __attribute__((target("avx2,f16c")))
#define DVMSIM_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define DVMSIM_AVX2
#define DVMSIM_AVX512
#endif

namespace dvmsim::exec {

enum class Simd : std::uint8_t { Baseline, Avx2, Avx512 };

/// The best level of this computer, or a lower one that was asked for.
[[nodiscard]] Simd simd();
/// For tests: use at most this level from now on.
void limit_simd(Simd level);

/// Elements a loop takes at a time: its buffers stay in the first cache.
inline constexpr std::int64_t kChunk = 512;

void widen(float* to, const Half* from, std::int64_t count);
void widen(float* to, const Bfloat* from, std::int64_t count);
void narrow(Half* to, const float* from, std::int64_t count);
void narrow(Bfloat* to, const float* from, std::int64_t count);

/// `count` <= kChunk elements in the type they are computed in: converted into `buffer`, or where
/// they are if there is nothing to convert.
template <class T>
const Computed<T>* computed(Computed<T>* buffer, const T* from, std::int64_t count) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bfloat>) {
    widen(buffer, from, count);
    return buffer;
  } else {
    return reinterpret_cast<const Computed<T>*>(from);  // BoolByte is its byte
  }
}

}  // namespace dvmsim::exec
