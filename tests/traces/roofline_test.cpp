#include "traces/roofline.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

Stats run(int cube_work, int load_work, int read_bytes) {
  Stats stats;
  const CoreId core{CoreKind::Cube, 0};
  const auto span = [&](Pipe pipe, int cycles) {
    stats.on_span({{core, pipe}, Cycles(0), Cycles(cycles), Reason::Work, nullptr, Cycles(cycles)});
  };
  span(Pipe::Cube, cube_work);
  span(Pipe::MTE2, load_work);
  stats.on_traffic({Place::HbmRead, Bytes(read_bytes), Cycles(0), Cycles(100)});
  stats.close(Cycles(0), Cycles(1000));
  return stats;
}

Capacity two_cores() {
  Capacity capacity;
  capacity.cores = {2, 0, 0};
  capacity.hbm_bytes_per_cycle = 10;
  return capacity;
}

TEST(Roofline, the_largest_demand_bounds) {
  const Roofline verdict = roofline(run(400, 600, 1000), two_cores());
  EXPECT_EQ(verdict.bound, "mte2");
  EXPECT_EQ(verdict.ideal_cycles, 300);  // over both cores
  EXPECT_DOUBLE_EQ(verdict.fraction, 0.3);
}

TEST(Roofline, memory_bounds_when_its_bytes_take_longest) {
  const Roofline verdict = roofline(run(400, 600, 5001), two_cores());
  EXPECT_EQ(verdict.bound, "hbm");
  EXPECT_EQ(verdict.ideal_cycles, 501);
}

TEST(Roofline, ties_go_to_the_resource_named_first) {
  EXPECT_EQ(roofline(run(600, 600, 3000), two_cores()).bound, "cube");
}

TEST(Roofline, an_empty_run_has_no_bound) {
  Stats stats;
  stats.close(Cycles(0), Cycles(0));
  EXPECT_EQ(roofline(stats, two_cores()).bound, "");
}

}  // namespace
}  // namespace dvmsim
