#include <gtest/gtest.h>

#include "tests/vm/exec/bench.h"

namespace dvmsim {
namespace {

using namespace bench;

class Move : public testing::Test {
 protected:
  static constexpr std::int64_t kSize = 1 << 16;

  Move() {
    gm = static_cast<std::int64_t>(bench.global.allocate(Bytes(kSize), true));
    bench.fill_bits(in_gm(0), kSize);
    bench.fill_bits(bench.ub(0), kSize);
  }
  std::byte* in_gm(std::int64_t offset) {
    return bench.global.at(static_cast<std::uint64_t>(gm + offset), 1);
  }
  std::vector<std::byte> gm_bytes() { return {in_gm(0), in_gm(0) + kSize}; }

  Bench bench;
  std::int64_t gm = 0;
};

struct Runs {
  std::int64_t length, rows, to, to_stride, from, from_stride;
};
constexpr Runs kRuns[] = {{100, 1, 3, 0, 5, 0},  {64, 7, 0, 64, 0, 64},     {33, 5, 32, 64, 1, 100},
                          {16, 9, 0, 32, 40, 0}, {8, 4, 1000, -64, 64, 24}, {10, 0, 0, 0, 0, 0},
                          {0, 10, 0, 0, 0, 0}};

TEST_F(Move, load_copies_runs_with_any_strides) {
  for (const Runs& r : kRuns) {
    auto expected = bench.bytes(Space::UB);
    for (std::int64_t i = 0; i < r.rows; ++i) {
      for (std::int64_t j = 0; j < r.length; ++j) {
        expected[static_cast<std::size_t>(r.to + i * r.to_stride + j)] =
            *in_gm(r.from + i * r.from_stride + j);
      }
    }
    ASSERT_FALSE(bench.run(Op::load, {{"dst", r.to},
                                      {"src", gm + r.from},
                                      {"len", r.length},
                                      {"rows", r.rows},
                                      {"dstride", r.to_stride},
                                      {"sstride", r.from_stride}}));
    ASSERT_EQ(bench.bytes(Space::UB), expected);
  }
}

TEST_F(Move, store_copies_runs_with_any_strides) {
  for (const Runs& r : kRuns) {
    auto expected = gm_bytes();
    for (std::int64_t i = 0; i < r.rows; ++i) {
      for (std::int64_t j = 0; j < r.length; ++j) {
        expected[static_cast<std::size_t>(r.to + i * r.to_stride + j)] =
            *bench.ub(r.from + i * r.from_stride + j);
      }
    }
    ASSERT_FALSE(bench.run(Op::store, {{"dst", gm + r.to},
                                       {"src", r.from},
                                       {"len", r.length},
                                       {"rows", r.rows},
                                       {"dstride", r.to_stride},
                                       {"sstride", r.from_stride}}));
    ASSERT_EQ(gm_bytes(), expected);
  }
}

TEST_F(Move, loadl1_copies_bytes_as_they_are) {
  ASSERT_FALSE(bench.run(Op::loadl1, {{"dst", 7}, {"src", gm + 3}, {"len", 1001}}));
  EXPECT_EQ(std::memcmp(bench.core.at(Space::L1, 7, 1001), in_gm(3), 1001), 0);
  EXPECT_EQ(*bench.core.at(Space::L1, 1008, 1), std::byte{0xff});
}

TEST_F(Move, nd_transfers_walk_four_dimensions_of_every_width) {
  for (std::int64_t width : {1, 2, 3, 4, 8}) {
    for (std::int64_t s0 : {width, 2 * width, -width, std::int64_t{0}}) {
      const Operands shape = {{"width", width}, {"n0", 5},  {"s0", s0},   {"n1", 3},
                              {"s1", 200},      {"d1", 64}, {"n2", 2},    {"s2", -700},
                              {"d2", 256},      {"n3", 2},  {"s3", 3000}, {"d3", 1024}};
      constexpr std::int64_t kGm = 20000, kUb = 512;
      auto expected_ub = bench.bytes(Space::UB);
      const auto each = [&](auto&& use) {
        for (std::int64_t l = 0; l < 2; ++l) {
          for (std::int64_t k = 0; k < 2; ++k) {
            for (std::int64_t j = 0; j < 3; ++j) {
              for (std::int64_t i = 0; i < 5 * width; ++i) {
                use(kGm + l * 3000 - k * 700 + j * 200 + i / width * s0 + i % width,
                    kUb + l * 1024 + k * 256 + j * 64 + i);
              }
            }
          }
        }
      };
      each([&](std::int64_t g, std::int64_t u) {
        expected_ub[static_cast<std::size_t>(u)] = *in_gm(g);
      });
      Operands load = shape, store = shape;
      load.insert(load.end(), {{"dst", kUb}, {"src", gm + kGm}});
      ASSERT_FALSE(bench.run(Op::loadnd, load));
      ASSERT_EQ(bench.bytes(Space::UB), expected_ub);

      bench.fill_bits(bench.ub(0), 4096);
      auto expected_gm = gm_bytes();
      each([&](std::int64_t g, std::int64_t u) {
        expected_gm[static_cast<std::size_t>(g)] = *bench.ub(u);
      });
      store.insert(store.end(), {{"dst", gm + kGm}, {"src", kUb}});
      ASSERT_FALSE(bench.run(Op::storend, store));
      ASSERT_EQ(gm_bytes(), expected_gm);
    }
  }
}

TEST_F(Move, atomic_stores_update_elements_of_every_type) {
  for (DType type : kDTypes) {
    for (auto atomic : {isa::Atomic::Add, isa::Atomic::Max, isa::Atomic::Min}) {
      constexpr std::int64_t kCount = 37;
      const std::int64_t size = size_of(type), row = kCount * size;
      bench.fill_small(in_gm(8), 2 * kCount, type);
      bench.fill_small(bench.ub(0), 2 * kCount, type);
      std::vector<long double> expected;
      for (std::int64_t i = 0; i < 2 * kCount; ++i) {
        const long double a = number_at(in_gm(8 + i * size), type);
        const long double b = number_at(bench.ub(i * size), type);
        expected.push_back(atomic == isa::Atomic::Add   ? a + b
                           : atomic == isa::Atomic::Max ? std::max(a, b)
                                                        : std::min(a, b));
      }
      ASSERT_FALSE(bench.run(Op::store, {{"dst", gm + 8},
                                         {"len", row},
                                         {"rows", 2},
                                         {"dstride", row},
                                         {"sstride", row},
                                         {"atomic", static_cast<int>(atomic)},
                                         {"dtype", code(type)}}));
      for (std::int64_t i = 0; i < 2 * kCount; ++i) {
        EXPECT_EQ(number_at(in_gm(8 + i * size), type), expected[static_cast<std::size_t>(i)])
            << name_of(type);
      }
    }
  }
}

TEST_F(Move, scalar_reads_extend_the_sign_of_signed_types_only) {
  for (DType type : {DType::Bool, DType::I8, DType::U8, DType::I32, DType::I64}) {
    for (Op op : {Op::ldgm, Op::ldub}) {
      std::byte* from = op == Op::ldgm ? in_gm(64) : bench.ub(64);
      std::memset(from, 0xfe, 8);
      std::int64_t value = 0;
      const auto command = make_command(
          op, {{"dtype", code(type)}, {"src", op == Op::ldgm ? gm + 64 : std::int64_t{64}}});
      ASSERT_FALSE(read_scalar(command, bench.core, bench.global, value));
      EXPECT_EQ(static_cast<long double>(value), number_at(from, type)) << name_of(type);
    }
  }
}

TEST_F(Move, a_scalar_read_of_data_that_timing_mode_does_not_have_says_so) {
  const std::uint64_t address = bench.global.allocate(Bytes(64), false);
  std::int64_t value = 0;
  const auto command = make_command(
      Op::ldgm, {{"dtype", code(DType::I32)}, {"src", static_cast<std::int64_t>(address)}});
  EXPECT_EQ(read_scalar(command, bench.core, bench.global, value).kind,
            FaultKind::DataInTimingMode);
}

}  // namespace
}  // namespace dvmsim
