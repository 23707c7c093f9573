// ONNX operators on images and on single matrices.
#include <algorithm>
#include <cmath>

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

std::vector<double> known_floats(Lower& l, int input, const char* what) {
  const std::optional<Tensor> tensor = l.known(l.in(input));
  if (!tensor) l.fail(std::string(what) + " must be known");
  const std::vector<float> values = tensor->floats();
  return {values.begin(), values.end()};
}

/// Numbers of some axes become numbers of all.
template <class Number>
std::vector<Number> for_all_axes(Lower& l, const std::vector<Number>& given,
                                 std::vector<Number> result) {
  const std::vector<std::int64_t> axes = l.ints_of("axes");
  if (axes.empty()) return given;
  if (given.size() != axes.size()) l.fail("has not one number for each of its axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    result[static_cast<std::size_t>(l.axis(axes[i], static_cast<int>(result.size())))] = given[i];
  }
  return result;
}

/// Sizes that keep the proportions of the axes resized.
Dims in_proportion(Lower& l, const Dims& shape, const Dims& sizes, bool within) {
  std::vector<std::int64_t> axes = l.ints_of("axes");
  for (std::int64_t i = 0; axes.empty() && i < static_cast<std::int64_t>(shape.size()); ++i) {
    axes.push_back(i);
  }
  std::optional<double> scale;
  for (const std::int64_t axis : axes) {
    const auto at = static_cast<std::size_t>(l.axis(axis, static_cast<int>(shape.size())));
    if (!shape[at].is_known() || !sizes[at].is_known())
      l.fail("keeps proportions of known sizes only");
    const double own =
        static_cast<double>(sizes[at].value()) / static_cast<double>(shape[at].value());
    scale = !scale ? own : within ? std::min(*scale, own) : std::max(*scale, own);
  }
  Dims result = shape;
  for (const std::int64_t axis : axes) {
    const auto at = static_cast<std::size_t>(l.axis(axis, static_cast<int>(shape.size())));
    result[at] = static_cast<std::int64_t>(
        std::floor(*scale * static_cast<double>(shape[at].value()) + 0.5));
  }
  return result;
}

void resize(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  const bool old = l.opset() < 11;  // inputs are x and scales
  const std::string mode = l.string_of("mode", "nearest");
  AttributeMap attributes = {
      {"mode", mode == "bilinear" ? std::string("linear") : mode},
      {"coordinates",
       l.string_of("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel")},
      {"nearest", l.string_of("nearest_mode", old ? "floor" : "round_prefer_floor")},
      {"cubic", l.float_of("cubic_coeff_a", -0.75)},
      {"exclude", l.int_of("exclude_outside", 0)},
      {"antialias", l.int_of("antialias", 0)},
      {"extrapolation", l.float_of("extrapolation_value", 0)}};
  const auto empty = [&](int input) {
    return !l.has(input) || (l.rank(l.in(input)) == 1 && l.shape(l.in(input))[0].is(0));
  };
  if (!old && !empty(1) &&
      l.string_of("coordinate_transformation_mode", "") == "tf_crop_and_resize") {
    std::vector<double> region = known_floats(l, 1, "roi"), all(2 * shape.size(), 0);
    std::fill(all.begin() + static_cast<std::ptrdiff_t>(shape.size()), all.end(), 1.0);
    const std::vector<std::int64_t> axes = l.ints_of("axes");
    if (region.size() != 2 * (axes.empty() ? shape.size() : axes.size())) {
      l.fail("roi has not two numbers for each axis");
    }
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto at = static_cast<std::size_t>(l.axis(axes[i], static_cast<int>(shape.size())));
      all[at] = region.at(i);
      all[at + shape.size()] = region.at(i + axes.size());
    }
    attributes.emplace_back("roi", axes.empty() ? region : all);
  }
  const int scales = old ? 1 : 2;
  if (!empty(scales)) {
    attributes.emplace_back("scales", for_all_axes(l, known_floats(l, scales, "scales"),
                                                   std::vector<double>(shape.size(), 1)));
    return l.out(0, l.op(Op::Resize, {x}, attributes));
  }
  if (empty(3)) l.fail("needs scales or sizes");
  const std::optional<Dims> given = l.contents(l.in(3));
  if (!given) l.fail("sizes must be known");
  Dims sizes = for_all_axes(l, *given, shape);
  const std::string policy = l.string_of("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") sizes = in_proportion(l, shape, sizes, policy == "not_larger");
  attributes.emplace_back("sizes", sizes);
  l.out(0, l.op(Op::Resize, {x}, attributes));
}

/// Scales are an attribute before opset 9, an input since.
void upsample(Lower& l) {
  const std::string mode = l.string_of("mode", "nearest");
  std::vector<double> scales;
  if (l.has_attribute("width_scale")) {
    scales = {1, 1, l.float_of("height_scale", 1), l.float_of("width_scale", 1)};
  } else if (l.has_attribute("scales")) {
    const std::vector<float> given = l.floats_of("scales");
    scales.assign(given.begin(), given.end());
  } else {
    scales = known_floats(l, 1, "scales");
  }
  l.out(0, l.op(Op::Resize, {l.in(0)},
                {{"mode", mode == "bilinear" ? std::string("linear") : mode},
                 {"coordinates", std::string("asymmetric")},
                 {"nearest", std::string("floor")},
                 {"scales", scales}}));
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
    {"DepthToSpace", depth_to_space}, {"Det", det},           {"Resize", resize},
    {"SpaceToDepth", space_to_depth}, {"Upsample", upsample},
};

}  // namespace

std::span<const Entry> space_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
