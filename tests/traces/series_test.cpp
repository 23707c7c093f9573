#include "traces/series.h"

#include <gtest/gtest.h>

#include <numeric>

namespace dvmsim {
namespace {

using Windows = std::vector<std::int64_t>;

TEST(Series, spreads_an_amount_over_the_windows_it_covers) {
  Series series(Series::Kind::Sum, Cycles(0), Cycles(10), 100);
  series.add(Cycles(5), Cycles(25), 200);
  EXPECT_EQ(series.windows(), (Windows{50, 100, 50}));
}

TEST(Series, loses_nothing_to_rounding) {
  Series series(Series::Kind::Sum, Cycles(3), Cycles(7), 8);
  std::int64_t given = 0;
  for (int i = 0; i < 200; ++i) {
    series.add(Cycles(3 + 5 * i), Cycles(3 + 5 * i + 1 + i % 37), 100 + i);
    given += 100 + i;
  }
  const Windows& windows = series.windows();
  EXPECT_EQ(std::accumulate(windows.begin(), windows.end(), std::int64_t{0}), given);
  EXPECT_LE(windows.size(), 8u);
}

TEST(Series, keeps_the_most_when_windows_double) {
  Series series(Series::Kind::Max, Cycles(0), Cycles(10), 2);
  series.add(Cycles(0), Cycles(10), 5);
  series.add(Cycles(10), Cycles(20), 9);
  series.add(Cycles(30), Cycles(40), 4);
  EXPECT_EQ(series.width(), Cycles(20));
  EXPECT_EQ(series.windows(), (Windows{9, 4}));
}

TEST(Series, an_instant_counts_in_its_window) {
  Series series(Series::Kind::Sum, Cycles(0), Cycles(10), 4);
  series.add(Cycles(10), Cycles(10), 7);
  EXPECT_EQ(series.windows(), (Windows{0, 7}));
}

}  // namespace
}  // namespace dvmsim
