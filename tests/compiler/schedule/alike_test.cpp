// Sizes that are cut alike: how far a representative may be, and that what is cut for it holds the
// sizes it stands for.
#include "compiler/schedule/alike.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

TEST(Alike, sizes_have_a_representative_at_most_an_eighth_above) {
  std::int64_t before = 0;
  for (std::int64_t size = 0; size <= 20000; ++size) {
    const std::int64_t other = alike(size);
    ASSERT_GE(other, size);
    ASSERT_LE(8 * (other - size), size) << size;
    ASSERT_EQ(alike(other), other) << size;
    ASSERT_GE(other, before) << size;
    before = other;
  }
  EXPECT_EQ(alike(16), 16);
  EXPECT_EQ(alike(17), 18);
  EXPECT_EQ(alike(1000), 1024);
  EXPECT_EQ(alike(1024), 1024);
  EXPECT_EQ(alike(1025), 1152);
}

MatmulSpec product(std::int64_t m, std::int64_t k, std::int64_t n) {
  MatmulSpec spec{};
  spec.m = m;
  spec.k = k;
  spec.n = n;
  return packed(spec);
}

TEST(Alike, products_differ_in_what_no_stride_depends_on) {
  EXPECT_EQ(alike(product(1000, 256, 512)), alike(product(961, 256, 512)));
  EXPECT_NE(alike(product(1000, 256, 512)), alike(product(960, 256, 512)));
  EXPECT_NE(alike(product(1000, 256, 512)), alike(product(1000, 257, 512)));
  EXPECT_NE(alike(product(1000, 256, 512)), alike(product(1000, 256, 513)));
  MatmulSpec turned = product(1000, 256, 512);
  turned.trans_a = true;
  EXPECT_EQ(alike(packed(turned)).m, 1000) << "the rows of A are that long";
}

TEST(Alike, products_are_cut_into_as_many_tiles_none_larger) {
  const Machine machine = default_machine();
  for (std::int64_t m = 1; m <= 3000; m += 13) {
    SCOPED_TRACE(m);
    const MatmulSpec spec = product(m, 768, 1024), other = alike(spec);
    const MatmulSchedule known = choose_cost(other, machine);
    const MatmulSchedule schedule = cut_alike(spec, other, known);
    ASSERT_TRUE(fits(spec, schedule, machine));
    ASSERT_LE(schedule.tile_m, known.tile_m);
    ASSERT_LE(tiles_m(spec, schedule), tiles_m(other, known));
    ASSERT_LE(schedule.cores, tiles_of(spec, schedule));
    ASSERT_EQ(schedule.tile_n, known.tile_n);
  }
}

VectorKernel sum_of_two(std::int64_t rows, std::int64_t columns) {
  VectorKernel kernel;
  kernel.dims = {rows, columns};
  kernel.values = {{DType::F16}, {DType::F16}, {DType::F16}};
  kernel.inputs = {{0, {columns, 1}, "x"}, {1, {columns, 1}, "y"}};
  KernelStep add;
  add.op = isa::Op::vadd;
  add.dtype = DType::F16;
  add.result = 2;
  add.source = {0, 1, -1};
  kernel.steps = {add};
  kernel.outputs = {{2, {columns, 1}, "z"}};
  return kernel;
}

TEST(Alike, vector_kernels_are_cut_into_as_many_tiles_that_fit) {
  const Machine machine = default_machine();
  for (std::int64_t rows = 17; rows <= 40000; rows = rows * 5 / 4 + 3) {
    SCOPED_TRACE(rows);
    const VectorKernel other = sum_of_two(alike(rows), 1000), kernel = sum_of_two(rows, 1000);
    const VectorSchedule known = schedule_vector(other, machine, machine.cores.vector);
    const auto schedule = schedule_alike(kernel, cut_of(other, known), machine);
    ASSERT_TRUE(schedule);
    ASSERT_LE(schedule->tile.rows, known.tile.rows);
    ASSERT_LE(schedule->ub_end, machine.ub.size.count());
    ASSERT_LE(schedule->estimate.tiles, known.estimate.tiles);
    ASSERT_LE(schedule->cores, known.cores);
  }
  const VectorKernel whole = sum_of_two(alike(1000), 1024);
  const VectorSchedule known = schedule_vector(whole, machine, machine.cores.vector);
  const auto same = schedule_alike(whole, cut_of(whole, known), machine);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->tile.columns, known.tile.columns);
}

TEST(Alike, vector_kernels_that_do_not_fit_are_not_cut_so) {
  Machine machine = default_machine();
  const VectorKernel kernel = sum_of_two(64, 1000);
  const VectorCut cut = cut_of(kernel, schedule_vector(kernel, machine, machine.cores.vector));
  machine.ub.size = Bytes(4096);
  EXPECT_FALSE(schedule_alike(kernel, cut, machine));
}

}  // namespace
}  // namespace dvmsim
