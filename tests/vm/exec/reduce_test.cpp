#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tests/vm/exec/bench.h"

namespace dvmsim {
namespace {

using namespace bench;
using isa::Reduction;

constexpr std::int64_t kDst = 0, kA = 64 << 10;

struct Case {
  std::int64_t count, rows, stride;
};
constexpr Case kCases[] = {{1, 1, 1},  {16, 4, 16}, {37, 3, 48}, {1000, 2, 1008},
                           {33, 5, 0}, {0, 3, 16},  {512, 1, 0}, {15, 7, 16}};

float step(Reduction how, float a, float b) {
  switch (how) {
    case Reduction::Max:
      return std::max(a, b);
    case Reduction::Min:
      return std::min(a, b);
    case Reduction::Prod:
      return a * b;
    default:
      return a + b;
  }
}
float first(Reduction how) {
  switch (how) {
    case Reduction::Max:
      return -INFINITY;
    case Reduction::Min:
      return INFINITY;
    case Reduction::Prod:
      return 1;
    default:
      return 0;
  }
}
/// The documented order: 16 interleaved lanes, then a tree.
float along_row(Reduction how, const std::vector<float>& row) {
  std::array<float, 16> lane{};
  lane.fill(first(how));
  for (std::size_t i = 0; i < row.size(); ++i) lane[i % 16] = step(how, lane[i % 16], row[i]);
  for (std::size_t half : {8u, 4u, 2u, 1u}) {
    for (std::size_t j = 0; j < half; ++j) lane[j] = step(how, lane[j], lane[j + half]);
  }
  return lane[0];
}

class Reduce : public testing::TestWithParam<DType> {
 protected:
  float at(std::int64_t base, std::int64_t index) {
    return static_cast<float>(number_at(bench.ub(base + index * size_of(type)), type));
  }
  float rounded(float value) const {
    std::byte element[8];
    write_number(element, type, value);
    return static_cast<float>(number_at(element, type));
  }
  void fill() {
    for (std::int64_t i = 0; i < 4096; ++i) {
      const float value = static_cast<float>(bench.random() % 2000) * 1e-3f + 0.01f;
      write_number(bench.ub(kA + i * size_of(type)), type,
                   bench.random() % 2 != 0 ? -value : value);
    }
  }
  void run(Op op, const Case& c, Reduction how) {
    ASSERT_FALSE(bench.run(op, {{"dtype", code(type)},
                                {"dst", kDst},
                                {"a", kA},
                                {"count", c.count},
                                {"rows", c.rows},
                                {"astride", c.stride * size_of(type)},
                                {"how", static_cast<int>(how)}}));
  }

  const DType type = GetParam();
  Bench bench;
};

TEST_P(Reduce, along_rows_in_the_documented_order) {
  for (auto how : {Reduction::Sum, Reduction::Max, Reduction::Min, Reduction::Prod}) {
    for (const Case& c : kCases) {
      fill();
      run(Op::vredx, c, how);
      for (std::int64_t row = 0; row < c.rows; ++row) {
        std::vector<float> values;
        for (std::int64_t i = 0; i < c.count; ++i) values.push_back(at(kA, row * c.stride + i));
        ASSERT_EQ(at(kDst, row), rounded(along_row(how, values))) << c.count;
      }
    }
  }
}

TEST_P(Reduce, over_rows_in_ascending_order) {
  for (auto how : {Reduction::Sum, Reduction::Max, Reduction::Min, Reduction::Prod}) {
    for (const Case& c : kCases) {
      fill();
      run(Op::vredy, c, how);
      for (std::int64_t i = 0; i < c.count; ++i) {
        float value = first(how);
        for (std::int64_t row = 0; row < c.rows; ++row) {
          value = step(how, value, at(kA, row * c.stride + i));
        }
        ASSERT_EQ(at(kDst, i), rounded(value)) << c.count;
      }
    }
  }
}

TEST_P(Reduce, maximum_propagates_nan_from_any_place) {
  for (std::int64_t place : {0, 5, 16, 36}) {
    fill();
    write_number(bench.ub(kA + place * size_of(type)), type, NAN);
    run(Op::vredx, {37, 1, 0}, Reduction::Max);
    EXPECT_TRUE(std::isnan(at(kDst, 0)));
  }
}

INSTANTIATE_TEST_SUITE_P(, Reduce, testing::Values(DType::F16, DType::BF16, DType::F32),
                         [](const auto& test) { return std::string(name_of(test.param)); });

TEST(ReduceIntegers, wrap_and_take_extremes) {
  Bench bench;
  for (DType type : {DType::I8, DType::U8, DType::I32, DType::I64}) {
    bench.fill_small(bench.ub(kA), 64, type);
    std::int64_t sum = 0, most = INT64_MIN;
    for (int i = 0; i < 61; ++i) {
      const auto value =
          static_cast<std::int64_t>(number_at(bench.ub(kA + i * size_of(type)), type));
      sum += value;
      most = std::max(most, value);
    }
    const auto run = [&](Op op, std::int64_t count, std::int64_t rows, Reduction how) {
      EXPECT_FALSE(bench.run(op, {{"dtype", code(type)},
                                  {"dst", kDst},
                                  {"a", kA},
                                  {"count", count},
                                  {"rows", rows},
                                  {"astride", size_of(type)},
                                  {"how", static_cast<int>(how)}}));
      return number_at(bench.ub(kDst), type);
    };
    std::byte wrapped[8];
    write_number(wrapped, type, sum);
    EXPECT_EQ(run(Op::vredx, 61, 1, Reduction::Sum), number_at(wrapped, type));
    EXPECT_EQ(run(Op::vredy, 1, 61, Reduction::Sum), number_at(wrapped, type));
    EXPECT_EQ(run(Op::vredx, 61, 1, Reduction::Max), most);
    EXPECT_EQ(run(Op::vredy, 1, 61, Reduction::Max), most);
    EXPECT_EQ(run(Op::vredy, 1, 0, Reduction::Prod), 1);
  }
}

}  // namespace
}  // namespace dvmsim
