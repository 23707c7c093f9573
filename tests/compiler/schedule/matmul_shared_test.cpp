// Which blocks of shared tiles are whose, and when sharing is chosen.
#include "compiler/schedule/matmul_shared.h"

#include <gtest/gtest.h>

#include "compiler/schedule/matmul_estimate.h"

namespace dvmsim {
namespace {

MatmulSpec product_of(std::int64_t m, std::int64_t k, std::int64_t n) {
  MatmulSpec spec{};
  spec.m = m;
  spec.k = k;
  spec.n = n;
  return packed(spec);
}

TEST(SharedTiles, ranges_are_even_and_cut_a_tile_between_neighbours) {
  for (std::int64_t tiles : {1, 2, 5, 13, 23}) {
    for (std::int64_t blocks : {1, 2, 7, 16, 40}) {
      const isa::SharedTiles shared{tiles, blocks, 24};
      EXPECT_EQ(shared.range(), (tiles * blocks + 23) / 24);
      std::int64_t last = -1;
      for (std::int64_t tile = 0; tile < tiles; ++tile) {
        // Whoever has the first and the last block of the tile.
        EXPECT_EQ(shared.first_core(tile), tile * blocks / shared.range());
        EXPECT_EQ(shared.last_core(tile), (tile * blocks + blocks - 1) / shared.range());
        EXPECT_GT(shared.slot_of(tile, shared.first_core(tile)), last);
        last = shared.slot_of(tile, shared.last_core(tile));
      }
      EXPECT_LT(last, tiles * shared.most_pieces());
      EXPECT_LT(shared.last_core(tiles - 1), 24);
    }
  }
}

TEST(MatmulShared, few_tiles_and_a_long_k_keep_every_core_busy) {
  const Machine machine = default_machine();
  const MatmulSpec spec = product_of(8, 4096, 128);
  const MatmulSchedule alone = choose_cost(spec, machine);
  EXPECT_LE(tiles_of(spec, alone), 8);
  const MatmulSchedule chosen = choose_shared(spec, machine, alone, 24);
  ASSERT_GT(chosen.shared, 0);
  const isa::SharedTiles shared = shared_tiles(spec, chosen);
  EXPECT_GE(shared.last_core(shared.tiles - 1) + 1, 20);  // of 24 cores
  EXPECT_LT(MatmulEstimate(spec, machine).of(chosen).total,
            MatmulEstimate(spec, machine).of(alone).total / 2);
}

TEST(MatmulShared, what_is_left_over_after_even_rounds_is_shared) {
  const Machine machine = default_machine();
  const MatmulSpec spec = product_of(1280, 4096, 1280);
  const MatmulSchedule chosen = choose_shared(spec, machine, choose_cost(spec, machine), 24);
  ASSERT_GT(chosen.shared, 0);
  EXPECT_EQ(chosen.shared, tiles_of(spec, chosen) % 24);
  EXPECT_GE(tiles_of(spec, chosen), 24);
}

TEST(MatmulShared, products_that_come_out_even_or_are_bound_by_memory_stay) {
  const Machine machine = default_machine();
  for (const MatmulSpec& spec :
       {product_of(16, 11008, 4096), product_of(64, 64, 64), product_of(3072, 128, 2048)}) {
    const MatmulSchedule alone = choose_cost(spec, machine);
    EXPECT_EQ(choose_shared(spec, machine, alone, 24), alone);
  }
}

TEST(MatmulShared, is_refused_where_no_vector_cores_finish) {
  const std::string folder = std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/";
  MatmulSpec spec = product_of(8, 4096, 128);
  EXPECT_FALSE(can_share(spec, load_machine(folder + "ascend910a.yaml")));
  EXPECT_TRUE(can_share(spec, default_machine()));
  spec.atomic = isa::Atomic::Add;
  EXPECT_FALSE(can_share(spec, default_machine()));
  spec.atomic = isa::Atomic::None;
  spec.in = DType::I8;
  EXPECT_FALSE(can_share(spec, default_machine()));
}

TEST(MatmulShared, a_choice_turns_it_on_and_off_or_is_refused) {
  const Machine machine = default_machine();
  const MatmulSpec spec = product_of(8, 4096, 128);
  const MatmulSchedule alone = choose_cost(spec, machine);
  std::string why;
  MatmulChoice choice;
  choice.m = 16, choice.n = 128, choice.k = 176, choice.shared = 1;
  const auto shared = with_choice(spec, alone, choice, machine, 24, &why);
  ASSERT_TRUE(shared) << why;
  EXPECT_EQ(shared->shared, 1);
  EXPECT_EQ(shared->cores, 24);
  choice.k = 256, choice.cores = 24;
  const auto idle = with_choice(spec, alone, choice, machine, 24, &why);
  ASSERT_TRUE(idle) << why;
  EXPECT_EQ(idle->cores, 24) << "some of them without a piece";
  choice = {};
  choice.shared = 0;
  const auto off = with_choice(spec, *shared, choice, machine, 24, &why);
  ASSERT_TRUE(off) << why;
  EXPECT_EQ(off->shared, 0);
  EXPECT_EQ(off->cores, 1);
  choice.shared = 2;
  EXPECT_FALSE(with_choice(spec, *shared, choice, machine, 24, &why));
  EXPECT_EQ(why, "2 tiles shared, but 24 cores share at most 1 of 1");
}

}  // namespace
}  // namespace dvmsim
