#include "compiler/schedule/matmul_tactics.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

MatmulSpec product(std::int64_t m, std::int64_t k, std::int64_t n) {
  MatmulSpec spec{};
  spec.m = m;
  spec.n = n;
  spec.k = k;
  return packed(spec);
}

TEST(MatmulTacticsTest, RowsArePaddedByTheirStoredLength) {
  const Machine machine = default_machine();
  MatmulSpec spec = product(500, 1000, 300);
  MatmulTactics tactics = dvm_tactics(spec, machine);
  EXPECT_EQ(tactics.a_row, 1024);
  EXPECT_EQ(tactics.b_row, 512);
  spec.trans_a = spec.trans_b = true;
  tactics = dvm_tactics(packed(spec), machine);
  EXPECT_EQ(tactics.a_row, 512);
  EXPECT_EQ(tactics.b_row, 1024);
  // Whole lines, and short rows of whole fractals, stay.
  EXPECT_EQ(dvm_tactics(product(64, 384, 224), machine), MatmulTactics{});
  EXPECT_EQ(dvm_tactics(product(64, 384, 288), machine).b_row, 512);
}

TEST(MatmulTacticsTest, LongKIsTakenInStepsThatHalfOfL2Holds) {
  const Machine machine = default_machine();
  EXPECT_EQ(dvm_tactics(product(4096, 34816, 2560), machine).k_step, 15104);
  EXPECT_EQ(dvm_tactics(product(4096, 20480, 65536), machine).k_step, 0);
  EXPECT_EQ(dvm_tactics(product(256, 34816, 256), machine).k_step, 0) << "two steps are enough";
  EXPECT_EQ(dvm_tactics(product(32768, 34816, 32768), machine).k_step, 4096);
}

TEST(MatmulTacticsTest, PreparedOperandsArePackedAnew) {
  MatmulSpec spec = product(10, 20, 30);
  spec.batch0 = 2, spec.batch1 = 3;
  spec = packed(spec);
  spec.b_batch1 = 0;
  const MatmulSpec ready = prepared(spec, {.a_row = 32, .b_row = 64});
  EXPECT_EQ(ready.a_stride, 64);
  EXPECT_EQ(ready.a_batch1, 640);
  EXPECT_EQ(ready.a_batch0, 1920);
  EXPECT_EQ(ready.b_batch1, 0);
  EXPECT_EQ(ready.b_batch0, 20 * 128);
  EXPECT_EQ(ready.k, 20);
}

TEST(MatmulTacticsTest, OursPadsOnlyWhatItReadsOften) {
  const Machine machine = default_machine();
  EXPECT_EQ(cost_tactics(product(4096, 4096, 4096), machine), MatmulTactics{});
  EXPECT_EQ(cost_tactics(product(64, 193, 64), machine), MatmulTactics{});
  const MatmulTactics large = cost_tactics(product(4096, 4095, 4096), machine);
  EXPECT_EQ(large.a_row, 4096);
  EXPECT_EQ(large.b_row, 0);
}

TEST(MatmulTacticsTest, OursPadsRowsThatShareLinesWhereHbmReadsThemAgain) {
  const Machine machine = default_machine();
  MatmulSpec spec{};
  spec.m = 1024, spec.k = 768, spec.n = 2000;  // rows of B: 7 lines and 416 bytes
  EXPECT_EQ(cost_tactics(packed(spec), machine).b_row, 2048);
  EXPECT_EQ(cost_tactics(packed(spec), machine).a_row, 0);
  spec.m = 64;  // B is read once: nothing to save
  EXPECT_EQ(cost_tactics(packed(spec), machine), MatmulTactics{});
}

}  // namespace
}  // namespace dvmsim
