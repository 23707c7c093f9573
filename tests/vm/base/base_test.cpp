#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "vm/base/divider.h"
#include "vm/base/dtype.h"
#include "vm/base/half.h"
#include "vm/base/strong.h"

namespace dvmsim {
namespace {

TEST(Half, every_value_survives_the_way_through_float) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Half half{static_cast<std::uint16_t>(bits)};
    const float value = to_float(half);
    if (std::isnan(value)) {
      EXPECT_EQ(to_half(value).bits, 0x7e00);
    } else {
      EXPECT_EQ(to_half(value).bits, half.bits);
    }
  }
}

TEST(Half, rounds_to_the_nearest_and_to_even_on_a_tie) {
  EXPECT_EQ(to_half(1.0f + 0x1p-11f).bits, 0x3c00);             // tie, even below
  EXPECT_EQ(to_half(1.0f + 0x1p-10f + 0x1p-11f).bits, 0x3c02);  // tie, even above
  EXPECT_EQ(to_half(1.0f + 0x1p-11f + 0x1p-20f).bits, 0x3c01);
  EXPECT_EQ(to_half(65519.0f).bits, 0x7bff);
  EXPECT_EQ(to_half(65520.0f).bits, 0x7c00);
  EXPECT_EQ(to_half(0x1p-25f).bits, 0);                 // tie with zero
  EXPECT_EQ(to_half(0x1p-25f + 0x1p-40f).bits, 1);      // smallest subnormal
  EXPECT_EQ(to_half(0x1p-14f - 0x1p-26f).bits, 0x400);  // up into the smallest normal
}

TEST(Bfloat, rounds_to_even_and_keeps_infinity) {
  EXPECT_EQ(to_bfloat(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(to_bfloat(1.0f + 0x1p-7f + 0x1p-8f).bits, 0x3f82);
  EXPECT_EQ(to_bfloat(INFINITY).bits, 0x7f80);
  EXPECT_EQ(to_bfloat(NAN).bits, 0x7fc0);
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Bfloat value{static_cast<std::uint16_t>(bits)};
    if (!std::isnan(to_float(value))) {
      EXPECT_EQ(to_bfloat(to_float(value)).bits, value.bits);
    }
  }
}

TEST(DType, names_are_parsed_back_and_unknown_names_are_not) {
  for (DType type : kDTypes) EXPECT_EQ(parse_dtype(name_of(type)), type);
  EXPECT_EQ(parse_dtype("f64"), std::nullopt);
}

TEST(DType, a_set_contains_what_was_put_in) {
  const DTypeSet set = dtype_set(DType::F16, DType::I8);
  EXPECT_TRUE(contains(set, DType::F16));
  EXPECT_TRUE(contains(set, DType::I8));
  EXPECT_FALSE(contains(set, DType::BF16));
}

TEST(Strong, scales_adds_and_compares_within_one_kind) {
  Cycles cycles = Cycles(3) * 2 + Cycles(1);
  cycles += Cycles(5);
  EXPECT_EQ(cycles, Cycles(12));
  EXPECT_LT(Cycles(11), cycles);
  EXPECT_EQ(Cycles(13) / Cycles(4), 3);
}

TEST(Divider, is_the_division_of_the_host) {
  std::uint64_t state = 88172645463325252u;
  const auto draw = [&state](int bits) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state >> (64 - bits);
  };
  for (int bits : {1, 3, 8, 16, 31, 32, 33, 48, 64}) {
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t divisor = std::max<std::uint64_t>(1, draw(bits));
      const Divider by(divisor);
      for (std::uint64_t number :
           {draw(64), draw(32), draw(20), divisor - 1, divisor, divisor * 5 - 1, std::uint64_t{0},
            std::uint64_t{0xffffffff}, std::uint64_t{0x100000000}, ~std::uint64_t{0}}) {
        ASSERT_EQ(by.quotient(number), number / divisor) << number << " / " << divisor;
        ASSERT_EQ(by.remainder(number), number % divisor) << number << " / " << divisor;
      }
    }
  }
}

}  // namespace
}  // namespace dvmsim
