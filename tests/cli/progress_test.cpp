#include "cli/progress.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

TEST(Progress, a_bar_says_how_far_what_and_how_long) {
  const ProgressState state{"attn.q", 10, 40, 12345, 30};
  EXPECT_EQ(bar_text(state, 100), "[#####...............]  25 %  attn.q  cycle 12345  90 s left");
}

TEST(Progress, it_fits_the_terminal) {
  const ProgressState state{"a very long name of an operator in some layer", 3, 4, 99, 9};
  for (std::size_t width : {20, 50, 70, 200}) EXPECT_LE(bar_text(state, width).size(), width);
  EXPECT_NE(bar_text(state, 70).find("..."), std::string::npos);
}

TEST(Progress, without_a_total_it_counts) {
  EXPECT_EQ(bar_text({"x", 3, 0, 7, 1}, 80), "3 done  x  cycle 7");
}

TEST(Progress, what_was_done_before_does_not_count_as_fast) {
  // 10 units in 20 s, 30 to go; no cycle is known.
  EXPECT_EQ(bar_text({"", 70, 100, 0, 20, 60}, 80), "[##############......]  70 %    60 s left");
  EXPECT_EQ(bar_text({"", 60, 100, 0, 20, 60}, 80), "[############........]  60 %  ");
}

TEST(Progress, durations_have_one_unit_or_two) {
  EXPECT_EQ(duration_text(45.2), "45 s");
  EXPECT_EQ(duration_text(180), "3 min");
  EXPECT_EQ(duration_text(7500), "2 h 5 min");
}

}  // namespace
}  // namespace dvmsim
