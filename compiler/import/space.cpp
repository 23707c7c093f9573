// ONNX operators on images and on single matrices.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

ValueId transposed(Lower& l, ValueId x, const Dims& perm) {
  return l.op(Op::Transpose, {x}, {{"perm", perm}});
}

std::int64_t block_of(Lower& l) {
  const std::int64_t block = l.int_of("blocksize", 0);
  if (block < 1 || l.rank(l.in(0)) != 4) l.fail("needs a blocksize and an image [N, C, H, W]");
  return block;
}

void depth_to_space(Lower& l) {
  const std::int64_t b = block_of(l);
  const Dims s = l.shape(l.in(0));
  const Dim depth = floor_div(s[1], b * b);
  const bool column_first = l.string_of("mode", "DCR") == "CRD";
  const ValueId apart = l.reshape(l.in(0), column_first ? Dims{s[0], depth, b, b, s[2], s[3]}
                                                        : Dims{s[0], b, b, depth, s[2], s[3]});
  const Dims perm = column_first ? Dims{0, 1, 4, 2, 5, 3} : Dims{0, 3, 4, 1, 5, 2};
  l.out(0, l.reshape(transposed(l, apart, perm), {s[0], depth, s[2] * b, s[3] * b}));
}

void space_to_depth(Lower& l) {
  const std::int64_t b = block_of(l);
  const Dims s = l.shape(l.in(0));
  const Dim height = floor_div(s[2], b), width = floor_div(s[3], b);
  const ValueId apart = l.reshape(l.in(0), {s[0], s[1], height, b, width, b});
  const ValueId moved = transposed(l, apart, {0, 3, 5, 1, 2, 4});
  l.out(0, l.reshape(moved, {s[0], s[1] * b * b, height, width}));
}

constexpr std::int64_t kLargestDet = 4;

/// By the first row; `columns` are those left.
ValueId determinant(Lower& l, const std::vector<std::vector<ValueId>>& matrix, std::size_t row,
                    const std::vector<std::size_t>& columns) {
  if (columns.size() == 1) return matrix[row][columns[0]];
  ValueId sum = kNoValue;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::vector<std::size_t> rest = columns;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    const ValueId part =
        l.op(Op::Mul, {matrix[row][columns[i]], determinant(l, matrix, row + 1, rest)});
    sum = sum == kNoValue ? part : l.op(i % 2 == 0 ? Op::Add : Op::Sub, {sum, part});
  }
  return sum;
}

void det(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.size() < 2 || !shape.back().is_known() || !(shape.back() == shape[shape.size() - 2]) ||
      shape.back().value() > kLargestDet || shape.back().value() < 1) {
    l.fail("only square matrices of at most " + std::to_string(kLargestDet) +
           " rows are supported");
  }
  const Dims outer(shape.begin(), shape.end() - 2);
  const int last = static_cast<int>(shape.size()) - 1;
  std::vector<std::vector<ValueId>> matrix;
  std::vector<std::size_t> columns;
  for (std::int64_t r = 0; r < shape.back().value(); ++r) {
    const ValueId row = l.slice(x, last - 1, r, r + 1);
    columns.push_back(columns.size());
    matrix.emplace_back();
    for (std::int64_t c = 0; c < shape.back().value(); ++c) {
      matrix.back().push_back(l.reshape(l.slice(row, last, c, c + 1), outer));
    }
  }
  l.out(0, determinant(l, matrix, 0, columns));
}

constexpr Entry kTable[] = {
    {"DepthToSpace", depth_to_space},
    {"Det", det},
    {"SpaceToDepth", space_to_depth},
};

}  // namespace

std::span<const Entry> space_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
