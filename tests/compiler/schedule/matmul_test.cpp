#include "compiler/schedule/matmul.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

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

TEST(DvmTilesTest, LongerAxisGetsTheShorterSide) {
  const MatmulSchedule tall = choose_dvm(product(4096, 1024, 4096), machine());
  EXPECT_EQ(to_string(tall), "128x256x256 zn7 24 cores 2 stages");
  const MatmulSchedule wide = choose_dvm(product(2048, 1024, 4096), machine());
  EXPECT_EQ(to_string(wide), "256x128x256 zn7 24 cores 2 stages");
  const MatmulSchedule high = choose_dvm(product(8192, 1024, 1024), machine());
  EXPECT_EQ(to_string(high), "128x256x256 nz7 24 cores 2 stages");
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

TEST(MatmulScheduleTest, EveryTileIsVisitedOnceInBothOrders) {
  const MatmulSpec spec = product(7 * 16, 16, 5 * 32);
  for (isa::Swizzle swizzle : {isa::Swizzle::Zn, isa::Swizzle::Nz}) {
    for (std::int64_t width : {1, 2, 3, 5, 9}) {
      MatmulSchedule schedule{16, 32, 16, swizzle, width, 24, 2};
      std::set<std::pair<std::int64_t, std::int64_t>> seen;
      for (std::int64_t i = 0; i < tiles_of(spec, schedule); ++i) {
        const TilePlace place = place_of(spec, schedule, i);
        EXPECT_TRUE(place.row >= 0 && place.row < 7 && place.column >= 0 && place.column < 5);
        EXPECT_TRUE(seen.insert({place.row, place.column}).second);
      }
    }
  }
}

TEST(MatmulScheduleTest, OddGroupsWalkBackwards) {
  const MatmulSpec spec = product(3 * 16, 16, 4 * 16);
  const MatmulSchedule schedule{16, 16, 16, isa::Swizzle::Zn, 2, 24, 2};
  EXPECT_EQ(place_of(spec, schedule, 5).row, 2);
  EXPECT_EQ(place_of(spec, schedule, 6).row, 2);
  EXPECT_EQ(place_of(spec, schedule, 6).column, 2);
  EXPECT_EQ(place_of(spec, schedule, 11).row, 0);
}

TEST(CostTilesTest, EveryChoiceFitsAndRepeats) {
  for (DType type : {DType::F16, DType::BF16, DType::F32, DType::I8}) {
    for (std::int64_t m : {1, 17, 300, 4096}) {
      for (std::int64_t n : {1, 40, 1000, 5120}) {
        for (std::int64_t k : {1, 100, 4096}) {
          for (int stages : {2, 4}) {
            const MatmulSpec spec = product(m, k, n, type);
            const MatmulSchedule schedule = choose_cost(spec, machine(), stages);
            EXPECT_TRUE(fits(spec, schedule, machine())) << to_string(schedule);
            EXPECT_EQ(schedule, choose_cost(spec, machine(), stages));
            EXPECT_TRUE(fits(spec, choose_dvm(spec, machine()), machine()));
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
