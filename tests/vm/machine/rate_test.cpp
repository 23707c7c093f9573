#include "vm/machine/rate.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

constexpr Hertz kClock(1'850'000'000);

TEST(Rate, rounds_cycles_up_and_bytes_down) {
  const Rate rate(60);
  EXPECT_EQ(rate.cycles_for(Bytes(0)), Cycles(0));
  EXPECT_EQ(rate.cycles_for(Bytes(1)), Cycles(1));
  EXPECT_EQ(rate.cycles_for(Bytes(60)), Cycles(1));
  EXPECT_EQ(rate.cycles_for(Bytes(61)), Cycles(2));
  EXPECT_EQ(rate.bytes_in(Cycles(3)), Bytes(180));
}

TEST(Rate, is_exact_when_bytes_per_cycle_are_not_whole) {
  const Rate rate = Rate::per_second(Rational(1'800'000'000'000), kClock);
  EXPECT_EQ(rate.num(), 36000);
  EXPECT_EQ(rate.den(), 37);
  EXPECT_EQ(rate.cycles_for(Bytes(36000)), Cycles(37));
  EXPECT_EQ(rate.cycles_for(Bytes(36001)), Cycles(38));
}

TEST(Rate, per_second_stays_when_the_clock_changes_and_per_cycle_scales) {
  const Hertz half(kClock.count() / 2);
  const Rate memory = Rate::per_second(Rational(1'800'000'000'000), kClock);
  EXPECT_EQ(memory.rescaled(kClock, half).per_second(half), Rational(1'800'000'000'000));
  EXPECT_EQ(memory.rescaled(kClock, half).rescaled(half, kClock), memory);
  EXPECT_EQ(Rate(60).rescaled(kClock, half), Rate(60));
}

TEST(Delay, given_in_time_is_rounded_up_to_cycles_of_the_clock) {
  const Delay delay(Picoseconds(60'000), kClock);  // 60 ns x 1.85 GHz = 111 cycles
  EXPECT_EQ(delay.cycles(), Cycles(111));
  EXPECT_EQ(Delay(Picoseconds(60'001), kClock).cycles(), Cycles(112));
  EXPECT_EQ(delay.rescaled(Hertz(1'000'000'000)).cycles(), Cycles(60));
  EXPECT_EQ(Delay(Cycles(7)).rescaled(Hertz(1)).cycles(), Cycles(7));
}

TEST(Rational, is_kept_in_lowest_terms_and_compares) {
  EXPECT_EQ(Rational(6, 4), Rational(3, 2));
  EXPECT_TRUE(Rational(128, 7) < Rational(37, 2));
  EXPECT_FALSE(Rational(1, 2) < Rational(2, 4));
  EXPECT_EQ(Rational(128, 7).ceil_of(128), 7);
  EXPECT_EQ(Rational(128, 7).ceil_of(129), 8);
  EXPECT_EQ(Rational(8, 5).times_up(3), 5);
  EXPECT_EQ(Rational(8, 5).times_down(3), 4);
}

TEST(Rational, refuses_what_is_negative) {
  EXPECT_DEATH(Rational(-1), "not negative");
}

TEST(Time, converts_between_cycles_and_picoseconds) {
  EXPECT_EQ(time_of(Cycles(1850), kClock), Picoseconds(1'000'000));
  EXPECT_EQ(cycles_in(Picoseconds(1'000'000), kClock), Cycles(1850));
  EXPECT_EQ(cycles_in(Picoseconds(0), kClock), Cycles(0));
}

}  // namespace
}  // namespace dvmsim
