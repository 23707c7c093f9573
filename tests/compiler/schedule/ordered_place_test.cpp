// What the placers say of a tile without laying it out is what its layout says.
#include "compiler/schedule/ordered_place.h"

#include <gtest/gtest.h>

#include "compiler/schedule/buffer_place.h"

namespace dvmsim {
namespace {

/// y = exp(x) * row, z = y + x, over halves and floats.
VectorKernel kernel_of(std::int64_t rows, std::int64_t columns) {
  VectorKernel kernel;
  kernel.dims = {rows, columns};
  kernel.values = {{DType::F16, Extent::Full}, {DType::F16, Extent::Row},
                   {DType::F32, Extent::Full}, {DType::F32, Extent::Full},
                   {DType::F16, Extent::Full}, {DType::F16, Extent::Full}};
  kernel.inputs = {{0, {columns, 1}, "x"}, {1, {0, 1}, "row"}};
  kernel.outputs = {{5, {columns, 1}, "z"}};
  kernel.steps = {{isa::Op::vcvt, DType::F16, 2, {0, -1, -1}},
                  {isa::Op::vexp, DType::F32, 3, {2, -1, -1}},
                  {isa::Op::vcvt, DType::F32, 4, {3, -1, -1}},
                  {isa::Op::vmul, DType::F16, 5, {4, 1, -1}}};
  return kernel;
}

constexpr VectorTile kTiles[] = {{1, 1000}, {3, 1000}, {17, 1000}, {1, 32}, {64, 96}, {17, 1000}};
constexpr std::int64_t kBegin = 4000;

TEST(OrderedPlacer, says_where_the_layout_ends) {
  const VectorKernel kernel = kernel_of(64, 1000);
  const OrderedPlacer placer(kernel);
  for (const VectorTile tile : kTiles) {
    const std::int64_t end = placer.place(tile, kBegin).ub_end;
    EXPECT_EQ(placer.end_of(tile, kBegin), end);
    EXPECT_EQ(placer.end_of(tile, kBegin, end), end);
    EXPECT_GT(placer.end_of(tile, kBegin, end - 1), end - 1);
    EXPECT_GE(kBegin + OrderedPlacer::most_bytes(kernel, tile), end);
  }
}

TEST(BufferPlacer, says_where_the_layout_ends_whatever_was_asked_before) {
  const VectorKernel kernel = kernel_of(64, 1000);
  const BufferPlacer placer(kernel);
  for (const BufferDepth depth : {BufferDepth{1, 1}, BufferDepth{2, 1}, BufferDepth{3, 2}}) {
    for (const VectorTile tile : kTiles) {
      const VectorSchedule one = BufferPlacer(kernel).place_one(tile, depth, kBegin);
      EXPECT_EQ(placer.end_of(tile, depth, kBegin), one.ub_end);
      EXPECT_EQ(placer.place(tile, depth, kBegin).front().ub_end, one.ub_end);
    }
  }
}

TEST(BufferPlacer, keeps_one_copy_of_a_row_that_all_tiles_share) {
  const VectorKernel kernel = kernel_of(64, 1000);
  const BufferPlacer placer(kernel);
  EXPECT_EQ(placer.place_one({3, 1000}, {2, 2}, kBegin).buffers[1].copies, 1);
  EXPECT_EQ(placer.place_one({3, 96}, {2, 2}, kBegin).buffers[1].copies, 2);
}

}  // namespace
}  // namespace dvmsim
