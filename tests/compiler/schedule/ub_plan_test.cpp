#include "compiler/schedule/ub_plan.h"

#include <gtest/gtest.h>

#include <random>

namespace dvmsim {
namespace {

bool overlap(const UbInterval& a, const UbInterval& b) {
  return a.first <= b.last && b.first <= a.last;
}

TEST(UbPlan, takes_the_smallest_gap_that_holds_a_value) {
  // While 0 and 1 live, 2 and 3 lie between and behind; then 4 and 5 take their places.
  const std::vector<UbInterval> lives = {{0, 9, 512}, {0, 3, 1024}, {0, 9, 256}, {4, 9, 1024}};
  const UbPlan plan = plan_ub(lives, 100, 128);
  EXPECT_EQ((std::vector<std::int64_t>(plan.base.begin(), plan.base.end())),
            (std::vector<std::int64_t>{1152, 128, 1664, 128}));
  EXPECT_EQ(plan.end, 1920);
}

TEST(UbPlan, of_nothing_ends_where_it_begins) {
  EXPECT_EQ(plan_ub({}, 96, 64).end, 128);
}

TEST(UbPlan, keeps_apart_what_lives_together) {
  std::mt19937_64 draw(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<UbInterval> lives(1 + draw() % 12);
    std::int64_t all = 0;
    for (UbInterval& life : lives) {
      life.first = static_cast<int>(draw() % 10);
      life.last = life.first + static_cast<int>(draw() % 6);
      life.size = static_cast<std::int64_t>(1 + draw() % 5000);
      all += (life.size + 255) / 256 * 256;
    }
    const UbPlan plan = plan_ub(lives, 512, 256);
    EXPECT_LE(plan.end, 512 + all);
    for (std::size_t a = 0; a < lives.size(); ++a) {
      EXPECT_EQ(plan.base[a] % 256, 0);
      EXPECT_GE(plan.base[a], 512);
      EXPECT_LE(plan.base[a] + lives[a].size, plan.end);
      for (std::size_t b = 0; b < a; ++b) {
        if (!overlap(lives[a], lives[b])) continue;
        EXPECT_TRUE(plan.base[a] + lives[a].size <= plan.base[b] ||
                    plan.base[b] + lives[b].size <= plan.base[a])
            << "round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace dvmsim
