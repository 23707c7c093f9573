#include "compiler/schedule/matmul.h"

#include <gtest/gtest.h>

#include <string>

#include "compiler/schedule/matmul_estimate.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

MatmulSpec product(std::int64_t m, std::int64_t k, std::int64_t n, DType type = DType::F16) {
  MatmulSpec spec{};
  spec.m = m;
  spec.n = n;
  spec.k = k;
  spec.in = type;
  spec.out = type == DType::I8 ? DType::I32 : type;
  return packed(spec);
}

const Machine& machine() {
  static const Machine kMachine = default_machine();
  return kMachine;
}

TEST(MatmulSpecTest, PackedStridesFollowTheStoredShape) {
  MatmulSpec spec = product(3, 5, 7);
  EXPECT_EQ(spec.a_stride, 10);
  EXPECT_EQ(spec.b_stride, 14);
  EXPECT_EQ(spec.c_stride, 14);
  spec.trans_a = spec.trans_b = true;
  spec.batch1 = 4;
  spec = packed(spec);
  EXPECT_EQ(spec.a_stride, 6);
  EXPECT_EQ(spec.b_stride, 10);
  EXPECT_EQ(spec.a_batch1, 30);
  EXPECT_EQ(spec.a_batch0, 120);
}

/// Tile, order and cores, without the ways of the loop, which are the same for all rules.
std::string tile_of(const MatmulSpec& spec, Tiling rule, const Machine& on = machine()) {
  MatmulSchedule schedule = choose_dvm(spec, on, rule);
  schedule.loop = 0;
  return to_string(schedule);
}

TEST(DvmTilesTest, EarliestRuleGivesTheLongerAxisTheShorterSide) {
  EXPECT_EQ(tile_of(product(4096, 1024, 4096), Tiling::Dvm), "128x256x256 zn7 24 cores");
  EXPECT_EQ(tile_of(product(2048, 1024, 4096), Tiling::Dvm), "256x128x256 zn7 24 cores");
  EXPECT_EQ(tile_of(product(8192, 1024, 1024), Tiling::Dvm), "128x256x256 nz7 24 cores");
  EXPECT_EQ(tile_of(product(256, 10240, 1280), Tiling::Dvm), "256x128x256 zn7 10 cores");
}

TEST(DvmTilesTest, SecondRuleCountsCores) {
  EXPECT_EQ(tile_of(product(256, 10240, 1280), Tiling::DvmV1), "128x128x512 zn7 20 cores");
  // With few rows or columns of tiles the machine overrides the order.
  EXPECT_EQ(tile_of(product(8192, 1024, 1024), Tiling::DvmV1), "128x256x256 nz7 24 cores");
}

TEST(DvmTilesTest, EnumerationEndsAtTheFirstPairThatFits) {
  for (Tiling rule : {Tiling::DvmV2, Tiling::DvmV3}) {
    for (std::int64_t m : {256, 1000, 8192}) {
      for (std::int64_t n : {256, 2048, 5000}) {
        for (bool trans_b : {false, true}) {
          MatmulSpec spec = product(m, 4096, n);
          spec.trans_b = trans_b;
          const MatmulSchedule tile = choose_dvm(packed(spec), machine(), rule);
          EXPECT_EQ(tile.tile_m, 128);
          EXPECT_EQ(tile.tile_n, 256);
          EXPECT_EQ(tile.tile_k, 256);
        }
      }
    }
  }
  // A transposed: m and n are enumerated, and both orders of (128, 256) compete.
  MatmulSpec turned = product(2560, 4096, 8192);
  turned.trans_a = true;
  const MatmulSchedule tile = choose_dvm(packed(turned), machine(), Tiling::DvmV3);
  EXPECT_EQ(tile.tile_m * tile.tile_n, 128 * 256);
  EXPECT_EQ(tile.tile_k, 256);
  // Both transposed: k and m are enumerated, n follows.
  turned.trans_b = true;
  EXPECT_EQ(choose_dvm(packed(turned), machine(), Tiling::DvmV3).tile_m, 256);
}

TEST(DvmTilesTest, TodaysRuleWalksDiagonalsUnlessTheGridIsThin) {
  EXPECT_EQ(tile_of(product(4096, 4096, 4096), Tiling::DvmV3), "128x256x256 dz8 24 cores");
  EXPECT_EQ(tile_of(product(8192, 4096, 1280), Tiling::DvmV3), "128x256x256 nz8 24 cores");
  EXPECT_EQ(tile_of(product(512, 4096, 8192), Tiling::DvmV3), "128x256x256 zn8 24 cores");
}

TEST(DvmTilesTest, SmallSidesAreNotCoveredTwice) {
  for (std::int64_t m : {1, 17, 48, 100}) {
    const MatmulSchedule tile = choose_dvm(product(m, 512, 512), machine(), Tiling::DvmV3);
    EXPECT_TRUE(tile.tile_m == 16 || tile.tile_m / 2 < m) << to_string(tile);
  }
}

TEST(DvmTilesTest, TileFollowsTheBuffersOfTheMachine) {
  Machine small = default_machine();
  apply_set(small, "l0c.size=32KiB");
  const MatmulSchedule tile = choose_dvm(product(4096, 4096, 4096), small);
  EXPECT_LE(tile.tile_m * tile.tile_n * 4, 32 * 1024);
}

TEST(DvmTilesTest, BiasMustFitTheBiasTable) {
  MatmulSpec spec = product(64, 64, 4096);
  spec.bias = true;
  EXPECT_LE(choose_dvm(spec, machine()).tile_n, 256);
  EXPECT_LE(choose_cost(spec, machine()).tile_n, 256);
}

TEST(CostTilesTest, EveryChoiceFitsAndRepeats) {
  for (DType type : {DType::F16, DType::BF16, DType::F32, DType::I8}) {
    for (std::int64_t m : {1, 17, 300, 4096}) {
      for (std::int64_t n : {1, 40, 1000, 5120}) {
        for (std::int64_t k : {1, 100, 4096}) {
          const MatmulSpec spec = product(m, k, n, type);
          const MatmulSchedule schedule = choose_cost(spec, machine());
          EXPECT_TRUE(fits(spec, schedule, machine())) << to_string(schedule);
          EXPECT_EQ(schedule, choose_cost(spec, machine()));
          for (Tiling rule : {Tiling::Dvm, Tiling::DvmV1, Tiling::DvmV2, Tiling::DvmV3}) {
            const MatmulSchedule dvm = choose_dvm(spec, machine(), rule);
            EXPECT_TRUE(fits(spec, dvm, machine())) << to_string(dvm);
          }
        }
      }
    }
  }
}

TEST(CostTilesTest, SmallProductsAreSpreadOverTheCores) {
  const MatmulSchedule ours = choose_cost(product(256, 4096, 1280), machine());
  const MatmulSchedule dvm = choose_dvm(product(256, 4096, 1280), machine());
  EXPECT_GT(ours.cores, dvm.cores);
}

TEST(CostTilesTest, ChosenTileIsNoWorseThanDvmsByTheEstimate) {
  for (std::int64_t m : {1, 256, 2048, 16384}) {
    for (std::int64_t n : {512, 4096}) {
      const MatmulSpec spec = product(m, 4096, n);
      const MatmulEstimate estimate(spec, machine());
      EXPECT_LE(estimate.of(choose_cost(spec, machine())).total,
                estimate.of(choose_dvm(spec, machine())).total);
    }
  }
}

TEST(CostTilesTest, MoreWorkIsNeverEstimatedFaster) {
  const MatmulSchedule schedule{128, 256, 256, isa::Swizzle::Zn, 4, 24, 2};
  double before = 0;
  for (std::int64_t k = 256; k <= 4096; k += 256) {
    const MatmulSpec spec = product(4096, k, 4096);
    const double now = MatmulEstimate(spec, machine()).of(schedule).total;
    EXPECT_GT(now, before);
    before = now;
  }
}

TEST(CostTilesTest, UnsupportedTypeIsRefusedByName) {
  try {
    (void)choose_cost(product(16, 16, 16, DType::I32), machine());
    FAIL() << "a cube does not multiply i32";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("i32"), std::string::npos);
  }
}

}  // namespace
}  // namespace dvmsim
