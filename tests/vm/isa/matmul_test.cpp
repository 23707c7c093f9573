// Orders of visit against tables written by hand.
#include "vm/isa/matmul.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

namespace dvmsim::isa {
namespace {

/// The number of each tile's visit, row by row.
std::vector<int> visits(std::int64_t rows, std::int64_t columns, Swizzle swizzle,
                        std::int64_t width) {
  std::vector<int> number(static_cast<std::size_t>(rows * columns), -1);
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const TilePlace at = place_of(i, rows, columns, swizzle, width);
    number[static_cast<std::size_t>(at.row * columns + at.column)] = static_cast<int>(i);
  }
  return number;
}

TEST(TileOrder, GroupsOfColumnsGoBackAndForth) {
  EXPECT_EQ(visits(3, 5, Swizzle::Zn, 2), (std::vector{0, 1, 10, 11, 12,  //
                                                       2, 3, 8, 9, 13,    //
                                                       4, 5, 6, 7, 14}));
}

TEST(TileOrder, GroupsOfRowsGoBackAndForth) {
  EXPECT_EQ(visits(3, 4, Swizzle::Nz, 2), (std::vector{0, 2, 4, 6,  //
                                                       1, 3, 5, 7,  //
                                                       11, 10, 9, 8}));
}

TEST(TileOrder, SquaresAreWalkedAlongTheirDiagonals) {
  EXPECT_EQ(visits(3, 3, Swizzle::DiagonalZ, 3), (std::vector{0, 3, 6,  //
                                                              7, 1, 4,  //
                                                              5, 8, 2}));
  // Squares of 2, then one of 2 x 1; then a row of squares of 1 x 2 and of 1.
  EXPECT_EQ(visits(3, 5, Swizzle::DiagonalZ, 2), (std::vector{0, 2, 4, 6, 8,  //
                                                              3, 1, 7, 5, 9,  //
                                                              10, 11, 12, 13, 14}));
}

TEST(TileOrder, DiagonalNIsDiagonalZTurned) {
  for (std::int64_t i = 0; i < 35; ++i) {
    const TilePlace z = place_of(i, 7, 5, Swizzle::DiagonalZ, 3);
    const TilePlace n = place_of(i, 5, 7, Swizzle::DiagonalN, 3);
    EXPECT_EQ(n, (TilePlace{z.column, z.row}));
  }
}

TEST(TileOrder, EveryTileIsVisitedOnce) {
  for (int swizzle = 0; swizzle < kSwizzles; ++swizzle) {
    for (std::int64_t width : {1, 2, 3, 5, 8, 20}) {
      for (const auto& [rows, columns] : {std::pair{1, 1}, {6, 7}, {13, 16}, {9, 2}, {1, 11}}) {
        const auto number = visits(rows, columns, static_cast<Swizzle>(swizzle), width);
        EXPECT_EQ(std::set<int>(number.begin(), number.end()).count(-1), 0u)
            << name_of(static_cast<Swizzle>(swizzle)) << width << " " << rows << "x" << columns;
      }
    }
  }
}

}  // namespace
}  // namespace dvmsim::isa
