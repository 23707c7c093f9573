#include "vm/isa/matmul.h"

#include <algorithm>
#include <numeric>

namespace dvmsim::isa {
namespace {

TilePlace in_groups(std::int64_t index, std::int64_t rows, std::int64_t columns,
                    std::int64_t width) {
  width = std::min(width, columns);
  const std::int64_t group = index / (width * rows), first = group * width;
  const std::int64_t here = std::min(width, columns - first), inside = index - first * rows;
  const std::int64_t row = inside / here;
  return {group % 2 != 0 ? rows - 1 - row : row, first + inside % here};
}

TilePlace on_diagonals(std::int64_t index, std::int64_t rows, std::int64_t columns,
                       std::int64_t width) {
  const std::int64_t first_row = index / (width * columns) * width;
  const std::int64_t high = std::min(width, rows - first_row);
  index -= first_row * columns;
  const std::int64_t first_column = index / (width * high) * width;
  const std::int64_t broad = std::min(width, columns - first_column);
  index -= first_column * high;
  return {first_row + index % high, first_column + (index + index / std::lcm(high, broad)) % broad};
}

}  // namespace

const char* name_of(Swizzle swizzle) {
  constexpr const char* kNames[kSwizzles] = {"zn", "nz", "dz", "dn"};
  return kNames[static_cast<int>(swizzle)];
}

TilePlace place_of(std::int64_t index, std::int64_t rows, std::int64_t columns, Swizzle swizzle,
                   std::int64_t width) {
  switch (swizzle) {
    case Swizzle::Zn:
      return in_groups(index, rows, columns, width);
    case Swizzle::DiagonalZ:
      return on_diagonals(index, rows, columns, width);
    default:
      break;
  }
  const bool groups = swizzle == Swizzle::Nz;
  const TilePlace turned =
      groups ? in_groups(index, columns, rows, width) : on_diagonals(index, columns, rows, width);
  return {turned.column, turned.row};
}

std::int64_t SharedTiles::most_pieces() const {
  std::int64_t most = 0;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    most = std::max(most, last_core(tile) - first_core(tile) + 1);
  }
  return most;
}

}  // namespace dvmsim::isa
