// From global memory through L1, L0 and the cube back to global memory: a plain matrix product.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/vm/exec/bench.h"

namespace dvmsim {
namespace {

using namespace bench;

/// Accumulators of m x n small numbers, some negative, return to L1 as fractals of 16 rows.
TEST(Fixnz, LeavesFractalsWithZeroEdges) {
  Bench bench;
  constexpr std::int64_t kM = 19, kN = 37, kProws = 48;
  const auto value = [](std::int64_t i, std::int64_t j) {
    return static_cast<float>((i * 7 + j * 3) % 23) - 11.0f;
  };
  std::byte* l0c = bench.core.at(Space::L0C, 0, 3 * 2 * 256 * 4);
  for (std::int64_t i = 0; i < kM; ++i) {
    for (std::int64_t j = 0; j < kN; ++j) {
      write_number(l0c + (j / 16 * 2 * 256 + i * 16 + j % 16) * 4, DType::F32, value(i, j));
    }
  }
  for (const bool positive : {false, true}) {
    std::byte* l1 = bench.core.at(Space::L1, 0, 3 * kProws * 32);
    std::fill(l1, l1 + 3 * kProws * 32, std::byte{0x55});
    ASSERT_FALSE(bench.run(Op::fixnz, {{"dtype", code(DType::F16)},
                                       {"dst", 0},
                                       {"src", 0},
                                       {"m", kM},
                                       {"n", kN},
                                       {"prows", kProws},
                                       {"post", positive ? 1 : 0}}));
    for (std::int64_t i = 0; i < kProws; ++i) {
      for (std::int64_t j = 0; j < 48; ++j) {
        const bool inside = i < kM && j < kN;
        const float whole = inside ? value(i, j) : 0;
        const long double got = number_at(l1 + (j / 16 * kProws + i) * 32 + j % 16 * 2, DType::F16);
        ASSERT_EQ(got, positive ? std::max(whole, 0.0f) : whole) << i << ", " << j;
      }
    }
  }
  EXPECT_EQ(
      bench.run(Op::fixnz, {{"dtype", code(DType::F16)}, {"m", 17}, {"n", 1}, {"prows", 16}}).kind,
      FaultKind::BadInstruction);
}

struct Problem {
  DType type{}, out{};
  int m = 0, k = 0, n = 0;
  bool trans_a = false, trans_b = false;
};

std::int64_t up16(std::int64_t count) {
  return (count + 15) / 16 * 16;
}

/// Matrices in global memory with some bytes between the rows.
struct Matrix {
  std::uint64_t address = 0;
  std::int64_t rows = 0, cols = 0, stride = 0;
  DType type{};

  Matrix(Bench& bench, std::int64_t r, std::int64_t c, DType t, bool fill)
      : rows(r), cols(c), stride(c * size_of(t) + 12), type(t) {
    address = bench.global.allocate(Bytes(rows * stride), true);
    for (std::int64_t i = 0; fill && i < rows; ++i) {
      bench.fill_small(bench.global.at(address + static_cast<std::uint64_t>(i * stride), 1), cols,
                       type);
    }
  }
  long double at(Bench& bench, std::int64_t r, std::int64_t c) const {
    const auto offset = static_cast<std::uint64_t>(r * stride + c * size_of(type));
    return number_at(bench.global.at(address + offset, size_of(type)), type);
  }
};

class Product : public testing::Test {
 protected:
  /// L1 at 0: a; at kL1B: b.
  static constexpr std::int64_t kL1B = 128 << 10;

  void to_l1(const Matrix& matrix, std::int64_t l1) {
    ASSERT_FALSE(bench.run(Op::loadnz, {{"dtype", code(matrix.type)},
                                        {"dst", l1},
                                        {"src", static_cast<std::int64_t>(matrix.address)},
                                        {"rows", matrix.rows},
                                        {"cols", matrix.cols},
                                        {"prows", up16(matrix.rows)},
                                        {"stride", matrix.stride}}));
  }
  /// Loads a at (m0, k0) and b at (k0, n0).
  void to_l0(const Problem& p, const Matrix& a, const Matrix& b, int m0, int m, int k0, int k,
             int n0, int n) {
    ASSERT_FALSE(bench.run(Op::l0a, {{"dtype", code(p.type)},
                                     {"m", m},
                                     {"k", k},
                                     {"prows", up16(a.rows)},
                                     {"m0", m0},
                                     {"k0", k0},
                                     {"trans", p.trans_a}}));
    ASSERT_FALSE(bench.run(Op::l0b, {{"dtype", code(p.type)},
                                     {"src", kL1B},
                                     {"k", k},
                                     {"n", n},
                                     {"prows", up16(b.rows)},
                                     {"k0", k0},
                                     {"n0", n0},
                                     {"trans", p.trans_b}}));
  }
  void multiply(const Problem& p, int m, int k, int n, isa::Init init) {
    ASSERT_FALSE(bench.run(
        Op::mmad,
        {{"dtype", code(p.type)}, {"m", m}, {"k", k}, {"n", n}, {"init", static_cast<int>(init)}}));
  }
  void out(const Matrix& c, int m, int n, isa::Post post, isa::Atomic atomic) {
    ASSERT_FALSE(bench.run(Op::fix, {{"dtype", code(c.type)},
                                     {"dst", static_cast<std::int64_t>(c.address)},
                                     {"m", m},
                                     {"n", n},
                                     {"stride", c.stride},
                                     {"post", static_cast<int>(post)},
                                     {"atomic", static_cast<int>(atomic)}}));
  }
  static Matrix left(Bench& bench, const Problem& p) {
    return {bench, p.trans_a ? p.k : p.m, p.trans_a ? p.m : p.k, p.type, true};
  }
  static Matrix right(Bench& bench, const Problem& p) {
    return {bench, p.trans_b ? p.n : p.k, p.trans_b ? p.k : p.n, p.type, true};
  }
  /// The sum of products, which is exact for the small numbers used.
  long double exact(const Problem& p, const Matrix& a, const Matrix& b, int i, int j, int k0 = 0) {
    long double sum = 0;
    for (int k = k0; k < p.k; ++k) {
      sum += (p.trans_a ? a.at(bench, k, i) : a.at(bench, i, k)) *
             (p.trans_b ? b.at(bench, j, k) : b.at(bench, k, j));
    }
    return sum;
  }
  static long double rounded(long double value, DType type) {
    std::byte element[8];
    write_number(element, type, value);
    return number_at(element, type);
  }

  Bench bench;
};

TEST_F(Product, equals_the_plain_product_for_every_type_transpose_and_odd_size) {
  const std::pair<DType, DType> kTypes[] = {{DType::F16, DType::F16},   {DType::F16, DType::F32},
                                            {DType::BF16, DType::BF16}, {DType::F32, DType::F32},
                                            {DType::F32, DType::F16},   {DType::I8, DType::I32}};
  const std::tuple<int, int, int> kSizes[] = {
      {1, 1, 1}, {16, 16, 16}, {17, 33, 5}, {40, 7, 50}, {64, 96, 33}};
  for (const auto& [type, out_type] : kTypes) {
    for (const auto& [m, k, n] : kSizes) {
      for (int trans = 0; trans < 4; ++trans) {
        const Problem p{type, out_type, m, k, n, (trans & 1) != 0, (trans & 2) != 0};
        const Matrix a = left(bench, p), b = right(bench, p);
        const Matrix c(bench, m, n, out_type, false);
        to_l1(a, 0);
        to_l1(b, kL1B);
        to_l0(p, a, b, 0, m, 0, k, 0, n);
        multiply(p, m, k, n, isa::Init::Zero);
        out(c, m, n, isa::Post::None, isa::Atomic::None);
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            ASSERT_EQ(c.at(bench, i, j), rounded(exact(p, a, b, i, j), out_type))
                << name_of(type) << " " << m << "x" << k << "x" << n << " trans " << trans << " at "
                << i << "," << j;
          }
        }
      }
    }
  }
}

TEST_F(Product, a_part_of_the_matrix_in_l1_may_begin_anywhere) {
  for (DType type : {DType::F16, DType::F32, DType::I8}) {
    for (int trans = 0; trans < 4; ++trans) {
      Problem p{type,
                type == DType::I8 ? DType::I32 : DType::F32,
                50,
                70,
                60,
                (trans & 1) != 0,
                (trans & 2) != 0};
      const Matrix a = left(bench, p), b = right(bench, p);
      const Matrix c(bench, 19, 21, p.out, false);
      to_l1(a, 0);
      to_l1(b, kL1B);
      to_l0(p, a, b, 5, 19, 37, 33, 18, 21);
      multiply(p, 19, 33, 21, isa::Init::Zero);
      out(c, 19, 21, isa::Post::None, isa::Atomic::None);
      for (int i = 0; i < 19; ++i) {
        for (int j = 0; j < 21; ++j) {
          ASSERT_EQ(c.at(bench, i, j), exact(p, a, b, i + 5, j + 18, 37)) << trans;
        }
      }
    }
  }
}

TEST_F(Product, parts_of_k_accumulate_from_a_bias_and_end_in_relu_and_atomic_add) {
  for (DType type : {DType::F16, DType::I8}) {
    const DType out_type = type == DType::I8 ? DType::I32 : DType::F32;
    const Problem p{type, out_type, 20, 64, 35};
    const Matrix a = left(bench, p), b = right(bench, p);
    const Matrix c(bench, p.m, p.n, out_type, true), old = c;
    std::vector<long double> before, bias;
    for (int i = 0; i < p.m; ++i) {
      for (int j = 0; j < p.n; ++j) before.push_back(old.at(bench, i, j));
    }
    constexpr std::int64_t kBias = 256 << 10;
    bench.fill_small(bench.core.at(Space::L1, kBias, 1), p.n, type);
    for (int j = 0; j < p.n; ++j) {
      bias.push_back(number_at(bench.core.at(Space::L1, kBias + j * size_of(type), 1), type));
    }
    to_l1(a, 0);
    to_l1(b, kL1B);
    ASSERT_FALSE(bench.run(Op::ldbt, {{"dtype", code(type)}, {"src", kBias}, {"n", p.n}}));
    to_l0(p, a, b, 0, p.m, 0, 32, 0, p.n);
    multiply(p, p.m, 32, p.n, isa::Init::Bias);
    to_l0(p, a, b, 0, p.m, 32, 32, 0, p.n);
    multiply(p, p.m, 32, p.n, isa::Init::Accumulate);
    out(c, p.m, p.n, isa::Post::Relu, isa::Atomic::Add);
    std::size_t index = 0;
    for (int i = 0; i < p.m; ++i) {
      for (int j = 0; j < p.n; ++j) {
        const long double sum = exact(p, a, b, i, j) + bias[static_cast<std::size_t>(j)];
        ASSERT_EQ(c.at(bench, i, j), before[index++] + (sum > 0 ? sum : 0));
      }
    }
  }
}

TEST_F(Product, padding_of_operands_and_result_is_zero) {
  const Problem p{DType::F16, DType::F32, 3, 5, 2};
  const Matrix a = left(bench, p), b = right(bench, p);
  to_l1(a, 0);
  to_l1(b, kL1B);
  to_l0(p, a, b, 0, 3, 0, 5, 0, 2);
  multiply(p, 3, 5, 2, isa::Init::Zero);
  for (int r = 0; r < 16; ++r) {
    for (int k = 0; k < 16; ++k) {
      const auto at = [&](Space space) {
        return number_at(bench.core.at(space, (r * 16 + k) * 2, 2), DType::F16);
      };
      if (r >= 3 || k >= 5) {
        EXPECT_EQ(at(Space::L0A), 0);
      }
      if (r >= 2 || k >= 5) {
        EXPECT_EQ(at(Space::L0B), 0);
      }
      const auto* c = bench.core.at(Space::L0C, (r * 16 + k) * 4, 4);
      if (r >= 3 || k >= 2) {
        EXPECT_EQ(number_at(c, DType::F32), 0);
      }
    }
  }
}

/// Random bit patterns as operands, so that rounding, infinities and NaN all occur.
std::vector<std::byte> accumulators(exec::Simd level, DType type) {
  Bench bench;
  exec::limit_simd(level);
  bench.fill_bits(bench.core.at(Space::L0A, 0, 1), 48 * 64 * 4);
  bench.fill_bits(bench.core.at(Space::L0B, 0, 1), 48 * 64 * 4);
  for (isa::Init init : {isa::Init::Zero, isa::Init::Accumulate}) {
    EXPECT_FALSE(bench.run(Op::mmad, {{"dtype", code(type)},
                                      {"m", 37},
                                      {"k", 61},
                                      {"n", 41},
                                      {"init", static_cast<int>(init)}}));
  }
  exec::limit_simd(exec::Simd::Avx512);
  return bench.bytes(Space::L0C);
}

TEST(Cube, every_level_of_the_computer_gives_the_same_bits) {
  for (DType type : {DType::F16, DType::BF16, DType::F32, DType::I8}) {
    const auto expected = accumulators(exec::Simd::Baseline, type);
    EXPECT_EQ(accumulators(exec::Simd::Avx2, type), expected) << name_of(type);
    EXPECT_EQ(accumulators(exec::Simd::Avx512, type), expected) << name_of(type);
  }
}

TEST(Cube, products_are_rounded_and_added_one_by_one_in_ascending_k) {
  Bench bench;
  constexpr int kDepth = 57;
  std::vector<float> a(kDepth), b(kDepth);
  float expected = 0;
  for (int k = 0; k < kDepth; ++k) {
    const auto at = static_cast<std::size_t>(k);
    a[at] = static_cast<float>(bench.random() % 100000) * 1.1e-3f - 50;
    b[at] = static_cast<float>(bench.random() % 100000) * 1.7e-3f - 50;
    const float product = a[at] * b[at];
    expected = expected + product;
    const std::int64_t offset = (k / 8 * 16 * 8 + k % 8) * 4;
    std::memcpy(bench.core.at(Space::L0A, offset, 4), &a[at], 4);
    std::memcpy(bench.core.at(Space::L0B, offset, 4), &b[at], 4);
  }
  ASSERT_FALSE(
      bench.run(Op::mmad, {{"dtype", code(DType::F32)}, {"m", 1}, {"k", kDepth}, {"n", 1}}));
  EXPECT_EQ(number_at(bench.core.at(Space::L0C, 0, 4), DType::F32), expected);
}

}  // namespace
}  // namespace dvmsim
