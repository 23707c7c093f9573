// ONNX operators that work element by element.
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

template <Op kOp>
void unary(Lower& l) {
  l.out(0, l.op(kOp, {l.in(0)}));
}

/// Before opset 7, the second input lines up with the axes of the first from `axis` on.
ValueId second(Lower& l) {
  const ValueId b = l.in(1);
  if (l.opset() >= 7 || l.int_of("broadcast", 0) == 0 || !l.has_attribute("axis")) return b;
  Dims shape = l.shape(b);
  const int axis = l.axis(l.int_of("axis", 0), l.rank(l.in(0)));
  while (axis + static_cast<int>(shape.size()) < l.rank(l.in(0))) shape.emplace_back(1);
  return l.reshape(b, shape);
}

template <Op kOp>
void binary(Lower& l) {
  l.out(0, l.op(kOp, {l.in(0), second(l)}));
}

void add(Lower& l) {
  if (!add_bias(l)) binary<Op::Add>(l);
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

/// Before opset 7 a list of slopes has one for each channel; since then slopes are broadcast.
void prelu(Lower& l) {
  const ValueId x = l.in(0);
  ValueId slope = l.in(1);
  if (l.opset() < 7 && l.rank(slope) == 1 && l.rank(x) > 2) {
    Dims channel(static_cast<std::size_t>(l.rank(x) - 1), 1);
    channel[0] = l.shape(slope)[0];
    slope = l.reshape(slope, channel);
  }
  const ValueId zero = l.scalar(x, 0);
  const ValueId below = l.op(Op::Mul, {l.op(Op::Min, {x, zero}), slope});
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

void bit_shift(Lower& l) {
  const std::string direction = l.string_of("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") l.fail("direction is LEFT or RIGHT");
  l.out(0, l.op(direction == "LEFT" ? Op::Shl : Op::Shr, {l.in(0), l.in(1)}));
}

template <Op kOp>
void bitwise(Lower& l) {
  if (l.dtype(l.in(0)) == DType::Bool) l.fail("works on integers");
  l.out(0, l.op(kOp, {l.in(0), l.in(1)}));
}

void is_inf(Lower& l) {
  const ValueId x = l.in(0);
  const bool negative = l.int_of("detect_negative", 1) != 0;
  const bool positive = l.int_of("detect_positive", 1) != 0;
  const double infinity = std::numeric_limits<double>::infinity();
  if (negative && positive)
    return l.out(0, l.op(Op::Eq, {l.op(Op::Abs, {x}), l.scalar(x, infinity)}));
  const double wanted = negative ? -infinity : positive ? infinity : std::nan("");
  l.out(0, l.op(Op::Eq, {x, l.scalar(x, wanted)}));  // nothing equals NaN
}

void shrink(Lower& l) {
  const ValueId x = l.in(0);
  const double bias = l.float_of("bias", 0), lambda = l.float_of("lambd", 0.5);
  const ValueId above = l.op(Op::Gt, {x, l.scalar(x, lambda)});
  const ValueId below = l.op(Op::Lt, {x, l.scalar(x, -lambda)});
  const ValueId high = l.op(Op::Sub, {x, l.scalar(x, bias)});
  const ValueId low = l.op(Op::Add, {x, l.scalar(x, bias)});
  l.out(0, l.op(Op::Select, {above, high, l.op(Op::Select, {below, low, l.scalar(x, 0)})}));
}

void modulo(Lower& l) {
  const std::int64_t fmod = l.int_of("fmod", 0);
  l.out(0, l.op(Op::Mod, {l.in(0), l.in(1)}, {{"fmod", fmod}}));
}

void where(Lower& l) {
  l.out(0, l.op(Op::Select, {l.in(0), l.in(1), l.in(2)}));
}

constexpr std::pair<std::string_view, DType> kOldNames[] = {
    {"FLOAT", DType::F32}, {"FLOAT16", DType::F16}, {"INT8", DType::I8},  {"UINT8", DType::U8},
    {"INT32", DType::I32}, {"INT64", DType::I64},   {"BOOL", DType::Bool}};

/// The type is a name before opset 6.
void cast(Lower& l) {
  if (l.opset() < 6) {
    const std::string name = l.string_of("to", "");
    for (const auto& [known, dtype] : kOldNames) {
      if (name == known) return l.out(0, l.op(Op::Cast, {l.in(0)}, {{"to", dtype}}));
    }
    l.fail("element type '" + name + "' is not supported");
  }
  l.out(0, l.op(Op::Cast, {l.in(0)}, {{"to", l.element_type(l.int_of("to", 0))}}));
}

void cast_like(Lower& l) {
  l.out(0, l.op(Op::Cast, {l.in(0)}, {{"to", l.dtype(l.in(1))}}));
}

void identity(Lower& l) {
  l.out(0, l.in(0));
}

/// Drops nothing in inference. The mode is an attribute before opset 7, an input since 12.
void dropout(Lower& l) {
  const ValueId x = l.in(0);
  const std::optional<std::vector<std::int64_t>> training = l.numbers("training_mode", 2);
  const bool old_training = l.opset() < 7 && l.int_of("is_test", 0) == 0;
  if (old_training || (training && !training->empty() && training->front() != 0)) {
    std::optional<Tensor> ratio = l.has(1) ? l.known(l.in(1)) : std::nullopt;
    if (!ratio || ratio->floats() != std::vector<float>{0}) {
      l.fail("drops elements at random in training mode; export the model for inference");
    }
  }
  l.out(0, x);
  if (!l.wants(1)) return;
  const DType mask = l.opset() >= 10 ? DType::Bool : l.dtype(x);
  l.out(1, l.op(Op::Expand, {l.number(mask, 1)}, {{"shape", l.shape(x)}}));
}

constexpr Entry kTable[] = {
    {"Abs", unary<Op::Abs>},
    {"Acos", unary<Op::Acos>},
    {"Acosh", unary<Op::Acosh>},
    {"Add", add},
    {"And", binary<Op::And>},
    {"Asin", unary<Op::Asin>},
    {"Asinh", unary<Op::Asinh>},
    {"Atan", unary<Op::Atan>},
    {"Atanh", unary<Op::Atanh>},
    {"BitShift", bit_shift},
    {"BitwiseAnd", bitwise<Op::And>},
    {"BitwiseNot", unary<Op::Not>},
    {"BitwiseOr", bitwise<Op::Or>},
    {"BitwiseXor", bitwise<Op::Xor>},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", unary<Op::Ceil>},
    {"Celu", with_alpha<Op::Celu>},
    {"Clip", clip},
    {"Cos", unary<Op::Cos>},
    {"Cosh", unary<Op::Cosh>},
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
    {"IsInf", is_inf},
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
    {"Pow", binary<Op::Pow>},
    {"PRelu", prelu},
    {"Reciprocal", unary<Op::Reciprocal>},
    {"Relu", unary<Op::Relu>},
    {"Round", unary<Op::Round>},
    {"Selu", selu},
    {"Shrink", shrink},
    {"Sigmoid", unary<Op::Sigmoid>},
    {"Sign", unary<Op::Sign>},
    {"Sin", unary<Op::Sin>},
    {"Sinh", unary<Op::Sinh>},
    {"Softplus", unary<Op::Softplus>},
    {"Softsign", unary<Op::Softsign>},
    {"Sqrt", unary<Op::Sqrt>},
    {"Sub", binary<Op::Sub>},
    {"Sum", variadic<Op::Add>},
    {"Tan", unary<Op::Tan>},
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
