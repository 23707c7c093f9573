// ONNX operators that choose or place elements by number or by size.
#include <algorithm>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

template <Op kOp>
void arg(Lower& l) {
  const std::int64_t axis = l.axis(l.int_of("axis", 0), l.rank(l.in(0)));
  l.out(0, l.op(kOp, {l.in(0)},
                {{"axis", axis},
                 {"keepdims", l.int_of("keepdims", 1)},
                 {"last", l.int_of("select_last_index", 0)}}));
}

/// One where the largest element is first found, zero elsewhere. Before opset 13, over all axes
/// from `axis` on.
void hardmax(Lower& l) {
  ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  int axis = l.axis(l.int_of("axis", l.opset() >= 13 ? -1 : 1), l.rank(x));
  if (l.opset() < 13) {
    x = l.reshape(x, {element_count(Dims(shape.begin(), shape.begin() + axis)),
                      element_count(Dims(shape.begin() + axis, shape.end()))});
    axis = 1;
  }
  const int rank = l.rank(x);
  const ValueId place = l.op(Op::ArgMax, {x}, {{"axis", std::int64_t{axis}}});
  const ValueId all = l.positions(l.shape(x)[static_cast<std::size_t>(axis)], axis, rank);
  const ValueId hit = l.cast(l.op(Op::Eq, {all, place}), l.dtype(x));
  l.out(0, l.opset() < 13 ? l.reshape(hit, shape) : hit);
}

/// k is an attribute before opset 10, an input since.
void top_k(Lower& l) {
  const ValueId x = l.in(0);
  AttributeMap attributes = {{"axis", std::int64_t{l.axis(l.int_of("axis", -1), l.rank(x))}},
                             {"largest", l.int_of("largest", 1)}};
  std::vector<ValueId> inputs = {x};
  if (l.has_attribute("k")) {
    attributes.emplace_back("k", Dims{l.int_of("k", 0)});
  } else {
    inputs.push_back(l.in(1));
  }
  const std::vector<ValueId> parts = l.op_many(Op::TopK, inputs, 2, attributes);
  for (int i = 0; i < 2; ++i) l.out(i, parts[static_cast<std::size_t>(i)]);
}

/// Negative numbers count from the end.
ValueId wrapped(Lower& l, ValueId numbers, const Dim& size) {
  const ValueId wide = l.cast(numbers, DType::I64);
  const ValueId from_end = l.op(Op::Add, {wide, l.size(size)});
  return l.op(Op::Select, {l.op(Op::Lt, {wide, l.number(DType::I64, 0)}), from_end, wide});
}

ValueId times(Lower& l, ValueId numbers, const Dim& factor) {
  return l.op(Op::Mul, {numbers, l.size(factor)});
}

void gather_elements(Lower& l) {
  const std::int64_t axis = l.axis(l.int_of("axis", 0), l.rank(l.in(0)));
  l.out(0, l.op(Op::GatherElements, {l.in(0), l.in(1)}, {{"axis", axis}}));
}

Dims part(const Dims& shape, std::size_t begin, std::size_t end) {
  return {shape.begin() + static_cast<std::ptrdiff_t>(begin),
          shape.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Tuples along the last axis become numbers of rows: of shape[first, first + width).
ValueId row_numbers(Lower& l, ValueId tuples, const Dims& shape, std::size_t first,
                    std::size_t width) {
  const int last = l.rank(tuples) - 1;
  const Dims outer = part(l.shape(tuples), 0, static_cast<std::size_t>(last));
  ValueId sum = kNoValue;
  for (std::size_t i = 0; i < width; ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const ValueId digit = l.reshape(l.slice(tuples, last, at, at + 1), outer);
    const Dim stride = element_count(part(shape, first + i + 1, first + width));
    const ValueId number = times(l, wrapped(l, digit, shape[first + i]), stride);
    sum = sum == kNoValue ? number : l.op(Op::Add, {sum, number});
  }
  return sum;
}

std::size_t tuple_width(Lower& l, ValueId tuples, std::size_t most) {
  if (l.rank(tuples) < 1) l.fail("indices are no tuples");
  const Dim& width = l.shape(tuples).back();
  if (!width.is_known() || width.value() < 1 || width.value() > static_cast<std::int64_t>(most)) {
    l.fail("indices of shape " + to_text(l.shape(tuples)) + " do not fit the data");
  }
  return static_cast<std::size_t>(width.value());
}

void gather_nd(Lower& l) {
  const ValueId data = l.in(0);
  ValueId tuples = l.in(1);
  const Dims shape = l.shape(data), outer = l.shape(tuples);
  const auto batches = static_cast<std::size_t>(l.int_of("batch_dims", 0));
  if (batches >= shape.size() || batches >= outer.size()) l.fail("batch_dims is too large");
  const std::size_t width = tuple_width(l, tuples, shape.size() - batches);
  ValueId rows = row_numbers(l, tuples, shape, batches, width);
  const Dim count = element_count(part(shape, batches, batches + width));
  if (batches > 0) {
    const Dim batch = element_count(part(shape, 0, batches));
    Dims flat = {batch, element_count(part(outer, batches, outer.size() - 1))};
    rows = l.reshape(rows, flat);
    const ValueId base = times(l, l.positions(batch, 0, 2), count);
    rows = l.op(Op::Add, {rows, base});
  }
  const Dim total = element_count(part(shape, 0, batches + width));
  const Dims row = part(shape, batches + width, shape.size());
  const ValueId numbers = l.reshape(rows, {element_count(part(outer, 0, outer.size() - 1))});
  const ValueId table = l.reshape(data, {total, element_count(row)});
  const ValueId found = l.op(Op::Gather, {table, numbers}, {{"axis", std::int64_t{0}}});
  Dims result = part(outer, 0, outer.size() - 1);
  result.insert(result.end(), row.begin(), row.end());
  l.out(0, l.reshape(found, result));
}

/// Scatters updates [count, width] into the data seen as [rows, width].
void scatter_rows(Lower& l, ValueId data, const Dims& flat, ValueId rows, ValueId updates) {
  const Dims shape = l.shape(data);
  const Dim count = element_count(l.shape(rows));
  const ValueId result =
      l.op(Op::ScatterRows,
           {l.reshape(data, flat), l.reshape(rows, {count}), l.reshape(updates, {count, flat[1]})},
           {{"reduction", l.string_of("reduction", "none")}});
  l.out(0, l.reshape(result, shape));
}

void scatter_nd(Lower& l) {
  const ValueId data = l.in(0), tuples = l.in(1);
  const Dims shape = l.shape(data);
  const std::size_t width = tuple_width(l, tuples, shape.size());
  const ValueId rows = row_numbers(l, tuples, shape, 0, width);
  const Dims flat = {element_count(part(shape, 0, width)),
                     element_count(part(shape, width, shape.size()))};
  scatter_rows(l, data, flat, rows, l.in(2));
}

/// Each element goes to its own place, but for the axis, where the index says.
void scatter_elements(Lower& l) {
  const ValueId data = l.in(0), indices = l.in(1);
  const Dims shape = l.shape(data), outer = l.shape(indices);
  const int rank = l.rank(data), axis = l.axis(l.int_of("axis", 0), rank);
  if (outer.size() != shape.size()) l.fail("indices have another rank than the data");
  ValueId rows = kNoValue;
  for (int i = 0; i < rank; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const ValueId place =
        i == axis ? wrapped(l, indices, shape[at]) : l.positions(outer[at], i, rank);
    const ValueId number = times(l, place, element_count(part(shape, at + 1, shape.size())));
    rows = rows == kNoValue ? number : l.op(Op::Add, {rows, number});
  }
  scatter_rows(l, data, {element_count(shape), 1}, rows, l.in(2));
}

void one_hot(Lower& l) {
  const std::optional<Tensor> given = l.known(l.in(1));
  if (!given || given->count() != 1) l.fail("depth must be one known number");
  const std::int64_t depth = given->ints()[0];
  const ValueId values = l.in(2);
  Dims shape = l.shape(l.in(0));
  const int rank = static_cast<int>(shape.size()) + 1;
  const int axis = l.axis(l.int_of("axis", -1), rank);
  shape.insert(shape.begin() + axis, 1);
  const ValueId numbers = l.reshape(wrapped(l, l.in(0), depth), shape);
  const ValueId hit = l.op(Op::Eq, {l.positions(depth, axis, rank), numbers});
  const ValueId off = l.reshape(l.slice(values, 0, 0, 1), {});
  const ValueId on = l.reshape(l.slice(values, 0, 1, 2), {});
  l.out(0, l.op(Op::Select, {hit, on, off}));
}

/// Column minus row, compared with k.
void trilu(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.size() < 2) l.fail("needs a matrix, but its input is " + to_text(shape));
  std::int64_t k = 0;
  if (const auto given = l.numbers("k", 1); given && given->size() == 1) k = given->front();
  const int rank = static_cast<int>(shape.size());
  const ValueId row = l.positions(shape[shape.size() - 2], rank - 2, rank);
  const ValueId column = l.positions(shape.back(), rank - 1, rank);
  const ValueId diagonal = l.op(Op::Add, {row, l.number(DType::I64, static_cast<double>(k))});
  const ValueId kept = l.op(l.int_of("upper", 1) != 0 ? Op::Ge : Op::Le, {column, diagonal});
  l.out(0, l.op(Op::Select, {kept, x, l.scalar(x, 0)}));
}

void eye_like(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.size() != 2) l.fail("needs a matrix, but its input is " + to_text(shape));
  const DType dtype = l.has_attribute("dtype") ? l.element_type(l.int_of("dtype", 0)) : l.dtype(x);
  const ValueId k = l.number(DType::I64, static_cast<double>(l.int_of("k", 0)));
  const ValueId diagonal = l.op(Op::Add, {l.positions(shape[0], 0, 2), k});
  l.out(0, l.cast(l.op(Op::Eq, {l.positions(shape[1], 1, 2), diagonal}), dtype));
}

ValueId reversed(Lower& l, ValueId x, int axis) {
  return l.op(Op::Slice, {x},
              {{"starts", Dims{-1}},
               {"ends", Dims{std::int64_t{INT32_MIN}}},
               {"axes", Dims{axis}},
               {"steps", Dims{-1}}});
}

void cum_sum(Lower& l) {
  ValueId x = l.in(0);
  const auto given = l.numbers("axis", 1);
  if (!given || given->size() != 1) l.fail("axis must be one known number");
  const int axis = l.axis(given->front(), l.rank(x));
  const auto at = static_cast<std::size_t>(axis);
  const bool reverse = l.int_of("reverse", 0) != 0;
  if (reverse) x = reversed(l, x, axis);
  x = l.op(Op::CumSum, {x}, {{"axis", std::int64_t{axis}}});
  if (l.int_of("exclusive", 0) != 0) {
    Dims pads(2 * l.shape(x).size(), 0);
    pads[at] = 1;
    const Dim size = l.shape(x)[at];
    x = l.slice(l.op(Op::Pad, {x}, {{"pads", pads}}), axis, 0, size);
  }
  l.out(0, reverse ? reversed(l, x, axis) : x);
}

/// The first elements of each sequence backwards, the rest as it is: rows by number.
void reverse_sequence(Lower& l) {
  ValueId x = l.in(0);
  const int time = l.axis(l.int_of("time_axis", 0), l.rank(x));
  const int batch = l.axis(l.int_of("batch_axis", 1), l.rank(x));
  if (time + batch != 1) l.fail("time_axis and batch_axis are 0 and 1");
  const Dims shape = l.shape(x);
  const Dim steps = shape[static_cast<std::size_t>(time)];
  const Dim batches = shape[static_cast<std::size_t>(batch)];
  Dims lengths_shape = {1, 1};
  lengths_shape[static_cast<std::size_t>(batch)] = batches;
  const ValueId lengths = l.reshape(l.cast(l.in(1), DType::I64), lengths_shape);
  const ValueId t = l.positions(steps, time, 2), b = l.positions(batches, batch, 2);
  const ValueId back = l.op(Op::Sub, {l.op(Op::Sub, {lengths, l.number(DType::I64, 1)}), t});
  const ValueId from = l.op(Op::Select, {l.op(Op::Lt, {t, lengths}), back, t});
  const ValueId row = time == 0 ? l.op(Op::Add, {times(l, from, batches), b})
                                : l.op(Op::Add, {times(l, b, steps), from});
  const Dim count = steps * batches;
  const ValueId rows = l.reshape(x, {count, element_count(part(shape, 2, shape.size()))});
  const ValueId found =
      l.op(Op::Gather, {rows, l.reshape(row, {count})}, {{"axis", std::int64_t{0}}});
  l.out(0, l.reshape(found, shape));
}

constexpr Entry kTable[] = {
    {"ArgMax", arg<Op::ArgMax>},
    {"ArgMin", arg<Op::ArgMin>},
    {"CumSum", cum_sum},
    {"EyeLike", eye_like},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"Hardmax", hardmax},
    {"OneHot", one_hot},
    {"ReverseSequence", reverse_sequence},
    {"Scatter", scatter_elements},
    {"ScatterElements", scatter_elements},
    {"ScatterND", scatter_nd},
    {"TopK", top_k},
    {"Trilu", trilu},
};

}  // namespace

std::span<const Entry> index_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
