// Gains of one way of running over another: the parts add up, and no ratio is beyond its bound.
#include "cli/comparison/device_figures.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

DeviceFigures eager() {
  DeviceFigures figures;
  figures.launches = 4;
  figures.head_us = {2, 20};
  figures.body_us = 50;
  figures.fixed_us = 3.2;
  figures.memory_us = 30;
  figures.ideal_us = 32;
  figures.bound = "vector.mte2";
  return figures;
}

DeviceFigures fused() {
  DeviceFigures figures;
  figures.launches = 1;
  figures.head_us = {0.5, 5};
  figures.body_us = 20;
  figures.fixed_us = 0.8;
  figures.memory_us = 12;
  figures.ideal_us = 15;
  figures.bound = "vector";
  figures.decode_us = {0.5, 1, 2};
  return figures;
}

TEST(DeviceFigures, a_gain_is_split_into_parts_that_add_up) {
  const Gain gain = gain_of(eager(), fused(), 1);
  EXPECT_DOUBLE_EQ(gain.launches, 15 + 2.4);
  EXPECT_DOUBLE_EQ(gain.bytes, 18);
  EXPECT_DOUBLE_EQ(gain.decode, -1);
  // Of 30 us less at work, 2.4 are kernels not entered, 18 bytes not moved, and one is lost again.
  EXPECT_DOUBLE_EQ(gain.overlap, 30 - 2.4 - 18 + 1);
  EXPECT_DOUBLE_EQ(gain.total(), eager().time_us(1) - fused().time_us(1));
}

TEST(DeviceFigures, launch_costs_change_the_part_of_launches_alone) {
  const Gain cheap = gain_of(eager(), fused(), 0), dear = gain_of(eager(), fused(), 1);
  EXPECT_DOUBLE_EQ(dear.launches - cheap.launches, (20 - 5) - (2 - 0.5));
  EXPECT_DOUBLE_EQ(dear.bytes, cheap.bytes);
  EXPECT_DOUBLE_EQ(dear.decode, cheap.decode);
  EXPECT_DOUBLE_EQ(dear.overlap, cheap.overlap);
}

TEST(DeviceFigures, the_bound_is_what_work_and_launches_alone_would_take) {
  EXPECT_DOUBLE_EQ(most_of(eager(), fused(), 0), 52 / 15.5);
  EXPECT_DOUBLE_EQ(ratio_of(eager(), fused(), 0), 52 / 20.5);
  EXPECT_LT(ratio_of(eager(), fused(), 1), most_of(eager(), fused(), 1));
  EXPECT_DOUBLE_EQ(fused().reached(), 0.75);
}

TEST(DeviceFigures, decoding_is_a_share_of_the_time_without_it) {
  EXPECT_DOUBLE_EQ(fused().decode_share(0), 0.5 / 19);
  EXPECT_DOUBLE_EQ(fused().decode_share(2), 2.0 / 19);
  EXPECT_DOUBLE_EQ(eager().decode_share(1), 0);
}

TEST(DeviceFigures, the_largest_loss_has_a_name) {
  EXPECT_STREQ((Gain{-2, 1, -1, 0}).worst(), "more launches");
  EXPECT_STREQ((Gain{0, -3, -1, 2}).worst(), "more bytes");
  EXPECT_STREQ((Gain{1, 0, -1, 0}).worst(), "decoding");
  EXPECT_STREQ((Gain{1, 0, -1, -2}).worst(), "less overlap");
}

TEST(DeviceFigures, several_sizes_add_up_and_the_longest_has_the_bound) {
  const DeviceFigures sum = sum_of({fused(), fused(), eager(), fused()});
  EXPECT_EQ(sum.launches, 7);
  EXPECT_DOUBLE_EQ(sum.time_us(1), 3 * 25 + 70);
  EXPECT_DOUBLE_EQ(sum.ideal_us, 3 * 15 + 32);
  EXPECT_EQ(sum.bound, "vector.mte2");
  EXPECT_DOUBLE_EQ((*sum.decode_us)[1], 3);
}

}  // namespace
}  // namespace dvmsim
