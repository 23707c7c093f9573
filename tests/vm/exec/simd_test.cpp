// The bits of a result do not depend on the computer: every level, on any bit pattern.
#include "vm/exec/simd.h"

#include <gtest/gtest.h>

#include "tests/vm/exec/shapes.h"

namespace dvmsim {
namespace {

using namespace bench;

/// UB after the instruction has worked on random bits.
std::vector<std::byte> result(exec::Simd level, Op op, DType type, DType to,
                              const VectorShape& shape, int how) {
  Bench bench;
  exec::limit_simd(level);
  bench.fill_bits(bench.ub(0), 100 << 10);
  Operands operands = vector_operands(op, shape, type, to, 4096, 36 << 10, 68 << 10, 96 << 10);
  const isa::Row& row = isa::row_of(op);
  if (row.find("s") >= 0) operands.emplace_back("s", float_bits(1.7f));
  if (row.find("how") >= 0) operands.emplace_back("how", how);
  EXPECT_FALSE(bench.run(op, operands)) << row.mnemonic;
  exec::limit_simd(exec::Simd::Avx512);
  return bench.bytes(Space::UB);
}

TEST(Simd, every_level_gives_the_same_bits_for_every_vector_instruction) {
  constexpr VectorShape kShapes[] = {{1013, 1, 0, 0, 0}, {19, 3, 32, 24, 0}};
  for (const isa::Row& row : isa::rows()) {
    if (row.pipe != Pipe::Vector || row.op == Op::vgather) continue;  // its indices must fit
    for (DType type : kDTypes) {
      if (!contains(row.dtypes, type)) continue;
      for (DType to : kDTypes) {
        if (row.op != Op::vcvt && to != DType::F32) continue;
        for (const VectorShape& shape : kShapes) {
          for (int how = 0; how < (row.find("how") >= 0 ? 4 : 1); ++how) {
            EXPECT_TRUE(result(exec::Simd::Baseline, row.op, type, to, shape, how) ==
                        result(exec::Simd::Avx512, row.op, type, to, shape, how))
                << row.mnemonic << " " << name_of(type);
          }
        }
      }
    }
  }
}

TEST(Simd, conversions_of_every_half_agree) {
  std::vector<Half> halves(0x10000);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i].bits = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  std::vector<Half> back(halves.size());
  const auto count = static_cast<std::int64_t>(halves.size());
  exec::widen(floats.data(), halves.data(), count);
  exec::narrow(back.data(), floats.data(), count);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    ASSERT_EQ(std::bit_cast<std::uint32_t>(floats[i]),
              std::bit_cast<std::uint32_t>(to_float(halves[i])));
    ASSERT_EQ(back[i].bits, to_half(floats[i]).bits);
  }
}

TEST(Simd, roundings_of_floats_agree) {
  std::vector<float> floats;
  for (std::uint64_t bits = 0; bits < 0x1'0000'0000; bits += 4093) {
    floats.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  std::vector<Half> halves(floats.size());
  std::vector<Bfloat> bfloats(floats.size());
  exec::narrow(halves.data(), floats.data(), static_cast<std::int64_t>(floats.size()));
  exec::narrow(bfloats.data(), floats.data(), static_cast<std::int64_t>(floats.size()));
  for (std::size_t i = 0; i < floats.size(); ++i) {
    ASSERT_EQ(halves[i].bits, to_half(floats[i]).bits) << floats[i];
    ASSERT_EQ(bfloats[i].bits, to_bfloat(floats[i]).bits) << floats[i];
  }
}

}  // namespace
}  // namespace dvmsim
