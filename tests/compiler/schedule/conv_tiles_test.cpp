#include "compiler/schedule/conv_tiles.h"

#include <gtest/gtest.h>

#include "compiler/schedule/window.h"
#include "vm/base/error.h"
#include "vm/firmware/conv_layout.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

ConvTask task_of(std::int64_t images, std::int64_t channels, std::int64_t side,
                 std::int64_t outputs, std::int64_t kernel) {
  ConvTask task;
  isa::ConvArguments& words = task.words;
  words.images = images;
  words.channels = channels;
  words.outputs = outputs;
  words.in_h = words.in_w = words.out_h = words.out_w = side;
  words.kernel = isa::pack_kernel({kernel, kernel});
  words.pad_top = words.pad_left = kernel / 2;
  words.x_pixel = channels * 2;
  words.y_pixel = outputs * 2;
  words.out = static_cast<std::int64_t>(DType::F16);
  return task;
}

TEST(ConvTiles, AreLegalAndFillTheCores) {
  const Machine machine = default_machine();
  for (std::int64_t channels : {3, 64, 512}) {
    for (std::int64_t side : {7, 56, 112}) {
      const ConvTask task = task_of(8, channels, side, 64, 3);
      const ConvSchedule found = choose_conv(task, machine, 24);
      EXPECT_EQ(conv_problem(machine, found.words, task.type), "");
      EXPECT_GE(found.cores, side == 7 ? 4 : 20) << to_string(found);
    }
  }
}

TEST(ConvTiles, AMapTooWideIsCutInRows) {
  const Machine machine = default_machine();
  ConvTask task = task_of(1, 1, 1, 16, 1);
  task.words.in_w = 100'000;
  task.words.out_w = 99'998;
  task.words.kernel = isa::pack_kernel({1, 3});
  EXPECT_FALSE(fits_whole_rows(task, machine));
  EXPECT_EQ(choose_conv(task, machine, 24).words.by_row, 1);
  EXPECT_EQ(choose_conv(task_of(1, 64, 56, 64, 3), machine, 24).words.by_row, 0);
}

TEST(ConvTiles, WhatFitsNowhereIsRefused) {
  Machine machine = default_machine();
  machine.l1.size = Bytes(1 << 10);
  EXPECT_THROW((void)choose_conv(task_of(1, 64, 56, 64, 3), machine, 24), Error);
}

TEST(ConvTiles, ShortRunsOfPixelsCostMore) {
  const Machine machine = default_machine();
  ConvTask task = task_of(8, 64, 56, 64, 3);
  isa::ConvArguments words = choose_conv(task, machine, 24).words;
  words.tile_c = 64;
  const double whole = estimate_conv(words, task.type, 24, machine).mte2;
  words.tile_c = 16;
  EXPECT_GT(estimate_conv(words, task.type, 24, machine).mte2, 2 * whole);
}

TEST(WindowTiles, FitTheUnifiedBuffer) {
  const Machine machine = default_machine();
  for (auto kind : {WindowTask::Kind::Max, WindowTask::Kind::Sum, WindowTask::Kind::Weighted}) {
    WindowTask task;
    task.kind = kind;
    task.channels = 960;
    task.in = task.out = {1, 56, 56};
    task.kernel = {1, 3, 3};
    task.pad = {0, 1, 1};
    const WindowSchedule found = schedule_window(task, machine, 48, 4096);
    ASSERT_GT(found.rows, 0);
    EXPECT_LE(found.end, machine.ub.size.count());
    EXPECT_GE(found.loaded, 4096);
    task.kernel = {1, 200, 200};
    task.in = {1, 255, 255};
    EXPECT_EQ(schedule_window(task, machine, 48, 4096).rows, 0) << "no window of it fits";
  }
}

}  // namespace
}  // namespace dvmsim
