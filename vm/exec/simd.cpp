#include "vm/exec/simd.h"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace dvmsim::exec {
namespace {

Simd best() {
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;  // clang's __builtin_cpu_supports does not know f16c
  const bool has_f16c = __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
  if (!__builtin_cpu_supports("avx2") || !has_f16c) return Simd::Baseline;
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
             ? Simd::Avx512
             : Simd::Avx2;
#else
  return Simd::Baseline;
#endif
}

Simd level = best();

#if defined(__x86_64__)
DVMSIM_AVX2 void widen_avx2(float* to, const Half* from, std::int64_t count) {
  const __m256 sign = _mm256_castsi256_ps(_mm256_set1_epi32(INT32_MIN));
  const __m256 quiet = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 value =
        _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
    const __m256 is_nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const __m256 nan = _mm256_or_ps(_mm256_and_ps(value, sign), quiet);
    _mm256_storeu_ps(to + i, _mm256_blendv_ps(value, nan, is_nan));
  }
  for (; i < count; ++i) to[i] = to_float(from[i]);
}

DVMSIM_AVX2 void narrow_avx2(Half* to, const float* from, std::int64_t count) {
  const __m256 quiet = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 value = _mm256_loadu_ps(from + i);
    const __m256 is_nan = _mm256_cmp_ps(value, value, _CMP_UNORD_Q);
    const __m128i half =
        _mm256_cvtps_ph(_mm256_blendv_ps(value, quiet, is_nan), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), half);
  }
  for (; i < count; ++i) to[i] = to_half(from[i]);
}
#endif

template <class To, class From>
[[gnu::always_inline]] inline void convert_bfloat(To* __restrict to, const From* __restrict from,
                                                  std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<To, float>) {
      to[i] = to_float(from[i]);
    } else {
      const auto bits = std::bit_cast<std::uint32_t>(from[i]);
      const std::uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
      to[i].bits =
          static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
    }
  }
}

DVMSIM_AVX2 void widen_avx2(float* to, const Bfloat* from, std::int64_t count) {
  convert_bfloat(to, from, count);
}
DVMSIM_AVX2 void narrow_avx2(Bfloat* to, const float* from, std::int64_t count) {
  convert_bfloat(to, from, count);
}

}  // namespace

Simd simd() {
  return level;
}

void limit_simd(Simd wanted) {
  level = wanted < best() ? wanted : best();
}

void widen(float* to, const Half* from, std::int64_t count) {
#if defined(__x86_64__)
  if (level >= Simd::Avx2) return widen_avx2(to, from, count);
#endif
  for (std::int64_t i = 0; i < count; ++i) to[i] = to_float(from[i]);
}

void widen(float* to, const Bfloat* from, std::int64_t count) {
  if (level >= Simd::Avx2) return widen_avx2(to, from, count);
  convert_bfloat(to, from, count);
}

void narrow(Half* to, const float* from, std::int64_t count) {
#if defined(__x86_64__)
  if (level >= Simd::Avx2) return narrow_avx2(to, from, count);
#endif
  for (std::int64_t i = 0; i < count; ++i) to[i] = to_half(from[i]);
}

void narrow(Bfloat* to, const float* from, std::int64_t count) {
  if (level >= Simd::Avx2) return narrow_avx2(to, from, count);
  convert_bfloat(to, from, count);
}

}  // namespace dvmsim::exec
