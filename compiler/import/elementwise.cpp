// ONNX operators that work element by element.
#include <limits>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

template <Op kOp>
void unary(Lower& l) {
  l.out(0, l.op(kOp, {l.in(0)}));
}

template <Op kOp>
void binary(Lower& l) {
  l.out(0, l.op(kOp, {l.in(0), l.in(1)}));
}

ValueId folded(Lower& l, Op op) {
  ValueId result = l.in(0);
  for (int i = 1; i < l.inputs(); ++i) result = l.op(op, {result, l.in(i)});
  return result;
}

template <Op kOp>
void variadic(Lower& l) {
  l.out(0, folded(l, kOp));
}

void mean(Lower& l) {
  const ValueId sum = folded(l, Op::Add);
  l.out(0, l.op(Op::Mul, {sum, l.scalar(sum, 1.0 / l.inputs())}));
}

/// Activations whose only attribute is alpha.
template <Op kOp>
void with_alpha(Lower& l) {
  AttributeMap attributes;
  if (l.has_attribute("alpha")) attributes.emplace_back("alpha", l.float_of("alpha", 0));
  l.out(0, l.op(kOp, {l.in(0)}, attributes));
}

void selu(Lower& l) {
  AttributeMap attributes;
  for (const char* name : {"alpha", "gamma"}) {
    if (l.has_attribute(name)) attributes.emplace_back(name, l.float_of(name, 0));
  }
  l.out(0, l.op(Op::Selu, {l.in(0)}, attributes));
}

void hard_sigmoid(Lower& l) {
  AttributeMap attributes;
  for (const char* name : {"alpha", "beta"}) {
    if (l.has_attribute(name)) attributes.emplace_back(name, l.float_of(name, 0));
  }
  l.out(0, l.op(Op::HardSigmoid, {l.in(0)}, attributes));
}

void gelu(Lower& l) {
  l.out(0, l.op(Op::Gelu, {l.in(0)}, {{"approximate", l.string_of("approximate", "none")}}));
}

void prelu(Lower& l) {
  const ValueId x = l.in(0);
  const ValueId zero = l.scalar(x, 0);
  const ValueId below = l.op(Op::Mul, {l.op(Op::Min, {x, zero}), l.in(1)});
  l.out(0, l.op(Op::Add, {l.op(Op::Max, {x, zero}), below}));
}

/// Bounds are attributes before opset 11, inputs since.
void clip(Lower& l) {
  ValueId result = l.in(0);
  const auto bound = [&](int index, const char* name) {
    if (l.has(index)) return l.in(index);
    return l.has_attribute(name) ? l.scalar(result, l.float_of(name, 0)) : kNoValue;
  };
  const ValueId low = bound(1, "min");
  const ValueId high = bound(2, "max");
  if (low != kNoValue) result = l.op(Op::Max, {result, low});
  if (high != kNoValue) result = l.op(Op::Min, {result, high});
  l.out(0, result);
}

void modulo(Lower& l) {
  const std::int64_t fmod = l.int_of("fmod", 0);
  l.out(0, l.op(Op::Mod, {l.in(0), l.in(1)}, {{"fmod", fmod}}));
}

void where(Lower& l) {
  l.out(0, l.op(Op::Select, {l.in(0), l.in(1), l.in(2)}));
}

void cast(Lower& l) {
  l.out(0, l.op(Op::Cast, {l.in(0)}, {{"to", l.element_type(l.int_of("to", 0))}}));
}

void cast_like(Lower& l) {
  l.out(0, l.op(Op::Cast, {l.in(0)}, {{"to", l.dtype(l.in(1))}}));
}

void identity(Lower& l) {
  l.out(0, l.in(0));
}

void dropout(Lower& l) {
  if (l.wants(1)) l.fail("its mask is used; export the model for inference");
  const std::optional<std::vector<std::int64_t>> training = l.numbers("", 2);
  if (training && !training->empty() && training->front() != 0) {
    l.fail("is in training mode; export the model for inference");
  }
  l.out(0, l.in(0));
}

constexpr Entry kTable[] = {
    {"Abs", unary<Op::Abs>},
    {"Add", binary<Op::Add>},
    {"And", binary<Op::And>},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", unary<Op::Ceil>},
    {"Celu", with_alpha<Op::Celu>},
    {"Clip", clip},
    {"Cos", unary<Op::Cos>},
    {"Div", binary<Op::Div>},
    {"Dropout", dropout},
    {"Elu", with_alpha<Op::Elu>},
    {"Equal", binary<Op::Eq>},
    {"Erf", unary<Op::Erf>},
    {"Exp", unary<Op::Exp>},
    {"Floor", unary<Op::Floor>},
    {"Gelu", gelu},
    {"Greater", binary<Op::Gt>},
    {"GreaterOrEqual", binary<Op::Ge>},
    {"HardSigmoid", hard_sigmoid},
    {"HardSwish", unary<Op::HardSwish>},
    {"Identity", identity},
    {"IsNaN", unary<Op::IsNan>},
    {"LeakyRelu", with_alpha<Op::LeakyRelu>},
    {"Less", binary<Op::Lt>},
    {"LessOrEqual", binary<Op::Le>},
    {"Log", unary<Op::Log>},
    {"Max", variadic<Op::Max>},
    {"Mean", mean},
    {"Min", variadic<Op::Min>},
    {"Mish", unary<Op::Mish>},
    {"Mod", modulo},
    {"Mul", binary<Op::Mul>},
    {"Neg", unary<Op::Neg>},
    {"Not", unary<Op::Not>},
    {"Or", binary<Op::Or>},
    {"PRelu", prelu},
    {"Pow", binary<Op::Pow>},
    {"Reciprocal", unary<Op::Reciprocal>},
    {"Relu", unary<Op::Relu>},
    {"Round", unary<Op::Round>},
    {"Selu", selu},
    {"Sigmoid", unary<Op::Sigmoid>},
    {"Sign", unary<Op::Sign>},
    {"Sin", unary<Op::Sin>},
    {"Softplus", unary<Op::Softplus>},
    {"Softsign", unary<Op::Softsign>},
    {"Sqrt", unary<Op::Sqrt>},
    {"Sub", binary<Op::Sub>},
    {"Sum", variadic<Op::Add>},
    {"Tanh", unary<Op::Tanh>},
    {"ThresholdedRelu", with_alpha<Op::ThresholdedRelu>},
    {"Where", where},
    {"Xor", binary<Op::Xor>},
};

}  // namespace

std::span<const Entry> elementwise_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
