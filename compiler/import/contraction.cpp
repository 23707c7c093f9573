// ONNX matrix products and convolutions.
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

/// Pads that make ceil(size / stride) outputs; the odd one comes last (UPPER) or first (LOWER).
Dims same_pads(const Dims& x, const Dims& w, const Dims& strides, const Dims& dilations,
               bool upper) {
  const std::size_t spatial = x.size() - 2;
  Dims pads(2 * spatial);
  for (std::size_t i = 0; i < spatial; ++i) {
    const Dim outputs = ceil_div(x[i + 2], strides[i]);
    const Dim covered = (outputs - 1) * strides[i] + (w[i + 2] - 1) * dilations[i] + 1;
    const Dim total = max(0, covered - x[i + 2]);
    const Dim half = floor_div(total, 2);
    pads[i] = upper ? half : total - half;
    pads[i + spatial] = total - pads[i];
  }
  return pads;
}

void conv(Lower& l) {
  const ValueId x = l.in(0);
  const ValueId w = l.in(1);
  if (l.rank(x) < 3 || l.rank(x) != l.rank(w)) l.fail("input and weights do not fit");
  const auto spatial = static_cast<std::size_t>(l.rank(x)) - 2;
  if (spatial > 2) l.fail("convolutions over more than two axes are not supported");
  const auto list = [&](const char* name, std::size_t count, std::int64_t fallback) {
    const std::vector<std::int64_t> given = l.ints_of(name);
    if (given.empty()) return Dims(count, fallback);
    if (given.size() != count) l.fail(std::string(name) + " has the wrong length");
    return Dims(given.begin(), given.end());
  };
  const Dims strides = list("strides", spatial, 1);
  const Dims dilations = list("dilations", spatial, 1);
  Dims pads = list("pads", 2 * spatial, 0);
  const std::string automatic = l.string_of("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    pads = same_pads(l.shape(x), l.shape(w), strides, dilations, automatic == "SAME_UPPER");
  } else if (automatic != "NOTSET" && automatic != "VALID" && !automatic.empty()) {
    l.fail("auto_pad '" + automatic + "' is not known");
  }
  l.out(0, l.op(Op::Conv, {x, w, l.in_or_none(2)},
                {{"strides", strides},
                 {"dilations", dilations},
                 {"pads", pads},
                 {"groups", l.int_of("group", 1)}}));
}

constexpr Entry kTable[] = {{"Conv", conv}, {"Gemm", gemm}, {"MatMul", matmul}};

}  // namespace

std::span<const Entry> contraction_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
