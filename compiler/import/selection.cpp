// ONNX operators whose results are as large as the data say: the device computes what has a known
// size, and a small host operator picks.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

ValueId indices_of(Lower& l, ValueId x) {
  const bool is_mask = l.dtype(x) == DType::Bool;
  return l.op(Op::NonZero, {is_mask ? x : l.op(Op::Ne, {x, l.scalar(x, 0)})});
}

void nonzero(Lower& l) {
  if (l.rank(l.in(0)) == 0) l.fail("takes no scalar");
  l.out(0, indices_of(l, l.in(0)));
}

/// The rows whose condition holds; without an axis, the elements.
void compress(Lower& l) {
  ValueId x = l.in(0);
  std::int64_t axis = 0;
  if (l.has_attribute("axis")) {
    axis = l.axis(l.int_of("axis", 0), l.rank(x));
  } else {
    x = l.reshape(x, {element_count(l.shape(x))});
  }
  if (l.rank(l.in(1)) != 1) l.fail("its condition is no vector");
  const ValueId found = indices_of(l, l.in(1));
  const ValueId rows = l.reshape(found, {l.shape(found)[1]});
  l.out(0, l.op(Op::Gather, {x, rows}, {{"axis", axis}}));
}

/// Coordinates of boxes [b, n, 4], each [b, n, 1]: least and greatest of both axes.
struct Corners {
  ValueId low[2], high[2];
};

Corners corners_of(Lower& l, ValueId boxes) {
  const auto column = [&](std::int64_t at) {
    return l.op(Op::Slice, {boxes},
                {{"starts", Dims{at}}, {"ends", Dims{at + 1}}, {"axes", Dims{2}}});
  };
  Corners corners{};
  for (std::int64_t i = 0; i < 2; ++i) {
    if (l.int_of("center_point_box", 0) != 0) {  // x, y, width, height
      const ValueId center = column(i);
      const ValueId half = l.op(Op::Mul, {column(i + 2), l.scalar(boxes, 0.5)});
      corners.low[i] = l.op(Op::Sub, {center, half});
      corners.high[i] = l.op(Op::Add, {center, half});
    } else {  // two diagonal corners, in any order
      corners.low[i] = l.op(Op::Min, {column(i), column(i + 2)});
      corners.high[i] = l.op(Op::Max, {column(i), column(i + 2)});
    }
  }
  return corners;
}

/// [b, n, n]: do the two boxes overlap by more than the threshold?
ValueId overlaps(Lower& l, ValueId boxes, ValueId threshold) {
  const Corners corners = corners_of(l, boxes);
  const Dims across = {l.shape(boxes)[0], 1, l.shape(boxes)[1]};
  ValueId area = kNoValue, common = kNoValue;
  for (int i = 0; i < 2; ++i) {
    const ValueId size = l.op(Op::Sub, {corners.high[i], corners.low[i]});
    const ValueId high = l.op(Op::Min, {corners.high[i], l.reshape(corners.high[i], across)});
    const ValueId low = l.op(Op::Max, {corners.low[i], l.reshape(corners.low[i], across)});
    const ValueId length = l.op(Op::Relu, {l.op(Op::Sub, {high, low})});
    area = i == 0 ? size : l.op(Op::Mul, {area, size});
    common = i == 0 ? length : l.op(Op::Mul, {common, length});
  }
  const ValueId sum = l.op(Op::Add, {area, l.reshape(area, across)});
  const ValueId joint = l.op(Op::Sub, {sum, common});
  return l.op(Op::Gt, {common, l.op(Op::Mul, {joint, threshold})});
}

void non_max_suppression(Lower& l) {
  const ValueId boxes = l.in(0), scores = l.in(1);
  if (l.rank(boxes) != 3 || l.rank(scores) != 3) {
    l.fail("takes boxes [batch, n, 4] and scores [batch, classes, n]");
  }
  const ValueId threshold = l.has(3) ? l.in(3) : l.scalar(boxes, 0);
  l.out(0, l.op(Op::NonMaxSuppression,
                {scores, overlaps(l, boxes, threshold), l.in_or_none(2), l.in_or_none(4)}));
}

constexpr Entry kTable[] = {
    {"Compress", compress}, {"NonMaxSuppression", non_max_suppression}, {"NonZero", nonzero}};

}  // namespace

std::span<const Entry> selection_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
