// Who wins where, from plain data.
#include "cli/study/standings.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

TEST(Standings, say_how_the_winner_moves_along_each_axis) {
  const std::vector<StandingsAxis> axes = {{"cost", {"0us", "9us"}}, {"size", {"1", "2"}}};
  const Standings found = standings_of(
      axes, {{{0, 0}, "a"}, {{0, 1}, "a"}, {{1, 0}, "b"}, {{1, 1}, "a"}, {{1, 1}, ""}});
  EXPECT_EQ(found.points, 4);
  EXPECT_EQ(found.wins, (Standings::Wins{{"a", 3}, {"b", 1}}));
  ASSERT_EQ(found.axes.size(), 2u);
  EXPECT_EQ(found.axes[0].name, "cost");
  EXPECT_DOUBLE_EQ(found.axes[0].moved, 0.5);
  EXPECT_EQ(found.axes[0].levels[1].wins, (Standings::Wins{{"a", 1}, {"b", 1}}));
  const std::string text = to_text(found, "least time");
  EXPECT_NE(text.find("least time: a 75 %, b 25 % of 4 points"), std::string::npos) << text;
  EXPECT_NE(text.find("0us: a 100 %; 9us: a 50 %, b 50 %"), std::string::npos) << text;
}

TEST(Standings, take_many_values_together) {
  std::vector<std::string> texts;
  for (int i = 9; i > 0; --i) texts.push_back(std::to_string(i * 5) + "us");
  const StandingsAxis axis = standings_axis("x", texts);
  EXPECT_EQ(axis.values.front(), "5us");
  std::vector<StandingsPoint> points;
  for (int i = 0; i < 9; ++i) points.push_back({{i}, i < 6 ? "a" : "b"});
  const Standings found = standings_of({axis}, points);
  ASSERT_EQ(found.axes[0].levels.size(), 3u);
  EXPECT_EQ(found.axes[0].levels[0].text, "5us..15us");
  EXPECT_EQ(found.axes[0].levels[2].wins, (Standings::Wins{{"b", 3}}));
  EXPECT_DOUBLE_EQ(found.axes[0].moved, 1);
}

TEST(Standings, of_drawn_points_are_told_from_chance) {
  // x decides; y happens to go along a little.
  const std::vector<StandingsAxis> axes = {{"x", {"1", "2"}}, {"y", {"1", "2"}}, {"z", {"1", "2"}}};
  std::vector<StandingsPoint> points;
  for (int i = 0; i < 7; ++i) points.push_back({{i % 2, i % 3 == 0 ? 1 : 0, 0}, i % 2 ? "b" : "a"});
  EXPECT_FALSE(standings_of(axes, points).axes[1].by_chance);
  const Standings found = standings_of(axes, points, points.size());
  EXPECT_EQ(found.axes[0].name, "x");
  EXPECT_FALSE(found.axes[0].by_chance);
  EXPECT_TRUE(found.axes[1].by_chance);
  const std::string text = to_text(found, "least time");
  EXPECT_NE(text.find("no more than chance: y"), std::string::npos) << text;
}

TEST(Standings, of_nothing_are_nothing) {
  EXPECT_EQ(to_text(standings_of({{"x", {"1"}}}, {{{0}, ""}}), "least"), "");
}

}  // namespace
}  // namespace dvmsim
