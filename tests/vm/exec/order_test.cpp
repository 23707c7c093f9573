// Running sums, shifts, and instructions that choose elements by number or by size.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "tests/vm/exec/bench.h"

namespace dvmsim {
namespace {

using namespace bench;

constexpr std::int64_t kDst = 0, kA = 32 << 10, kB = 64 << 10, kIndex = 96 << 10;

class Order : public testing::Test {
 protected:
  void write(std::int64_t at, DType type, const std::vector<long double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      write_number(bench.ub(at + static_cast<std::int64_t>(i) * size_of(type)), type, values[i]);
    }
  }
  std::vector<long double> read(std::int64_t at, DType type, std::int64_t count) {
    std::vector<long double> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(number_at(bench.ub(at + i * size_of(type)), type));
    }
    return values;
  }
  Bench bench{};
};

TEST_F(Order, shifts_keep_the_sign_and_shift_everything_out) {
  const auto run = [&](Op op, DType type, long double a, long double b) {
    write(kA, type, {a});
    write(kB, type, {b});
    EXPECT_FALSE(
        bench.run(op, {{"dtype", code(type)}, {"dst", kDst}, {"a", kA}, {"b", kB}, {"count", 1}}));
    return read(kDst, type, 1)[0];
  };
  EXPECT_EQ(run(Op::vshl, DType::U8, 0x81, 1), 2);
  EXPECT_EQ(run(Op::vshl, DType::I32, 3, 30), -1073741824);
  EXPECT_EQ(run(Op::vshl, DType::I64, 1, 62), 0x1p62L);
  EXPECT_EQ(run(Op::vshl, DType::I8, 1, 8), 0);
  EXPECT_EQ(run(Op::vshl, DType::I8, 1, -1), 0);
  EXPECT_EQ(run(Op::vshr, DType::U8, 0x81, 1), 0x40);
  EXPECT_EQ(run(Op::vshr, DType::U8, 0x81, 8), 0);
  EXPECT_EQ(run(Op::vshr, DType::I32, -8, 1), -4);
  EXPECT_EQ(run(Op::vshr, DType::I32, -8, 32), -1);
  EXPECT_EQ(run(Op::vshr, DType::I64, 8, 64), 0);
}

TEST_F(Order, running_sums_run_along_rows_or_over_them) {
  for (DType type : kDTypes) {
    if (!contains(isa::row_of(Op::vscanx).dtypes, type)) continue;
    constexpr std::int64_t kCount = 70, kRows = 3, kPitch = 80;
    bench.fill_small(bench.ub(kA), kRows * kPitch, type);
    const auto given = read(kA, type, kRows * kPitch);
    for (const Op op : {Op::vscanx, Op::vscany}) {
      ASSERT_FALSE(bench.run(op, {{"dtype", code(type)},
                                  {"dst", kDst},
                                  {"a", kA},
                                  {"count", kCount},
                                  {"rows", kRows},
                                  {"dstride", kPitch * size_of(type)},
                                  {"astride", kPitch * size_of(type)}}));
      const auto sums = read(kDst, type, kRows * kPitch);
      for (std::int64_t r = 0; r < kRows; ++r) {
        for (std::int64_t i = 0; i < kCount; ++i) {
          long double sum = 0;
          const std::int64_t steps = op == Op::vscanx ? i : r;
          for (std::int64_t k = 0; k <= steps; ++k) {
            sum +=
                given[static_cast<std::size_t>(op == Op::vscanx ? r * kPitch + k : k * kPitch + i)];
          }
          std::byte element[8];  // integers wrap
          write_number(element, type, sum);
          ASSERT_EQ(sums[static_cast<std::size_t>(r * kPitch + i)], number_at(element, type))
              << isa::row_of(op).mnemonic << " " << name_of(type) << " " << r << " " << i;
        }
      }
    }
  }
}

TEST_F(Order, gather_takes_elements_by_number_from_a_table_per_row_or_one) {
  for (DType type : kDTypes) {
    constexpr std::int64_t kLimit = 40, kCount = 50, kRows = 3;
    bench.fill_small(bench.ub(kA), kRows * kLimit, type);
    std::vector<long double> indices;
    for (std::int64_t i = 0; i < kCount * kRows; ++i) indices.push_back((i * 7 + 3) % kLimit);
    write(kIndex, DType::I32, indices);
    for (const std::int64_t table : {kLimit, std::int64_t{0}}) {
      ASSERT_FALSE(bench.run(Op::vgather, {{"dtype", code(type)},
                                           {"dst", kDst},
                                           {"a", kA},
                                           {"index", kIndex},
                                           {"count", kCount},
                                           {"rows", kRows},
                                           {"limit", kLimit},
                                           {"dstride", kCount * size_of(type)},
                                           {"astride", table * size_of(type)},
                                           {"istride", kCount * 4}}));
      const auto from = read(kA, type, kRows * kLimit), got = read(kDst, type, kRows * kCount);
      for (std::int64_t i = 0; i < kRows * kCount; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto place = static_cast<std::int64_t>(indices[at]) + i / kCount * table;
        ASSERT_EQ(got[at], from[static_cast<std::size_t>(place)]) << name_of(type) << " " << i;
      }
    }
  }
}

TEST_F(Order, gather_outside_of_its_table_is_a_fault) {
  for (const long double index : {-1.0L, 8.0L}) {
    write(kIndex, DType::I32, {0, index});
    const Fault fault = bench.run(Op::vgather, {{"dtype", code(DType::F32)},
                                                {"dst", kDst},
                                                {"a", kA},
                                                {"index", kIndex},
                                                {"count", 2},
                                                {"limit", 8}});
    EXPECT_EQ(fault.kind, FaultKind::BadInstruction);
  }
}

TEST_F(Order, sort_is_descending_and_stable_with_nan_first) {
  for (DType type : {DType::F16, DType::BF16, DType::F32}) {
    write(kA, type, {2, -1, NAN, 2, INFINITY, 0, 7, 7});
    ASSERT_FALSE(bench.run(Op::vsort, {{"dtype", code(type)},
                                       {"dst", kDst},
                                       {"index", kIndex},
                                       {"a", kA},
                                       {"count", 4},
                                       {"rows", 2},
                                       {"dstride", 4 * size_of(type)},
                                       {"istride", 16},
                                       {"astride", 4 * size_of(type)}}));
    const auto sorted = read(kDst, type, 8);
    EXPECT_TRUE(std::isnan(sorted[0]));
    EXPECT_EQ(std::vector<long double>(sorted.begin() + 1, sorted.end()),
              (std::vector<long double>{2, 2, -1, INFINITY, 7, 7, 0}));
    EXPECT_EQ(read(kIndex, DType::I32, 8), (std::vector<long double>{2, 0, 3, 1, 0, 2, 3, 1}));
  }
}

}  // namespace
}  // namespace dvmsim
