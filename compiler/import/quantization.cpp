// ONNX's integer operators. The cube multiplies signed bytes: unsigned ones, and their zero points,
// are moved down by 128. With a = x - zx and b = w - zw, the sum of a * b is the sum of x * w less
// zx times the sum of w, less zw times the sum of x, plus zx * zw for each pair; zero points that
// are known to be 0 cost nothing. Padding is the zero point, so in those sums it does not count.
#include <algorithm>
#include <optional>

#include "compiler/import/windows.h"

namespace dvmsim::onnx_import {
namespace {

ValueId cast(Lower& l, ValueId x, DType to) {
  return l.dtype(x) == to ? x : l.folded(Op::Cast, {x}, {{"to", to}});
}

/// Is the value known to be nothing but zeros?
bool is_zero(Lower& l, ValueId id) {
  if (id == kNoValue) return true;
  const Tensor* tensor = l.tensor_behind(id);
  if (tensor == nullptr) return false;
  const std::vector<float> values = tensor->floats();
  return std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
}

/// A tensor as signed bytes, and its zero point (I32, kNoValue if it is 0) moved along.
struct Signed {
  ValueId bytes = kNoValue, zero = kNoValue;
};

/// What signed_bytes() made of signed bytes is taken back to those.
std::optional<ValueId> bytes_behind(Lower& l, ValueId x) {
  const Node* narrow = l.producer_of(x);
  if (narrow == nullptr || narrow->op != Op::Cast) return std::nullopt;
  const Node* sum = l.producer_of(narrow->inputs[0]);
  if (sum == nullptr || sum->op != Op::Add) return std::nullopt;
  const Node* wide = l.producer_of(sum->inputs[0]);
  const Tensor* by = l.tensor_behind(sum->inputs[1]);
  if (wide == nullptr || wide->op != Op::Cast || by == nullptr || by->count() != 1) {
    return std::nullopt;
  }
  const bool moved = by->floats()[0] == 128 && l.dtype(wide->inputs[0]) == DType::I8;
  return moved ? std::optional(wide->inputs[0]) : std::nullopt;
}

Signed signed_bytes(Lower& l, ValueId x, ValueId zero) {
  if (l.dtype(x) == DType::I8) {
    return {x, is_zero(l, zero) ? kNoValue : cast(l, zero, DType::I32)};
  }
  if (l.dtype(x) != DType::U8) l.fail("takes int8 and uint8 only");
  const ValueId by = l.number(DType::I32, 128);
  Signed made;
  if (const auto known = bytes_behind(l, x)) {
    made.bytes = *known;
  } else {
    made.bytes = cast(l, l.folded(Op::Sub, {cast(l, x, DType::I32), by}), DType::I8);
  }
  const ValueId wide = zero == kNoValue ? l.number(DType::I32, 0) : cast(l, zero, DType::I32);
  made.zero = l.folded(Op::Sub, {wide, by});
  if (is_zero(l, made.zero)) made.zero = kNoValue;
  return made;
}

/// A list of numbers along one axis of a tensor of this rank; others as they are.
ValueId along(Lower& l, ValueId list, std::int64_t axis, int rank) {
  if (l.rank(list) != 1 || l.shape(list)[0].is(1)) {
    return l.rank(list) == 1 ? l.folded(Op::Reshape, {list}, {{"shape", Dims{}}}) : list;
  }
  Dims shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(l.axis(axis, rank))] = l.shape(list)[0];
  return l.folded(Op::Reshape, {list}, {{"shape", shape}});
}

ValueId less(Lower& l, ValueId sum, ValueId factor, ValueId times) {
  return l.op(Op::Sub, {sum, l.folded(Op::Mul, {factor, times})});
}

/// A quotient rounded once: by a divisor of the same shape, since one that repeats is inverted.
ValueId quotient(Lower& l, ValueId x, ValueId scale) {
  return l.op(Op::Div, {x, l.op(Op::Expand, {scale}, {{"shape", l.shape(x)}})});
}

/// Integers of type `to`: half to even, plus the zero point, saturated.
ValueId quantised(Lower& l, ValueId value, ValueId zero, DType to) {
  ValueId y = l.folded(Op::Round, {value});
  if (!is_zero(l, zero)) y = l.folded(Op::Add, {y, cast(l, zero, DType::F32)});
  y = l.folded(Op::Max, {y, l.number(DType::F32, to == DType::U8 ? 0 : -128)});
  y = l.folded(Op::Min, {y, l.number(DType::F32, to == DType::U8 ? 255 : 127)});
  return cast(l, y, to);
}

ValueId product(Lower& l, ValueId a, ValueId b, ValueId zero_a, ValueId zero_b) {
  if (l.rank(a) < 2 || l.rank(b) < 2) l.fail("multiplies matrices");
  const Signed x = signed_bytes(l, a, zero_a), w = signed_bytes(l, b, zero_b);
  const DType wide = DType::I32;
  ValueId sum = l.op(Op::MatMul, {x.bytes, w.bytes}, {{"to", wide}});
  const auto totals = [&](ValueId bytes, std::int64_t axis) {
    return l.folded(Op::ReduceSum, {cast(l, bytes, wide)}, {{"axes", as_dims({axis})}});
  };
  const ValueId zx = x.zero == kNoValue ? kNoValue : along(l, x.zero, -2, 2);
  const ValueId zw = w.zero == kNoValue ? kNoValue : along(l, w.zero, -1, 2);
  if (zx != kNoValue) sum = less(l, sum, zx, totals(w.bytes, -2));
  if (zw != kNoValue) sum = less(l, sum, zw, totals(x.bytes, -1));
  if (zx == kNoValue || zw == kNoValue) return sum;
  const Dim depth = l.shape(a).back();
  if (!depth.is_known()) l.fail("the inner dimension is not known");
  const ValueId pairs = l.number(wide, static_cast<double>(depth.value()));
  return l.op(Op::Add, {sum, l.folded(Op::Mul, {l.folded(Op::Mul, {zx, zw}), pairs})});
}

ValueId ones(Lower& l, const Dims& shape) {
  const ValueId one = l.number(DType::I8, 1);
  return l.folded(Op::Expand, {one}, {{"shape", shape}});
}

/// The convolution of bytes less their zero points.
ValueId convolution(Lower& l, ValueId a, ValueId b, ValueId zero_a, ValueId zero_b) {
  AttributeMap attributes = conv_attributes(l, a, b);
  attributes.emplace_back("to", DType::I32);
  const std::int64_t groups = l.int_of("group", 1);
  const Signed x = signed_bytes(l, a, zero_a), w = signed_bytes(l, b, zero_b);
  ValueId sum = l.op(Op::Conv, {x.bytes, w.bytes}, attributes);
  const auto zero = [&](ValueId list) {
    return list == kNoValue ? kNoValue : along(l, list, 1, l.rank(a));
  };
  const ValueId zx = zero(x.zero), zw = zero(w.zero);
  Dims map = l.shape(a), kernel = l.shape(b);
  map[0] = 1;
  if (groups == 1) kernel[0] = 1;
  if (zx != kNoValue) {
    sum = less(l, sum, zx, l.folded(Op::Conv, {ones(l, map), w.bytes}, attributes));
  }
  if (zw != kNoValue) {
    sum = less(l, sum, zw, l.op(Op::Conv, {x.bytes, ones(l, kernel)}, attributes));
  }
  if (zx == kNoValue || zw == kNoValue) return sum;
  const ValueId pairs = l.folded(Op::Conv, {ones(l, map), ones(l, kernel)}, attributes);
  return l.op(Op::Add, {sum, l.folded(Op::Mul, {l.folded(Op::Mul, {zx, zw}), pairs})});
}

void matmul_integer(Lower& l) {
  l.out(0, product(l, l.in(0), l.in(1), l.in_or_none(2), l.in_or_none(3)));
}

void conv_integer(Lower& l) {
  l.out(0, convolution(l, l.in(0), l.in(1), l.in_or_none(2), l.in_or_none(3)));
}

/// x * y / z of scales, in f32.
ValueId combined(Lower& l, ValueId x, ValueId y, ValueId z) {
  const auto scalar = [&](ValueId id) { return along(l, cast(l, id, DType::F32), 0, 1); };
  return l.folded(Op::Div, {l.folded(Op::Mul, {scalar(x), y}), scalar(z)});
}

void qlinear_matmul(Lower& l) {
  const ValueId sum = product(l, l.in(0), l.in(3), l.in(2), l.in(5));
  const ValueId by_column = along(l, cast(l, l.in(4), DType::F32), -1, 2);
  const ValueId scale = combined(l, l.in(1), by_column, l.in(6));
  const ValueId value = l.op(Op::Mul, {cast(l, sum, DType::F32), scale});
  l.out(0, quantised(l, value, along(l, l.in(7), 0, 1), l.dtype(l.in(7))));
}

/// Everything but the map is known and the weights are symmetric: FixPipe makes the result.
bool qlinear_conv_in_fixpipe(Lower& l) {
  for (int input : {1, 2, 3, 4, 5, 6, 7}) {
    if (l.tensor_behind(l.in(input)) == nullptr) return false;
  }
  if (l.has(8) && l.tensor_behind(l.in(8)) == nullptr) return false;
  const Signed x = signed_bytes(l, l.in(0), l.in(2)), w = signed_bytes(l, l.in(3), l.in(5));
  if (w.zero != kNoValue) return false;
  AttributeMap attributes = conv_attributes(l, l.in(0), l.in(3));
  const std::int64_t outputs = l.tensor_behind(w.bytes)->shape()[0];
  ValueId bias = l.in_or_none(8);
  if (x.zero != kNoValue) {
    const std::int64_t zero = l.tensor_behind(x.zero)->ints()[0];
    attributes.emplace_back("fill", zero);
    Dims axes;
    for (int i = 1; i < l.rank(w.bytes); ++i) axes.emplace_back(i);
    const ValueId totals = l.folded(Op::ReduceSum, {cast(l, w.bytes, DType::I32)},
                                    {{"axes", axes}, {"keepdims", std::int64_t{0}}});
    const ValueId moved =
        l.folded(Op::Mul, {totals, l.number(DType::I32, -static_cast<double>(zero))});
    bias = bias == kNoValue ? moved : l.folded(Op::Add, {moved, bias});
  }
  ValueId scale = combined(l, l.in(1), along(l, cast(l, l.in(4), DType::F32), 0, 1), l.in(6));
  scale = l.folded(Op::Expand, {scale}, {{"shape", as_dims({outputs})}});
  // Unsigned results leave as signed ones, which is how the next operator takes them.
  const bool moves = l.dtype(l.in(7)) == DType::U8;
  const std::int64_t offset = l.tensor_behind(l.in(7))->ints()[0] - (moves ? 128 : 0);
  attributes.emplace_back("offset", offset);
  attributes.emplace_back("to", DType::I8);
  const ValueId y = l.op(Op::Conv, {x.bytes, w.bytes, bias, scale}, attributes);
  if (!moves) return l.out(0, y), true;
  const ValueId wide = l.op(Op::Add, {cast(l, y, DType::I32), l.number(DType::I32, 128)});
  l.out(0, cast(l, wide, DType::U8));
  return true;
}

void qlinear_conv(Lower& l) {
  if (qlinear_conv_in_fixpipe(l)) return;
  ValueId sum = convolution(l, l.in(0), l.in(3), l.in(2), l.in(5));
  const int rank = l.rank(sum);
  if (l.has(8)) sum = l.op(Op::Add, {sum, along(l, l.in(8), 1, rank)});
  const ValueId scale =
      combined(l, l.in(1), along(l, cast(l, l.in(4), DType::F32), 1, rank), l.in(6));
  const ValueId value = l.op(Op::Mul, {cast(l, sum, DType::F32), scale});
  l.out(0, quantised(l, value, along(l, l.in(7), 0, 1), l.dtype(l.in(7))));
}

void quantize(Lower& l) {
  const ValueId x = cast(l, l.in(0), DType::F32);
  const ValueId zero = l.in_or_none(2);
  const DType to = zero == kNoValue ? DType::U8 : l.dtype(zero);
  if (to != DType::U8 && to != DType::I8) l.fail("makes int8 and uint8 only");
  const std::int64_t axis = l.int_of("axis", 1);
  const auto shaped = [&](ValueId id) { return along(l, id, axis, l.rank(x)); };
  const ValueId value = quotient(l, x, shaped(cast(l, l.in(1), DType::F32)));
  l.out(0, quantised(l, value, zero == kNoValue ? zero : shaped(zero), to));
}

/// Matrices of bytes stay bytes in memory, as weights are: each run makes numbers of them, in the
/// launch of the product that reads them if that pays. Other constants become numbers here.
void dequantize(Lower& l) {
  const ValueId x = l.in(0), zero = l.in_or_none(2), scale = l.in(1);
  const std::int64_t axis = l.int_of("axis", 1);
  const DType to = l.dtype(scale);
  const bool bytes = size_of(l.dtype(x)) == 1;
  const bool stays = bytes && l.rank(x) == 2;
  const auto apply = [&](Op op, std::vector<ValueId> inputs, AttributeMap attributes = {}) {
    return stays ? l.op(op, std::move(inputs), std::move(attributes))
                 : l.folded(op, std::move(inputs), std::move(attributes));
  };
  const auto shaped = [&](ValueId id) { return along(l, id, axis, l.rank(x)); };
  // Differences of bytes are exact in all but BF16.
  const DType exact = !bytes ? DType::I32 : to == DType::BF16 ? DType::F32 : to;
  ValueId value = l.dtype(x) == exact ? x : apply(Op::Cast, {x}, {{"to", exact}});
  if (!is_zero(l, zero)) value = apply(Op::Sub, {value, shaped(cast(l, zero, exact))});
  const DType product = exact == DType::I32 ? DType::F32 : exact;
  if (exact != product) value = apply(Op::Cast, {value}, {{"to", product}});
  value = apply(Op::Mul, {value, shaped(cast(l, scale, product))});
  l.out(0, product == to ? value : apply(Op::Cast, {value}, {{"to", to}}));
}

void dynamic_quantize(Lower& l) {
  const ValueId x = l.in(0);
  const ValueId none = l.number(DType::F32, 0), steps = l.number(DType::F32, 255);
  const AttributeMap whole = {{"keepdims", std::int64_t{0}}};
  const ValueId low = l.op(Op::Min, {l.op(Op::ReduceMin, {x}, whole), none});
  const ValueId high = l.op(Op::Max, {l.op(Op::ReduceMax, {x}, whole), none});
  ValueId scale = l.op(Op::Div, {l.op(Op::Sub, {high, low}), steps});
  // Nothing but zeros: any scale will do.
  const ValueId flat = l.op(Op::Eq, {scale, none});
  scale = l.op(Op::Select, {flat, l.number(DType::F32, 1), scale});
  const ValueId zero =
      quantised(l, l.op(Op::Div, {l.op(Op::Sub, {none, low}), scale}), kNoValue, DType::U8);
  l.out(0, quantised(l, quotient(l, x, scale), zero, DType::U8));
  l.out(1, scale);
  l.out(2, zero);
}

constexpr Entry kTable[] = {{"ConvInteger", conv_integer},
                            {"DequantizeLinear", dequantize},
                            {"DynamicQuantizeLinear", dynamic_quantize},
                            {"MatMulInteger", matmul_integer},
                            {"QLinearConv", qlinear_conv},
                            {"QLinearMatMul", qlinear_matmul},
                            {"QuantizeLinear", quantize}};

}  // namespace

std::span<const Entry> quantization_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
