// Every vector instruction against one line of arithmetic, for each of its types and many shapes.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/vm/exec/shapes.h"

namespace dvmsim {
namespace {

using namespace bench;
using Formula = std::function<long double(DType, long double, long double)>;

constexpr std::int64_t kDst = 0, kA = 32 << 10, kB = 64 << 10, kMask = 96 << 10, kMiddle = 4 << 10,
                       kSpan = 24 << 10;

long double divided(DType type, long double a, long double b) {
  if (is_float(type)) return a / b;
  return b == 0 ? 0 : std::trunc(a / b);
}
long double remainder(DType type, long double a, long double b) {
  if (is_float(type)) return std::fmod(a, b);
  return b == 0 ? 0 : std::fmod(a, b);
}

class Vector : public testing::Test {
 protected:
  /// dst, a and b of the shape are near kDst, kA, kB: strides may be negative.
  long double element(std::int64_t base, DType type, std::int64_t stride, std::int64_t row,
                      std::int64_t i) {
    return number_at(bench.ub(base + kMiddle + (row * stride + i) * size_of(type)), type);
  }
  void fill(DType type) {
    const std::int64_t count = kSpan / size_of(type);
    bench.fill_small(bench.ub(kA), count, type);
    bench.fill_small(bench.ub(kB), count, type);
    bench.fill_small(bench.ub(kMask), kSpan, DType::Bool);
  }
  static bool near(long double value, long double exact, DType type) {
    std::byte element[8];
    write_number(element, type, exact);
    const long double rounded = number_at(element, type);
    if (std::isnan(rounded)) return std::isnan(value);
    if (value == rounded) return true;
    const long double ulp = type == DType::F16    ? 0x1p-10L
                            : type == DType::BF16 ? 0x1p-7L
                                                  : 0x1p-23L;
    return is_float(type) && std::fabs(value - rounded) <= ulp * std::fabs(rounded);
  }
  /// Runs it for all types and shapes; to: the type of the result, by default that of the sources.
  void check(Op op, const Formula& formula, Operands more = {}, DType to = DType::Bool,
             bool compares = false) {
    for (DType type : kDTypes) {
      if (!contains(isa::row_of(op).dtypes, type)) continue;
      const DType out = op == Op::vcvt ? to : compares ? DType::Bool : type;
      for (const VectorShape& s : kVectorShapes) {
        fill(type);
        auto operands =
            vector_operands(op, s, type, to, kDst + kMiddle, kA + kMiddle, kB + kMiddle, kMask);
        operands.insert(operands.end(), more.begin(), more.end());
        const auto before = bench.bytes(Space::UB);
        ASSERT_FALSE(bench.run(op, operands));
        std::vector<bool> written(kSpan);
        for (std::int64_t row = 0; row < s.rows; ++row) {
          for (std::int64_t i = 0; i < s.count; ++i) {
            const long double a = element(kA, type, s.a, row, i),
                              b = element(kB, type, s.b, row, i);
            const long double value = element(kDst, out, s.d, row, i);
            ASSERT_TRUE(near(value, formula(type, a, b), out))
                << isa::row_of(op).mnemonic << " " << name_of(type) << "(" << a << ", " << b
                << ") = " << value;
            for (int k = 0; k < size_of(out); ++k) {
              written[static_cast<std::size_t>(kMiddle + (row * s.d + i) * size_of(out) + k)] =
                  true;
            }
          }
        }
        const auto after = bench.bytes(Space::UB);
        for (std::size_t i = 0; i < after.size(); ++i) {
          if (i < written.size() && written[i]) continue;
          ASSERT_EQ(after[i], before[i]) << "wrote outside dst";
        }
      }
    }
  }

  Bench bench;
};

TEST_F(Vector, arithmetic_of_two_sources) {
  check(Op::vadd, [](DType, auto a, auto b) { return a + b; });
  check(Op::vsub, [](DType, auto a, auto b) { return a - b; });
  check(Op::vmul, [](DType, auto a, auto b) { return a * b; });
  check(Op::vdiv, divided);
  check(Op::vmod, remainder);
  check(Op::vmax, [](DType, auto a, auto b) { return std::max(a, b); });
  check(Op::vmin, [](DType, auto a, auto b) { return std::min(a, b); });
  check(Op::vpow, [](DType, auto a, auto b) { return std::pow(a, b); });
}

TEST_F(Vector, bits_of_two_sources) {
  const auto bits = [](auto op) {
    return [op](DType, long double a, long double b) -> long double {
      return static_cast<long double>(
          op(static_cast<std::int64_t>(a), static_cast<std::int64_t>(b)));
    };
  };
  check(Op::vand, bits([](auto a, auto b) { return a & b; }));
  check(Op::vor, bits([](auto a, auto b) { return a | b; }));
  check(Op::vxor, bits([](auto a, auto b) { return a ^ b; }));
}

TEST_F(Vector, arithmetic_with_a_scalar) {
  for (DType type : {DType::F32, DType::I32}) {
    // As bits of a float for the floating types, as an integer for the others.
    const bool floating = type == DType::F32;
    const Operands s = {{"s", floating ? float_bits(2.5f) : 3}};
    const auto only = [&](auto formula) {
      return [=](DType dtype, long double a, long double) -> long double {
        if (is_float(dtype) != floating) return std::numeric_limits<long double>::quiet_NaN();
        return formula(dtype, a, floating ? 2.5L : 3.0L);
      };
    };
    const auto with = [&](Op op, auto formula) {
      for (DType dtype : kDTypes) {
        if (!contains(isa::kArithmetic, dtype) || is_float(dtype) != floating) continue;
        fill(dtype);
        const VectorShape shape{70, 3, 80, 70, 0};
        auto operands = vector_operands(op, shape, dtype, dtype, kDst + kMiddle, kA + kMiddle,
                                        kB + kMiddle, kMask);
        operands.insert(operands.end(), s.begin(), s.end());
        ASSERT_FALSE(bench.run(op, operands));
        for (std::int64_t i = 0; i < 210; ++i) {
          const long double a = element(kA, dtype, 70, i / 70, i % 70);
          const long double value = element(kDst, dtype, 80, i / 70, i % 70);
          ASSERT_TRUE(near(value, only(formula)(dtype, a, 0), dtype))
              << isa::row_of(op).mnemonic << " " << name_of(dtype) << " " << a << " = " << value;
        }
      }
    };
    with(Op::vadds, [](DType, auto a, auto b) { return a + b; });
    with(Op::vmuls, [](DType, auto a, auto b) { return a * b; });
    with(Op::vmaxs, [](DType, auto a, auto b) { return std::max(a, b); });
    with(Op::vmins, [](DType, auto a, auto b) { return std::min(a, b); });
    with(Op::vdivs, [](DType t, auto a, auto b) { return divided(t, a, b); });
    with(Op::vsdiv, [](DType t, auto a, auto b) { return divided(t, b, a); });
    with(Op::vssub, [](DType, auto a, auto b) { return b - a; });
  }
}

TEST_F(Vector, a_scalar_is_rounded_to_the_type_first) {
  write_number(bench.ub(kA), DType::F16, 1);
  ASSERT_FALSE(bench.run(Op::vmuls, {{"dtype", code(DType::F16)},
                                     {"dst", kDst},
                                     {"a", kA},
                                     {"s", float_bits(1.0f + 0x1p-11f)},
                                     {"count", 1}}));
  EXPECT_EQ(number_at(bench.ub(kDst), DType::F16), 1);
}

TEST_F(Vector, functions_of_one_source) {
  check(Op::vabs, [](DType, auto a, auto) { return std::fabs(a); });
  check(Op::vneg, [](DType, auto a, auto) { return -a; });
  check(Op::vrelu, [](DType, auto a, auto) { return a > 0 ? a : 0; });
  check(Op::vsign, [](DType, auto a, auto) -> long double { return (a > 0) - (a < 0); });
  check(Op::vexp, [](DType, auto a, auto) { return std::exp(a); });
  check(Op::vlog, [](DType, auto a, auto) { return std::log(a); });
  check(Op::vsqrt, [](DType, auto a, auto) { return std::sqrt(a); });
  check(Op::vrsqrt, [](DType, auto a, auto) { return 1 / std::sqrt(a); });
  check(Op::vrec, [](DType, auto a, auto) { return 1 / a; });
  check(Op::vtanh, [](DType, auto a, auto) { return std::tanh(a); });
  check(Op::verf, [](DType, auto a, auto) { return std::erf(a); });
  check(Op::vsigmoid, [](DType, auto a, auto) { return 1 / (1 + std::exp(-a)); });
  check(Op::vfloor, [](DType, auto a, auto) { return std::floor(a); });
  check(Op::vceil, [](DType, auto a, auto) { return std::ceil(a); });
  check(Op::vround, [](DType, auto a, auto) { return std::nearbyint(a); });
  check(Op::vsin, [](DType, auto a, auto) { return std::sin(a); });
  check(Op::vcos, [](DType, auto a, auto) { return std::cos(a); });
  check(Op::vatan, [](DType, auto a, auto) { return std::atan(a); });
  check(Op::vlog1p, [](DType, auto a, auto) { return std::log1p(a); });
  check(Op::vcopy, [](DType, auto a, auto) { return a; });
  check(Op::vnot, [](DType type, auto a, auto) -> long double {
    return type == DType::Bool ? (a == 0) : -1 - a;
  });
}

TEST_F(Vector, comparisons_in_every_order) {
  const std::pair<isa::Order, std::function<bool(long double, long double)>> kOrders[] = {
      {isa::Order::Eq, std::equal_to<>()}, {isa::Order::Ne, std::not_equal_to<>()},
      {isa::Order::Lt, std::less<>()},     {isa::Order::Le, std::less_equal<>()},
      {isa::Order::Gt, std::greater<>()},  {isa::Order::Ge, std::greater_equal<>()}};
  for (const auto& entry : kOrders) {
    const isa::Order order = entry.first;
    const auto& holds = entry.second;
    check(
        Op::vcmp, [&](DType, auto a, auto b) -> long double { return holds(a, b); },
        {{"order", static_cast<int>(order)}}, DType::Bool, true);
    check(
        Op::vcmps,
        [&](DType type, auto a, auto) -> long double {
          return holds(a, is_float(type) ? 0x1p-149L * (type == DType::F32) : 1);
        },
        {{"order", static_cast<int>(order)}, {"s", 1}}, DType::Bool, true);
  }
}

TEST_F(Vector, a_comparison_with_nan_is_false_but_for_not_equal) {
  write_number(bench.ub(kA), DType::F16, NAN);
  write_number(bench.ub(kB), DType::F16, 1);
  for (int order = 0; order < 6; ++order) {
    ASSERT_FALSE(bench.run(Op::vcmp, {{"dtype", code(DType::F16)},
                                      {"dst", kDst},
                                      {"a", kA},
                                      {"b", kB},
                                      {"count", 1},
                                      {"order", order}}));
    EXPECT_EQ(number_at(bench.ub(kDst), DType::Bool), order == 1);
  }
}

TEST_F(Vector, select_takes_a_where_the_mask_is_not_zero) {
  for (DType type : kDTypes) {
    for (const VectorShape& s : kVectorShapes) {
      fill(type);
      ASSERT_FALSE(bench.run(Op::vsel, vector_operands(Op::vsel, s, type, type, kDst + kMiddle,
                                                       kA + kMiddle, kB + kMiddle, kMask)));
      for (std::int64_t row = 0; row < s.rows; ++row) {
        for (std::int64_t i = 0; i < s.count; ++i) {
          const bool chosen = number_at(bench.ub(kMask + row * s.count + i), DType::Bool) != 0;
          ASSERT_EQ(element(kDst, type, s.d, row, i),
                    chosen ? element(kA, type, s.a, row, i) : element(kB, type, s.b, row, i));
        }
      }
    }
  }
}

TEST_F(Vector, conversions_between_all_types) {
  for (DType to : kDTypes) {
    check(
        Op::vcvt,
        [to](DType from, auto a, auto) -> long double {
          if (to == DType::Bool) return a != 0;
          if (is_float(to) || !is_float(from)) return a;
          return to == DType::U8 ? std::max(0.0L, std::trunc(a)) : std::trunc(a);
        },
        {}, to);
  }
}

TEST_F(Vector, float_to_integer_saturates_and_makes_nan_zero) {
  const std::pair<float, std::int64_t> kCases[] = {
      {1e30f, INT32_MAX},          {-1e30f, INT32_MIN},
      {0x1p31f, INT32_MAX},        {-0x1p31f, INT32_MIN},
      {2147483520.0f, 2147483520}, {NAN, 0},
      {INFINITY, INT32_MAX},       {-1.99f, -1}};
  for (const auto& [value, expected] : kCases) {
    write_number(bench.ub(kA), DType::F32, value);
    ASSERT_FALSE(bench.run(Op::vcvt, {{"dtype", code(DType::F32)},
                                      {"to", code(DType::I32)},
                                      {"dst", kDst},
                                      {"a", kA},
                                      {"count", 1}}));
    EXPECT_EQ(number_at(bench.ub(kDst), DType::I32), expected) << value;
  }
  write_number(bench.ub(kA), DType::F32, 300);
  ASSERT_FALSE(bench.run(Op::vcvt, {{"dtype", code(DType::F32)},
                                    {"to", code(DType::I8)},
                                    {"dst", kDst},
                                    {"a", kA},
                                    {"count", 1}}));
  EXPECT_EQ(number_at(bench.ub(kDst), DType::I8), 127);
}

TEST_F(Vector, integers_wrap_and_division_by_zero_gives_zero) {
  const auto run = [&](Op op, DType type, long double a, long double b) {
    write_number(bench.ub(kA), type, a);
    write_number(bench.ub(kB), type, b);
    EXPECT_FALSE(
        bench.run(op, {{"dtype", code(type)}, {"dst", kDst}, {"a", kA}, {"b", kB}, {"count", 1}}));
    return number_at(bench.ub(kDst), type);
  };
  EXPECT_EQ(run(Op::vadd, DType::I8, 127, 1), -128);
  EXPECT_EQ(run(Op::vsub, DType::U8, 0, 1), 255);
  EXPECT_EQ(run(Op::vmul, DType::I32, 65536, 65537), 65536);
  EXPECT_EQ(run(Op::vdiv, DType::I32, INT32_MIN, -1), INT32_MIN);
  EXPECT_EQ(run(Op::vmod, DType::I64, static_cast<long double>(INT64_MIN), -1), 0);
  EXPECT_EQ(run(Op::vdiv, DType::I32, 5, 0), 0);
  EXPECT_EQ(run(Op::vmod, DType::I8, 5, 0), 0);
  EXPECT_EQ(run(Op::vmod, DType::I32, -7, 3), -1);
}

TEST_F(Vector, maximum_minimum_and_relu_propagate_nan) {
  for (DType type : {DType::F16, DType::BF16, DType::F32}) {
    for (bool first : {true, false}) {
      write_number(bench.ub(kA), type, first ? NAN : 1);
      write_number(bench.ub(kB), type, first ? 1 : NAN);
      for (Op op : {Op::vmax, Op::vmin}) {
        ASSERT_FALSE(bench.run(
            op, {{"dtype", code(type)}, {"dst", kDst}, {"a", kA}, {"b", kB}, {"count", 1}}));
        EXPECT_TRUE(std::isnan(number_at(bench.ub(kDst), type)));
      }
    }
    write_number(bench.ub(kA), type, NAN);
    ASSERT_FALSE(
        bench.run(Op::vrelu, {{"dtype", code(type)}, {"dst", kDst}, {"a", kA}, {"count", 1}}));
    EXPECT_TRUE(std::isnan(number_at(bench.ub(kDst), type)));
  }
}

TEST_F(Vector, a_destination_may_be_one_of_the_sources) {
  for (DType type : {DType::F16, DType::F32, DType::I32}) {
    fill(type);
    std::vector<long double> expected;
    for (int i = 0; i < 1500; ++i) {
      expected.push_back(2 * element(kA, type, 0, 0, i));
    }
    const std::int64_t at = kA + kMiddle;
    ASSERT_FALSE(bench.run(
        Op::vadd, {{"dtype", code(type)}, {"dst", at}, {"a", at}, {"b", at}, {"count", 1500}}));
    for (int i = 0; i < 1500; ++i) {
      ASSERT_EQ(element(kA, type, 0, 0, i), expected[static_cast<std::size_t>(i)]);
    }
  }
}

TEST_F(Vector, duplicate_broadcast_and_transpose_place_elements) {
  for (DType type : kDTypes) {
    fill(type);
    const std::int64_t size = size_of(type);
    const auto at = [&](std::int64_t base, std::int64_t i) {
      return number_at(bench.ub(base + i * size), type);
    };
    const std::int64_t one = is_float(type) ? float_bits(1) : 1;
    ASSERT_FALSE(bench.run(Op::vdup, {{"dtype", code(type)},
                                      {"dst", kDst},
                                      {"s", one},
                                      {"count", 9},
                                      {"rows", 2},
                                      {"dstride", 20 * size}}));
    EXPECT_EQ(at(kDst, 0), 1);
    EXPECT_EQ(at(kDst, 28), 1);
    ASSERT_FALSE(bench.run(Op::vbrc, {{"dtype", code(type)},
                                      {"dst", kDst},
                                      {"a", kA},
                                      {"count", 9},
                                      {"rows", 5},
                                      {"dstride", 16 * size}}));
    for (int r = 0; r < 5; ++r) {
      for (int i = 0; i < 9; ++i) EXPECT_EQ(at(kDst, r * 16 + i), at(kA, r));
    }
    ASSERT_FALSE(bench.run(Op::vtrans, {{"dtype", code(type)},
                                        {"dst", kDst},
                                        {"a", kA},
                                        {"count", 37},
                                        {"rows", 21},
                                        {"dstride", 32 * size},
                                        {"astride", 40 * size}}));
    for (int r = 0; r < 21; ++r) {
      for (int c = 0; c < 37; ++c) EXPECT_EQ(at(kDst, c * 32 + r), at(kA, r * 40 + c));
    }
  }
}

}  // namespace
}  // namespace dvmsim
