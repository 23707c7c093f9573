// ONNX operators that reduce.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

struct Axes {
  bool none = false;  // reduce nothing
  AttributeMap attributes;
};

/// Axes are an attribute before opset 18 (13 for ReduceSum), an input since; absent or empty: all.
Axes axes_of(Lower& l, std::int64_t keepdims) {
  Axes result;
  const std::optional<std::vector<std::int64_t>> axes = l.numbers("axes", 1);
  result.attributes = {{"keepdims", keepdims}};
  if (axes && !axes->empty()) {
    result.attributes.emplace_back("axes", Dims(axes->begin(), axes->end()));
  } else {
    result.none = l.int_of("noop_with_empty_axes", 0) != 0;
  }
  return result;
}

ValueId reduced(Lower& l, Op op, ValueId x) {
  const Axes axes = axes_of(l, l.int_of("keepdims", 1));
  return axes.none ? x : l.op(op, {x}, axes.attributes);
}

template <Op kOp>
void reduce(Lower& l) {
  l.out(0, reduced(l, kOp, l.in(0)));
}

void l1(Lower& l) {
  l.out(0, reduced(l, Op::ReduceSum, l.op(Op::Abs, {l.in(0)})));
}

ValueId sum_of_squares(Lower& l) {
  return reduced(l, Op::ReduceSum, l.op(Op::Mul, {l.in(0), l.in(0)}));
}
void sum_square(Lower& l) {
  l.out(0, sum_of_squares(l));
}
void l2(Lower& l) {
  l.out(0, l.op(Op::Sqrt, {sum_of_squares(l)}));
}
void log_sum(Lower& l) {
  l.out(0, l.op(Op::Log, {reduced(l, Op::ReduceSum, l.in(0))}));
}

/// log(sum(exp(x))), shifted by the maximum so that nothing overflows.
void log_sum_exp(Lower& l) {
  const ValueId x = l.in(0);
  const Axes kept = axes_of(l, 1);
  if (kept.none) return l.out(0, x);
  const ValueId largest = l.op(Op::ReduceMax, {x}, kept.attributes);
  const ValueId shifted = l.op(Op::Exp, {l.op(Op::Sub, {x, largest})});
  const ValueId logarithm = l.op(Op::Log, {reduced(l, Op::ReduceSum, shifted)});
  l.out(0, l.op(Op::Add, {logarithm, reduced(l, Op::ReduceMax, x)}));
}

/// Before opset 13, softmax flattens the input to a matrix at its axis (default 1).
template <Op kOp>
void softmax(Lower& l) {
  const ValueId x = l.in(0);
  if (l.opset() >= 13) {
    l.out(0, l.op(kOp, {x}, {{"axis", l.int_of("axis", -1)}}));
    return;
  }
  const Dims shape = l.shape(x);
  const std::int64_t axis = l.int_of("axis", 1);
  const auto split = l.axis(axis, l.rank(x));
  if (split == l.rank(x) - 1) {
    l.out(0, l.op(kOp, {x}, {{"axis", std::int64_t{-1}}}));
    return;
  }
  const Dim rows = element_count(Dims(shape.begin(), shape.begin() + split));
  const Dim columns = element_count(Dims(shape.begin() + split, shape.end()));
  const ValueId flat = l.reshape(x, {rows, columns});
  l.out(0, l.reshape(l.op(kOp, {flat}, {{"axis", std::int64_t{-1}}}), shape));
}

template <Op kOp>
void global_pool(Lower& l) {
  Dims axes;
  for (std::int64_t i = 2; i < l.rank(l.in(0)); ++i) axes.emplace_back(i);
  l.out(0, l.op(kOp, {l.in(0)}, {{"axes", axes}}));
}

constexpr Entry kTable[] = {
    {"GlobalAveragePool", global_pool<Op::ReduceMean>},
    {"GlobalMaxPool", global_pool<Op::ReduceMax>},
    {"LogSoftmax", softmax<Op::LogSoftmax>},
    {"ReduceL1", l1},
    {"ReduceL2", l2},
    {"ReduceLogSum", log_sum},
    {"ReduceLogSumExp", log_sum_exp},
    {"ReduceMax", reduce<Op::ReduceMax>},
    {"ReduceMean", reduce<Op::ReduceMean>},
    {"ReduceMin", reduce<Op::ReduceMin>},
    {"ReduceProd", reduce<Op::ReduceProd>},
    {"ReduceSum", reduce<Op::ReduceSum>},
    {"ReduceSumSquare", sum_square},
    {"Softmax", softmax<Op::Softmax>},
};

}  // namespace

std::span<const Entry> reduction_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
