#include "vm/exec/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace dvmsim {
namespace {

using Ours = float (*)(float);
using Exact = long double (*)(long double);

/// Distance in units in the last place of the exact value as a float.
double error_in_ulp(float value, long double exact) {
  const auto rounded = static_cast<float>(exact);
  if (std::isnan(exact)) return std::isnan(value) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(value)) return value == rounded ? 0 : 1e9;
  const float size = std::fabs(rounded);
  const float ulp = std::max(std::nextafter(size, INFINITY) - size, 0x1p-149f);
  return std::isinf(ulp) ? 0 : static_cast<double>(std::fabs(value - exact) / ulp);
}

/// Every 4999th float of all there are, both signs, NaN and infinities included.
double worst_error(Ours ours, Exact exact) {
  double worst = 0;
  for (std::uint64_t bits = 0; bits < 0x1'0000'0000; bits += 4999) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    worst = std::max(worst, error_in_ulp(ours(x), exact(x)));
  }
  return worst;
}

constexpr double kBound = 0.51;  // half of it is the rounding to float itself

TEST(Functions, exp_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::exp(x); },
                        [](long double x) { return std::exp(x); }),
            kBound);
}
TEST(Functions, log_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::log(x); },
                        [](long double x) { return std::log(x); }),
            kBound);
}
TEST(Functions, log_is_accurate_near_one) {
  for (float x = 0.9f; x < 1.1f; x = std::nextafter(x, 2.0f) + 0x1p-20f) {
    EXPECT_LT(error_in_ulp(functions::log(x), std::log(static_cast<long double>(x))), kBound) << x;
  }
}
TEST(Functions, tanh_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::tanh(x); },
                        [](long double x) { return std::tanh(x); }),
            kBound);
}
TEST(Functions, erf_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::erf(x); },
                        [](long double x) { return std::erf(x); }),
            kBound);
}
TEST(Functions, sigmoid_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::sigmoid(x); },
                        [](long double x) { return 1 / (1 + std::exp(-x)); }),
            kBound);
}
TEST(Functions, sin_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::sin(x); },
                        [](long double x) { return std::sin(x); }),
            kBound);
}
TEST(Functions, cos_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::cos(x); },
                        [](long double x) { return std::cos(x); }),
            kBound);
}

TEST(Functions, atan_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::atan(x); },
                        [](long double x) { return std::atan(x); }),
            kBound);
}
TEST(Functions, log1p_is_accurate_everywhere) {
  EXPECT_LT(worst_error([](float x) { return functions::log1p(x); },
                        [](long double x) { return std::log1p(x); }),
            kBound);
}

TEST(Functions, pow_is_accurate_and_follows_c_in_every_special_case) {
  const float kSpecial[] = {0.0f,  -0.0f, 1.0f,    -1.0f,       2.0f,     -2.0f,      3.0f, -3.0f,
                            0.5f,  -0.5f, 1e30f,   -1e30f,      INFINITY, -INFINITY,  NAN,  1e-40f,
                            -7.0f, 2.5f,  0x1p24f, 16777217.0f, -0x1p25f, 0.99999994f};
  for (float x : kSpecial) {
    for (float y : kSpecial) {
      const float ours = functions::pow(x, y), theirs = std::pow(x, y);
      EXPECT_LT(error_in_ulp(ours, std::pow(static_cast<long double>(x), y)), kBound)
          << x << " ^ " << y;
      if (!std::isnan(theirs)) {
        EXPECT_EQ(std::signbit(ours), std::signbit(theirs)) << x << " ^ " << y;
      }
    }
  }
  for (float x = 1e-3f; x < 1e4f; x *= 1.37f) {
    for (float y = -12.0f; y < 12.0f; y += 0.171f) {
      EXPECT_LT(error_in_ulp(functions::pow(x, y), std::pow(static_cast<long double>(x), y)),
                kBound)
          << x << " ^ " << y;
    }
  }
}

TEST(Functions, odd_functions_keep_the_sign_of_zero) {
  EXPECT_TRUE(std::signbit(functions::tanh(-0.0f)));
  EXPECT_TRUE(std::signbit(functions::erf(-0.0f)));
  EXPECT_TRUE(std::signbit(functions::atan(-0.0f)));
  EXPECT_TRUE(std::signbit(functions::log1p(-0.0f)));
  EXPECT_TRUE(std::signbit(functions::sin(-0.0f)));
  EXPECT_FALSE(std::signbit(functions::sin(0.0f)));
}

}  // namespace
}  // namespace dvmsim
