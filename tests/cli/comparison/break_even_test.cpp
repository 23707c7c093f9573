#include "cli/comparison/break_even.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

TEST(BreakEven, the_best_is_the_lower_envelope) {
  // Dear to begin and fast, in between, cheap to begin and slow.
  const std::vector<Bargain> bargains = {{1000, 10}, {120, 20}, {50, 50}};
  const auto wins = winners(bargains);
  ASSERT_EQ(wins.size(), 3u);
  EXPECT_EQ(wins[0].strategy, 0u);
  EXPECT_EQ(wins[1].strategy, 1u);
  EXPECT_EQ(wins[2].strategy, 2u);
  EXPECT_EQ(wins[0].from, 0);
  EXPECT_EQ(wins[2].to, 1);
  for (std::size_t i = 0; i + 1 < wins.size(); ++i) {
    EXPECT_EQ(wins[i].to, wins[i + 1].from);
    EXPECT_NEAR(bargains[i].at(wins[i].to), bargains[i + 1].at(wins[i].to), 1e-9);
  }
}

TEST(BreakEven, the_best_is_the_best_everywhere) {
  for (unsigned seed = 1; seed < 300; ++seed) {
    unsigned state = seed * 2654435761u;
    const auto draw = [&] {
      return static_cast<double>((state = state * 1664525u + 1013904223u) >> 24);
    };
    std::vector<Bargain> bargains;
    for (int i = 0; i < 5; ++i) {
      const double again = draw();
      bargains.push_back({again + draw(), again});
    }
    for (const Win& win : winners(bargains)) {
      const double middle = (win.from + win.to) / 2;
      for (const Bargain& other : bargains) {
        EXPECT_LE(bargains[win.strategy].at(middle), other.at(middle) + 1e-9) << seed;
      }
    }
  }
}

TEST(BreakEven, one_that_never_wins_is_not_there) {
  const auto wins = winners({{10, 10}, {20, 20}});
  ASSERT_EQ(wins.size(), 1u);
  EXPECT_EQ(wins[0].strategy, 0u);
}

TEST(BreakEven, a_duel_names_the_runs_from_which_it_pays) {
  // 1000 once and 10 after it, against 50 each: 1000 + 10 (n - 1) < 50 n from n = 25.
  EXPECT_EQ(text_of(duel({1000, 10}, {50, 50})), "from 25");
  EXPECT_EQ(text_of(duel({50, 50}, {1000, 10})), "up to 24");
  EXPECT_EQ(text_of(duel({1, 1}, {2, 2})), "always");
  EXPECT_EQ(text_of(duel({2, 2}, {1, 1})), "never");
  EXPECT_EQ(text_of(duel({1, 1}, {1, 1})), "never");
}

}  // namespace
}  // namespace dvmsim
