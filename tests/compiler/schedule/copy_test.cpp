// Copies of boxes: tiles that fit, in buffers that take turns where a core has several tiles.
#include "compiler/schedule/copy.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

ViewCopy transposed(std::int64_t rows, std::int64_t columns, std::int64_t run) {
  return {0, 0, {columns, rows, run}, {run, columns * run, 1}, {rows * run, run, 1}};
}

TEST(Copy, buffers_take_turns_where_a_core_has_several_tiles) {
  const Machine machine = default_machine();
  const CopySchedule many = schedule_copy(transposed(50, 300, 1024), DType::F16, machine, 48);
  EXPECT_GT(many.tiles, 48);
  EXPECT_EQ(many.turns, 2);
  const CopySchedule few = schedule_copy(transposed(4, 3, 64), DType::F16, machine, 48);
  EXPECT_LE(few.tiles, 48);
  EXPECT_EQ(few.turns, 1);
  ViewCopy filled = transposed(50, 300, 1024);
  filled.fill = 0;
  EXPECT_EQ(schedule_copy(filled, DType::F16, machine, 48).turns, 1) << "nothing is loaded";
}

TEST(Copy, all_buffers_fit) {
  const Machine machine = default_machine();
  for (const DType type : {DType::I8, DType::F16, DType::F32}) {
    for (const std::int64_t run : {1, 7, 100, 5000}) {
      const CopySchedule schedule = schedule_copy(transposed(700, 900, run), type, machine, 48);
      const std::int64_t kinds = schedule.way == CopySchedule::Way::Transpose ? 2 : 1;
      EXPECT_LE(schedule.bytes * schedule.turns * kinds, machine.ub.size.count() / 2);
    }
  }
}

TEST(Copy, turned_tiles_that_are_short_one_way_are_long_the_other) {
  const Machine machine = default_machine();
  // Pairs become two rows.
  const ViewCopy pairs{0, 0, {2, 65536}, {1, 2}, {65536, 1}};
  const CopySchedule schedule = schedule_copy(pairs, DType::F16, machine, 48);
  ASSERT_EQ(schedule.way, CopySchedule::Way::Transpose);
  EXPECT_EQ(schedule.tile[0], 2);
  EXPECT_GE(schedule.tile[1], 512);
  EXPECT_GE(schedule.tiles, 2 * 48) << "every core has two";
  const ViewCopy square{0, 0, {4096, 4096}, {1, 4096}, {4096, 1}};
  EXPECT_LE(schedule_copy(square, DType::F16, machine, 48).tile[1], 128);
}

TEST(Copy, turns_hide_the_shorter_of_load_and_store) {
  const Machine machine = default_machine();
  const ViewCopy copy = normalized(transposed(400, 300, 1024));
  const CopySchedule schedule = schedule_copy(copy, DType::F16, machine, 48);
  const double tiles = static_cast<double>(schedule.tiles) / 48;
  const double bytes = 2.0 * 400 * 300 * 1024 / 48;
  const double both = bytes / machine.mte2.gm_to_ub.per_cycle().value() +
                      bytes / machine.mte3.ub_to_gm.per_cycle().value();
  EXPECT_GT(tiles, 20);
  EXPECT_LT(copy_time(copy, DType::F16, machine, 48), both);
}

}  // namespace
}  // namespace dvmsim
