// ONNX operators that reduce, and the normalisations.
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

void layer_norm(Lower& l) {
  const ValueId x = l.in(0);
  const std::int64_t axis = l.axis(l.int_of("axis", -1), l.rank(x));
  const double epsilon = l.float_of("epsilon", 1e-5);
  l.out(0,
        l.op(Op::LayerNorm, {x, l.in(1), l.in_or_none(2)}, {{"axis", axis}, {"epsilon", epsilon}}));
  if (!l.wants(1) && !l.wants(2)) return;
  Dims axes;
  for (std::int64_t i = axis; i < l.rank(x); ++i) axes.emplace_back(i);
  const ValueId mean = l.op(Op::ReduceMean, {x}, {{"axes", axes}});
  const ValueId centred = l.op(Op::Sub, {x, mean});
  const ValueId square = l.op(Op::Mul, {centred, centred});
  const ValueId variance = l.op(Op::ReduceMean, {square}, {{"axes", axes}});
  l.out(1, mean);
  l.out(2, l.op(Op::Rsqrt, {l.op(Op::Add, {variance, l.scalar(x, epsilon)})}));
}

void batch_norm(Lower& l) {
  if (l.int_of("training_mode", 0) != 0 || l.wants(1)) {
    l.fail("is in training mode; export the model for inference");
  }
  if (l.int_of("spatial", 1) == 0)
    l.fail("spatial=0 is not supported; export with opset 9 or later");
  l.out(0, l.op(Op::BatchNorm, {l.in(0), l.in(1), l.in(2), l.in(3), l.in(4)},
                {{"epsilon", l.float_of("epsilon", 1e-5)}}));
}

/// Over each channel of each sample: as layer_norm over the flattened spatial axes.
void instance_norm(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.size() < 3) l.fail("needs spatial axes, but its input is " + to_text(shape));
  const Dim pixels = element_count(Dims(shape.begin() + 2, shape.end()));
  const ValueId flat = l.reshape(x, {shape[0], shape[1], pixels});
  const ValueId normal = l.op(Op::LayerNorm, {flat}, {{"epsilon", l.float_of("epsilon", 1e-5)}});
  const ValueId scale = l.reshape(l.in(1), {1, shape[1], 1});
  const ValueId bias = l.reshape(l.in(2), {1, shape[1], 1});
  l.out(0, l.reshape(l.op(Op::Add, {l.op(Op::Mul, {normal, scale}), bias}), shape));
}

template <Op kOp>
void global_pool(Lower& l) {
  Dims axes;
  for (std::int64_t i = 2; i < l.rank(l.in(0)); ++i) axes.emplace_back(i);
  l.out(0, l.op(kOp, {l.in(0)}, {{"axes", axes}}));
}

constexpr Entry kTable[] = {
    {"BatchNormalization", batch_norm},
    {"GlobalAveragePool", global_pool<Op::ReduceMean>},
    {"GlobalMaxPool", global_pool<Op::ReduceMax>},
    {"InstanceNormalization", instance_norm},
    {"LayerNormalization", layer_norm},
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
