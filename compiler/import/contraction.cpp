// ONNX matrix products.
#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// Vectors become matrices for the product, and the result loses their axes again.
void matmul(Lower& l) {
  ValueId a = l.in(0);
  ValueId b = l.in(1);
  const bool row = l.rank(a) == 1;
  const bool column = l.rank(b) == 1;
  if (l.rank(a) == 0 || l.rank(b) == 0) l.fail("does not multiply scalars");
  if (row) a = l.reshape(a, {1, l.shape(a)[0]});
  if (column) b = l.reshape(b, {l.shape(b)[0], 1});
  const ValueId product = l.op(Op::MatMul, {a, b});
  Dims shape = l.shape(product);
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  l.out(0, row || column ? l.reshape(product, shape) : product);
}

void gemm(Lower& l) {
  const ValueId a = l.in(0);
  const ValueId b = l.in(1);
  const ValueId c = l.in_or_none(2);
  const double alpha = l.float_of("alpha", 1);
  const double beta = l.float_of("beta", 1);
  const AttributeMap attributes = {{"trans_a", l.int_of("transA", 0)},
                                   {"trans_b", l.int_of("transB", 0)}};
  ValueId result = l.op(Op::MatMul, {a, b}, attributes);
  if (c == kNoValue && alpha == 1) return l.out(0, result);
  const bool is_bias = c != kNoValue && l.rank(c) == 1 && l.shape(c)[0] == l.shape(result).back();
  if (is_bias && alpha == 1 && beta == 1) {
    return l.out(0, l.op(Op::MatMul, {a, b, c}, attributes));  // the one without bias is dead
  }
  if (alpha != 1) result = l.op(Op::Mul, {result, l.scalar(result, alpha)});
  if (c != kNoValue && beta != 0) {
    const ValueId scaled = beta == 1 ? c : l.op(Op::Mul, {c, l.scalar(c, beta)});
    result = l.op(Op::Add, {result, scaled});
  }
  l.out(0, result);
}

constexpr Entry kTable[] = {{"Gemm", gemm}, {"MatMul", matmul}};

}  // namespace

bool add_bias(Lower& l) {
  if (l.has_attribute("axis")) return false;
  for (const int input : {0, 1}) {
    const ValueId sum = l.in(input), bias = l.in(1 - input);
    const Node* product = l.producer_of(sum);
    if (product == nullptr || product->op != Op::MatMul || product->inputs.size() != 2) continue;
    const bool is_row = l.rank(bias) == 1 && l.shape(bias)[0] == l.shape(sum).back();
    const bool is_plain = is_float(l.dtype(sum)) && product->find("to") == nullptr;
    if (!is_row || !is_plain || !l.alone_reads(input)) continue;
    const std::vector<ValueId> inputs = {product->inputs[0], product->inputs[1], bias};
    const AttributeMap attributes = product->attributes;
    l.out(0, l.op(Op::MatMul, inputs, attributes));  // the one without bias is dead
    return true;
  }
  return false;
}

std::span<const Entry> contraction_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
