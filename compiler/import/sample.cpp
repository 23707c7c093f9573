// ONNX operators that read images at computed places: the places are elementwise arithmetic, the
// elements are gathered.
#include <array>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// Elementwise arithmetic in one type with numbers on the right.
struct Numbers {
  Lower& l;
  ValueId add(ValueId a, ValueId b) { return l.op(Op::Add, {a, b}); }
  ValueId plus(ValueId a, double b) { return l.op(Op::Add, {a, l.scalar(a, b)}); }
  ValueId sub(ValueId a, ValueId b) { return l.op(Op::Sub, {a, b}); }
  ValueId mul(ValueId a, ValueId b) { return l.op(Op::Mul, {a, b}); }
  ValueId times(ValueId a, double b) { return l.op(Op::Mul, {a, l.scalar(a, b)}); }
  ValueId floor(ValueId a) { return l.op(Op::Floor, {a}); }
  ValueId clamp(ValueId a, ValueId low, ValueId high) {
    return l.op(Op::Min, {l.op(Op::Max, {a, low}), high});
  }
};

/// One axis of an image, in f32.
struct Axis {
  ValueId size = kNoValue, last = kNoValue, zero = kNoValue;
};

class GridSampler {
 public:
  explicit GridSampler(Lower& l)
      : l_(l),
        n_{l},
        mode_(l.string_of("mode", "bilinear")),
        padding_(l.string_of("padding_mode", "zeros")),
        corners_(l.int_of("align_corners", 0) != 0) {}

  void run() {
    const ValueId x = l_.in(0), grid = l_.in(1);
    const Dims s = l_.shape(x), g = l_.shape(grid);
    if (s.size() != 4 || g.size() != 4 || !g[3].is(2)) l_.fail("samples images [N, C, H, W]");
    if (padding_ != "zeros" && padding_ != "border" && padding_ != "reflection") {
      l_.fail("padding_mode '" + padding_ + "' is not known");
    }
    points_ = {s[0], 1, g[1] * g[2]};
    channels_ = {s[0], s[1], g[1] * g[2]};
    image_ = l_.reshape(x, {s[0], s[1], s[2] * s[3]});
    column_ = axis(s[3]);
    row_ = axis(s[2]);
    const ValueId at_x = place(grid, 0, column_), at_y = place(grid, 1, row_);
    ValueId result = kNoValue;
    if (mode_ == "nearest") {
      result = read(l_.op(Op::Round, {at_x}), l_.op(Op::Round, {at_y}));
    } else if (mode_ == "bilinear" || mode_ == "linear") {
      result = weighted(at_x, at_y, linear(at_x), linear(at_y), 0);
    } else if (mode_ == "bicubic" || mode_ == "cubic") {
      result = weighted(at_x, at_y, cubic(at_x), cubic(at_y), -1);
    } else {
      l_.fail("mode '" + mode_ + "' is not known");
    }
    l_.out(0, l_.reshape(l_.cast(result, l_.dtype(x)), {s[0], s[1], g[1], g[2]}));
  }

 private:
  Axis axis(const Dim& size) {
    Axis axis;
    axis.size = l_.cast(l_.size(size), DType::F32);
    axis.last = n_.plus(axis.size, -1);
    axis.zero = l_.number(DType::F32, 0);
    return axis;
  }

  /// -1..1 of the grid becomes a place between elements.
  ValueId place(ValueId grid, int which, const Axis& along) {
    const ValueId given = l_.reshape(l_.slice(grid, 3, which, which + 1), points_);
    const ValueId from_zero = n_.plus(l_.cast(given, DType::F32), 1);
    const ValueId at = corners_ ? n_.times(n_.mul(from_zero, along.last), 0.5)
                                : n_.times(n_.plus(n_.mul(from_zero, along.size), -1), 0.5);
    return is_cubic() || padding_ == "zeros" ? at : inside(at, along);
  }
  [[nodiscard]] bool is_cubic() const { return mode_ == "bicubic" || mode_ == "cubic"; }

  /// On the image, by the padding mode.
  ValueId inside(ValueId at, const Axis& along) {
    if (padding_ == "border") return n_.clamp(at, along.zero, along.last);
    // Reflected at the centres or at the edges of the outermost elements.
    const double edge = corners_ ? 0 : 0.5;
    const ValueId range = corners_ ? along.last : along.size;
    const ValueId distance = l_.op(Op::Abs, {n_.plus(at, edge)});
    const ValueId safe = l_.op(Op::Max, {range, l_.scalar(range, 1e-6)});
    const ValueId turns = n_.floor(l_.op(Op::Div, {distance, safe}));
    const ValueId rest = n_.sub(distance, n_.mul(turns, safe));
    const ValueId even = l_.op(Op::Eq, {turns, n_.times(n_.floor(n_.times(turns, 0.5)), 2)});
    const ValueId turned = l_.op(Op::Select, {even, rest, n_.sub(safe, rest)});
    return n_.clamp(n_.plus(turned, -edge), along.zero, along.last);
  }

  /// The elements at whole places, or zero outside.
  ValueId read(ValueId x, ValueId y) {
    if (is_cubic() && padding_ != "zeros") {
      x = inside(x, column_);
      y = inside(y, row_);
    }
    const ValueId at_x = n_.clamp(x, column_.zero, column_.last);
    const ValueId at_y = n_.clamp(y, row_.zero, row_.last);
    const auto whole = [&](ValueId a) { return l_.cast(a, DType::I32); };
    const ValueId number = n_.add(n_.mul(whole(at_y), whole(column_.size)), whole(at_x));
    const ValueId all = l_.op(Op::Expand, {number}, {{"shape", channels_}});
    const ValueId found =
        l_.cast(l_.op(Op::GatherElements, {image_, all}, {{"axis", std::int64_t{2}}}), DType::F32);
    if (padding_ != "zeros") return found;
    const ValueId on_image = l_.op(Op::And, {l_.op(Op::Eq, {x, at_x}), l_.op(Op::Eq, {y, at_y})});
    return l_.op(Op::Select, {on_image, found, l_.scalar(found, 0)});
  }

  std::vector<ValueId> linear(ValueId at) {
    const ValueId part = n_.sub(at, n_.floor(at));
    return {n_.plus(n_.times(part, -1), 1), part};
  }
  /// Weights of the four neighbours, with a = -0.75.
  std::vector<ValueId> cubic(ValueId at) {
    constexpr double a = -0.75;
    const ValueId part = n_.sub(at, n_.floor(at));
    const auto near = [&](ValueId d) {  // ((a + 2) d - (a + 3)) d^2 + 1
      return n_.plus(n_.mul(n_.mul(n_.plus(n_.times(d, a + 2), -(a + 3)), d), d), 1);
    };
    const auto far = [&](ValueId d) {  // ((d - 5) d + 8) d a - 4 a
      return n_.plus(n_.times(n_.mul(n_.plus(n_.mul(n_.plus(d, -5), d), 8), d), a), -4 * a);
    };
    const ValueId other = n_.plus(n_.times(part, -1), 1);
    return {far(n_.plus(part, 1)), near(part), near(other), far(n_.plus(other, 1))};
  }

  ValueId weighted(ValueId at_x, ValueId at_y, const std::vector<ValueId>& by_x,
                   const std::vector<ValueId>& by_y, int first) {
    const ValueId x = n_.floor(at_x), y = n_.floor(at_y);
    ValueId sum = kNoValue;
    for (std::size_t j = 0; j < by_y.size(); ++j) {
      for (std::size_t i = 0; i < by_x.size(); ++i) {
        const ValueId value = read(n_.plus(x, first + static_cast<double>(i)),
                                   n_.plus(y, first + static_cast<double>(j)));
        const ValueId part = n_.mul(value, n_.mul(by_x[i], by_y[j]));
        sum = sum == kNoValue ? part : n_.add(sum, part);
      }
    }
    return sum;
  }

  Lower& l_;
  Numbers n_;
  std::string mode_, padding_;
  bool corners_;
  Dims points_{}, channels_{};  // [N, 1, points] and [N, C, points]
  ValueId image_ = kNoValue;
  Axis column_{}, row_{};
};

void grid_sample(Lower& l) {
  GridSampler(l).run();
}

/// Both neighbours of a place along one axis, and their weights; outside of the image by more than
/// one element there is nothing.
struct Neighbours {
  std::array<ValueId, 2> at{}, weight{};
};

Neighbours neighbours(Lower& l, ValueId place, const Dim& size) {
  Numbers n{l};
  const ValueId count = l.cast(l.size(size), DType::F32), last = n.plus(count, -1);
  const ValueId from_zero = l.op(Op::Max, {place, l.scalar(place, 0)});
  const ValueId low = l.op(Op::Min, {n.floor(from_zero), last});
  const ValueId at = l.op(Op::Min, {from_zero, last});
  const ValueId part = n.sub(at, low);
  const ValueId on_image = l.cast(
      l.op(Op::And, {l.op(Op::Ge, {place, l.scalar(place, -1)}), l.op(Op::Le, {place, count})}),
      DType::F32);
  Neighbours result;
  result.at = {low, l.op(Op::Min, {n.plus(low, 1), last})};
  result.weight = {n.mul(n.plus(n.times(part, -1), 1), on_image), n.mul(part, on_image)};
  return result;
}

void roi_align(Lower& l) {
  Numbers n{l};
  const ValueId x = l.in(0), rois = l.cast(l.in(1), DType::F32);
  const Dims s = l.shape(x);
  const Dim count = l.shape(rois)[0];
  const std::int64_t height = l.int_of("output_height", 1), width = l.int_of("output_width", 1);
  const std::int64_t samples = l.int_of("sampling_ratio", 0);
  if (samples < 1) l.fail("the number of samples depends on data; give a sampling_ratio");
  const std::string how = l.string_of("mode", "avg");
  if (how != "avg" && how != "max") l.fail("mode '" + how + "' is not known");
  const double scale = l.float_of("spatial_scale", 1);
  const bool half =
      l.string_of("coordinate_transformation_mode",
                  l.opset() >= 16 ? "half_pixel" : "output_half_pixel") == "half_pixel";
  const auto corner = [&](int which) {
    const ValueId raw = l.slice(rois, 1, which, which + 1);
    return n.plus(n.times(raw, scale), half ? -0.5 : 0);
  };
  // [rois, cells * samples] places along an axis.
  const auto places = [&](int first, std::int64_t cells) {
    const ValueId begin = corner(first);
    ValueId length = n.sub(corner(first + 2), begin);
    if (!half) length = l.op(Op::Max, {length, l.scalar(length, 1)});
    const ValueId step = n.times(length, 1.0 / static_cast<double>(cells * samples));
    const ValueId number = l.cast(l.positions(cells * samples, 1, 2), DType::F32);
    return n.add(begin, n.mul(n.plus(number, 0.5), step));
  };
  const Dim rows = height * samples, columns = width * samples;
  const Neighbours down = neighbours(l, l.reshape(places(1, height), {count, rows, 1}), s[2]);
  const Neighbours across = neighbours(l, l.reshape(places(0, width), {count, 1, columns}), s[3]);
  const ValueId pixels =
      l.reshape(l.op(Op::Transpose, {x}, {{"perm", Dims{0, 2, 3, 1}}}), {s[0] * s[2] * s[3], s[1]});
  const auto whole = [&](ValueId a) { return l.cast(a, DType::I64); };
  const ValueId image = n.mul(l.reshape(whole(l.in(2)), {count, 1, 1}), l.size(s[2] * s[3]));
  const Dims cells = {count, height, samples, width, samples, s[1]};
  ValueId result = kNoValue;
  for (std::size_t j = 0; j < 2; ++j) {
    for (std::size_t i = 0; i < 2; ++i) {
      const ValueId in_row = n.mul(whole(down.at[j]), l.size(s[3]));
      const ValueId number = n.add(n.add(image, in_row), whole(across.at[i]));
      const ValueId found = l.op(Op::Gather, {pixels, l.reshape(number, {count * rows * columns})},
                                 {{"axis", std::int64_t{0}}});
      const ValueId weight =
          l.reshape(n.mul(down.weight[j], across.weight[i]), {count * rows * columns, 1});
      const ValueId part = n.mul(found, l.cast(weight, l.dtype(x)));
      result = result == kNoValue ? part : l.op(how == "avg" ? Op::Add : Op::Max, {result, part});
    }
  }
  const ValueId pooled =
      l.op(how == "avg" ? Op::ReduceMean : Op::ReduceMax, {l.reshape(result, cells)},
           {{"axes", Dims{2, 4}}, {"keepdims", std::int64_t{0}}});
  l.out(0, l.op(Op::Transpose, {pooled}, {{"perm", Dims{0, 3, 1, 2}}}));
}

constexpr Entry kTable[] = {
    {"GridSample", grid_sample},
    {"RoiAlign", roi_align},
};

}  // namespace

std::span<const Entry> sample_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
