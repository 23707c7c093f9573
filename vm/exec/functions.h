// Our own elementary functions of a float: the same bits on every machine, because they are made of
// IEEE double +, -, *, / and exact bit operations only (built without contraction to fma). Error
// below 0.51 ulp before the one rounding to float; exact at infinities, zeros and NaN. Branch-free
// where that lets a loop over them be vectorised.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace dvmsim::functions {

namespace detail {

inline constexpr double kShift = 0x1.8p52;  // adding it rounds to an integer, kept in the low bits

/// sum of c[i] * x^i, even and odd powers apart: two short chains instead of a long one.
template <int n>
[[gnu::always_inline]] inline double polynomial(const double (&c)[n], double x) {
  const double square = x * x;
  double sum = c[n - 1], other = c[n - 2];
#if defined(__clang__)
#pragma clang loop unroll(full)
#else
#pragma GCC unroll 16
#endif
  for (int i = n - 3; i >= 0; i -= 2) {
    sum = sum * square + c[i];
    if (i > 0) other = other * square + c[i - 1];
  }
  return n % 2 == 1 ? sum + x * other : other + x * sum;
}

/// e^x for any x, saturating at e^+-200: beyond the range of float, inside that of double.
[[gnu::always_inline]] inline double exp(double x) {
  constexpr double kTaylor[] = {1.0,         1.0,          1.0 / 2,      1.0 / 6,
                                1.0 / 24,    1.0 / 120,    1.0 / 720,    1.0 / 5040,
                                1.0 / 40320, 1.0 / 362880, 1.0 / 3628800};
  x = x > 200.0 ? 200.0 : x;
  x = x < -200.0 ? -200.0 : x;
  const double shifted = x * 0x1.71547652b82fep+0 + kShift;
  const double k = shifted - kShift;
  const double rest = (x - k * 0x1.62e42fefa2000p-1) - k * 0x1.9ef35793c7673p-41;  // ln 2, in two
  const double power = polynomial(kTaylor, rest);
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(power) +
                               (std::bit_cast<std::uint64_t>(shifted) << 52));
}

/// ln x for a finite x > 0 that is normal as a double, as every positive float is.
[[gnu::always_inline]] inline double log(double x) {
  constexpr double kSeries[] = {2.0,     2.0 / 3,  2.0 / 5,  2.0 / 7,
                                2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15};
  constexpr std::uint64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd;
  const std::uint64_t moved = std::bit_cast<std::uint64_t>(x) + (kOne - kRootHalf);
  const double exponent =
      std::bit_cast<double>(0x4330000000000000 + (moved >> 52)) - (0x1p52 + 1023.0);
  const double mantissa = std::bit_cast<double>((moved & 0x000fffffffffffff) + kRootHalf);
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  return exponent * 0x1.62e42fefa39efp-1 + s * polynomial(kSeries, s * s);
}

/// sin (quarter 0) or cos (quarter 1) of n * pi/2 + rest, |rest| <= pi/4; n in the low bits of
/// `turns`.
[[gnu::always_inline]] inline float sine_of(std::uint64_t turns, double rest) {
  constexpr double kSin[] = {1.0,          -1.0 / 6,        1.0 / 120,       -1.0 / 5040,
                             1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800};
  constexpr double kCos[] = {1.0,         -1.0 / 2,       1.0 / 24,        -1.0 / 720,
                             1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600, -1.0 / 87178291200};
  const double square = rest * rest;
  const double sine = rest * polynomial(kSin, square);
  const double cosine = polynomial(kCos, square);
  const double value = (turns & 1) != 0 ? cosine : sine;
  return static_cast<float>((turns & 2) != 0 ? -value : value);
}

/// Above this, x - n * pi/2 needs more bits of pi than two doubles hold.
inline constexpr float kPlainReduction = 0x1p20f;

/// sin(x + quarters * pi/2) for |x| <= kPlainReduction.
[[gnu::always_inline]] inline float sine_plain(float x, std::uint64_t quarters) {
  const double wide = x;
  const double shifted = wide * 0x1.45f306dc9c883p-1 + kShift;
  const double n = shifted - kShift;
  const double rest = (wide - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34;
  return sine_of(std::bit_cast<std::uint64_t>(shifted) + quarters, rest);
}
/// The same for any larger x; NaN at infinity and NaN.
[[nodiscard]] float sine_large(float x, std::uint64_t quarters);

}  // namespace detail

[[gnu::always_inline]] inline float exp(float x) {
  return static_cast<float>(detail::exp(x));
}

[[gnu::always_inline]] inline float log(float x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float result = static_cast<float>(detail::log(x));
  result = x == 0.0f ? -kInfinity : result;
  result = x < 0.0f ? std::numeric_limits<float>::quiet_NaN() : result;
  return ((x == kInfinity) | (x != x)) ? x : result;
}

[[gnu::always_inline]] inline float log1p(float x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const double wide = x, size = wide < 0 ? -wide : wide;
  const double near_zero = wide - wide * wide * (0.5 - wide * (1.0 / 3.0));
  const bool inside = (x > -1.0f) & (x < kInfinity);
  const double safe = inside ? 1.0 + wide : 1.0;
  float result = static_cast<float>(size < 0x1p-20 ? near_zero : detail::log(safe));
  result = x == -1.0f ? -kInfinity : result;
  result = x < -1.0f ? std::numeric_limits<float>::quiet_NaN() : result;
  return ((x == kInfinity) | (x != x)) ? x : result;
}

[[gnu::always_inline]] inline float atan(float x) {
  constexpr double kSeries[] = {1.0,       -1.0 / 3,  1.0 / 5,   -1.0 / 7, 1.0 / 9,
                                -1.0 / 11, 1.0 / 13,  -1.0 / 15, 1.0 / 17, -1.0 / 19,
                                1.0 / 21,  -1.0 / 23, 1.0 / 25};
  constexpr double kHalfPi = 0x1.921fb54442d18p+0, kAtanOfHalf = 0x1.dac670561bb4fp-2;
  const double wide = x, size = wide < 0 ? -wide : wide;
  const bool large = size > 1.0;
  const double inside = large ? 1.0 / size : size;  // atan(x) = pi/2 - atan(1/x)
  const bool shifted = inside > 0.25;  // atan(t) = atan(1/2) + atan((t - 1/2) / (1 + t/2))
  const double rest = shifted ? (inside - 0.5) / (1.0 + 0.5 * inside) : inside;
  const double part =
      (shifted ? kAtanOfHalf : 0.0) + rest * detail::polynomial(kSeries, rest * rest);
  const double result = large ? kHalfPi - part : part;
  return x == 0.0f ? x : static_cast<float>(wide < 0 ? -result : result);
}

[[gnu::always_inline]] inline float tanh(float x) {
  const double wide = x, square = wide * wide, power = detail::exp(wide + wide);
  const double near_zero = wide * (1.0 - square / 3.0);
  return static_cast<float>(square < 0x1p-20 ? near_zero : (power - 1.0) / (power + 1.0));
}

[[gnu::always_inline]] inline float sigmoid(float x) {
  return static_cast<float>(1.0 / (1.0 + detail::exp(-static_cast<double>(x))));
}

[[gnu::always_inline]] inline float erf(float x) {
  // Chebyshev fits: below 1 of erf(x) / x in x^2 (error 3e-11), on [1, 4] of ln(erfc), which is
  // nearly a parabola (error 2e-9 of erfc <= 0.16). Beyond 4, erf rounds to 1.
  constexpr double kNear[] = {1.12837916706154342,    -0.376126384680287104,
                              0.112837824952368445,   -0.0268654307276702429,
                              0.0052210318078580228,  -0.000848408040553510629,
                              0.00011265959025606609, -9.66704457148699642e-6};
  constexpr double kTail[] = {
      0.000273475166174571687, -1.12996908860490977,   -0.632479330294624274,
      -0.109153721894647027,   0.0255869292047717324,  -0.00426109428758862791,
      0.000396488281133673622, 7.44757627985706648e-6, -7.46704747449674302e-6,
      8.92532166951398344e-7,  -3.83471414223868916e-8};
  const double wide = x, size = wide < 0 ? -wide : wide;
  const double clamped = size > 4.0 ? 4.0 : size;
  const double far = 1.0 - detail::exp(detail::polynomial(kTail, clamped));
  const double near_zero = wide * detail::polynomial(kNear, clamped * clamped);
  return static_cast<float>(size < 1.0 ? near_zero : wide < 0 ? -far : far);
}

[[gnu::always_inline]] inline float sin(float x) {
  const bool plain = x >= -detail::kPlainReduction && x <= detail::kPlainReduction;
  return plain ? detail::sine_plain(x, 0) : detail::sine_large(x, 0);
}

[[gnu::always_inline]] inline float cos(float x) {
  const bool plain = x >= -detail::kPlainReduction && x <= detail::kPlainReduction;
  return plain ? detail::sine_plain(x, 1) : detail::sine_large(x, 1);
}

/// As C's pow in every special case.
[[nodiscard]] float pow(float base, float exponent);

}  // namespace dvmsim::functions
