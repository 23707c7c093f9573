#include "vm/exec/functions.h"

namespace dvmsim::functions {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

enum class Parity { Fraction, Even, Odd };

Parity parity(float x) {
  const float size = x < 0 ? -x : x;
  if (size >= 0x1p24f) return Parity::Even;
  const auto whole = static_cast<std::int32_t>(size);
  if (static_cast<float>(whole) != size) return Parity::Fraction;
  return (whole & 1) != 0 ? Parity::Odd : Parity::Even;
}

/// pow of a size: base >= 0, not 1; no NaN, exponent not 0.
float pow_of_size(float base, float exponent) {
  const bool grows = (base > 1.0f) == (exponent > 0.0f);
  const bool at_end =
      base == 0.0f || base == kInfinity || exponent == kInfinity || exponent == -kInfinity;
  if (at_end) return grows ? kInfinity : 0.0f;
  return static_cast<float>(detail::exp(detail::log(base) * static_cast<double>(exponent)));
}

}  // namespace

namespace detail {

float sine_large(float x, std::uint64_t quarters) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if ((bits & 0x7f800000u) == 0x7f800000u) return kNan;
  // |x| = m * 2^e. Of x * 2/pi, bits above 2^1 only add whole turns: a window of 96 bits of 2/pi
  // that begins where m's product weighs 2 leaves the quadrant on top and 94 bits of fraction.
  constexpr std::uint32_t kTwoOverPi[] = {0,          0xa2f9836e, 0x4e441529,
                                          0xfc2757d1, 0xf534ddc0, 0xdb629599,
                                          0x3c439041, 0xfe5163ab, 0xdebbc561};
  const std::uint32_t m = (bits & 0x7fffffu) | 0x800000u;
  const int first =
      static_cast<int>(bits >> 23 & 0xffu) - 150 - 2 + 32;  // leading bit of the window
  const int word = first / 32, shift = first % 32;
  unsigned __int128 window = 0;
  for (int i = 0; i < 4; ++i) window = window << 32 | kTwoOverPi[word + i];
  window = window << shift >> 32;
  const unsigned __int128 product = window * m;
  constexpr unsigned __int128 kOneQuarter = static_cast<unsigned __int128>(1) << 94;
  auto turns = static_cast<std::uint64_t>(product >> 94) & 3u;
  auto fraction = static_cast<__int128>(product & (kOneQuarter - 1));
  if (fraction >= static_cast<__int128>(kOneQuarter / 2)) {
    fraction -= static_cast<__int128>(kOneQuarter);
    ++turns;
  }
  double rest = static_cast<double>(fraction) * 0x1p-94 * 0x1.921fb54442d18p+0;
  if ((bits >> 31) != 0) {
    rest = -rest;
    turns = 0 - turns;
  }
  return sine_of(turns + quarters, rest);
}

}  // namespace detail

float pow(float base, float exponent) {
  if (exponent == 0.0f || base == 1.0f) return 1.0f;
  if (base != base || exponent != exponent) return kNan;
  const bool is_negative = (std::bit_cast<std::uint32_t>(base) >> 31) != 0;
  const float size = is_negative ? -base : base;
  const float result = size == 1.0f ? 1.0f : pow_of_size(size, exponent);
  if (!is_negative) return result;
  const Parity kind = parity(exponent);
  if (kind == Parity::Fraction && size != 0.0f && size != kInfinity) return kNan;
  return kind == Parity::Odd ? -result : result;
}

}  // namespace dvmsim::functions
