// ONNX losses: the score of the wanted class is picked by comparison, so that it joins the kernel
// that makes the scores.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// Sums over the classes (axis 1) what belongs to the wanted class.
ValueId picked(Lower& l, ValueId hit, ValueId values) {
  const ValueId chosen = l.op(Op::Select, {hit, values, l.scalar(values, 0)});
  return l.op(Op::ReduceSum, {chosen}, {{"axes", Dims{1}}, {"keepdims", std::int64_t{0}}});
}

/// Of log probabilities [N, C, ...] and classes [N, ...].
ValueId negative_log_likelihood(Lower& l, ValueId scores) {
  const Dims shape = l.shape(scores);
  if (shape.size() < 2) l.fail("scores are " + to_text(shape) + ", not [batch, classes, ...]");
  const ValueId wanted = l.cast(l.in(1), DType::I64);
  Dims one_class = shape;
  one_class[1] = 1;
  const int rank = static_cast<int>(shape.size());
  const ValueId classes = l.positions(shape[1], 1, rank);
  const ValueId hit = l.op(Op::Eq, {classes, l.reshape(wanted, one_class)});
  ValueId loss = l.op(Op::Neg, {picked(l, hit, scores)});
  const bool weighted = l.has(2), ignores = l.has_attribute("ignore_index");
  ValueId weight = kNoValue;
  if (weighted) {
    Dims along(shape.size(), 1);
    along[1] = shape[1];
    weight = picked(l, hit, l.op(Op::Expand, {l.reshape(l.in(2), along)}, {{"shape", shape}}));
  }
  if (ignores) {
    const ValueId ignored = l.op(
        Op::Eq, {wanted, l.number(DType::I64, static_cast<double>(l.int_of("ignore_index", 0)))});
    if (!weighted) weight = l.op(Op::Expand, {l.scalar(loss, 1)}, {{"shape", l.shape(loss)}});
    weight = l.op(Op::Select, {ignored, l.scalar(loss, 0), weight});
  }
  if (weight != kNoValue) loss = l.op(Op::Mul, {loss, weight});
  const std::string how = l.string_of("reduction", "mean");
  if (how == "none") return loss;
  if (how != "sum" && how != "mean") l.fail("reduction '" + how + "' is not known");
  const AttributeMap all = {{"keepdims", std::int64_t{0}}};
  if (how == "mean" && weight == kNoValue) return l.op(Op::ReduceMean, {loss}, all);
  const ValueId sum = l.op(Op::ReduceSum, {loss}, all);
  return how == "sum" ? sum : l.op(Op::Div, {sum, l.op(Op::ReduceSum, {weight}, all)});
}

void nll_loss(Lower& l) {
  l.out(0, negative_log_likelihood(l, l.in(0)));
}

void cross_entropy(Lower& l) {
  const ValueId logarithms = l.op(Op::LogSoftmax, {l.in(0)}, {{"axis", std::int64_t{1}}});
  l.out(0, negative_log_likelihood(l, logarithms));
  if (l.wants(1)) l.out(1, logarithms);
}

constexpr Entry kTable[] = {
    {"NegativeLogLikelihoodLoss", nll_loss},
    {"SoftmaxCrossEntropyLoss", cross_entropy},
};

}  // namespace

std::span<const Entry> loss_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
