#include <cmath>
#include <functional>
#include <limits>

#include "compiler/graph/eval_math.h"
#include "compiler/graph/eval_ops.h"
#include "vm/base/error.h"

namespace dvmsim::eval_ops {
namespace {

namespace m = eval_math;

float sigmoid(float x) {
  return 1.0f / (1.0f + m::exp(-x));
}
/// log(1 + exp(x)), without overflow.
float softplus(float x) {
  return std::fmax(x, 0.0f) + m::log1p(m::exp(-std::fabs(x)));
}
float sign(float x) {
  return std::isnan(x) ? x : static_cast<float>((x > 0) - (x < 0));
}
float larger(float a, float b) {
  return std::isnan(a) || a > b ? a : b;
}
float smaller(float a, float b) {
  return std::isnan(a) || a < b ? a : b;
}
float clip01(float x) {
  return smaller(larger(x, 0.0f), 1.0f);
}

float gelu(float x) {
  return 0.5f * x * (1.0f + m::erf(x * 0.70710678118654752f));
}
float gelu_tanh(float x) {
  const float inner = 0.79788456080286536f * (x + 0.044715f * x * x * x);
  return 0.5f * x * (1.0f + m::tanh(inner));
}

using Function = std::function<float(float)>;

/// Activations with parameters.
Function parametric(const Node& node) {
  const auto number = [&](const char* name) { return static_cast<float>(node.float_of(name)); };
  switch (node.op) {
    case Op::Gelu: {
      const std::string kind = node.string_of("approximate");
      if (kind != "none" && kind != "tanh") {
        throw Error("node '" + node.name + "' (gelu): approximate is none or tanh, not " + kind);
      }
      return kind == "tanh" ? gelu_tanh : gelu;
    }
    case Op::HardSigmoid:
      return [a = number("alpha"), b = number("beta")](float x) { return clip01(a * x + b); };
    case Op::LeakyRelu:
      return [a = number("alpha")](float x) { return x < 0 ? a * x : x; };
    case Op::ThresholdedRelu:
      return [a = number("alpha")](float x) { return x > a ? x : 0.0f; };
    case Op::Elu:
      return [a = number("alpha")](float x) { return x < 0 ? a * m::expm1(x) : x; };
    case Op::Celu:
      return [a = number("alpha")](float x) { return x < 0 ? a * m::expm1(x / a) : x; };
    default:
      DVMSIM_ASSERT(node.op == Op::Selu, "each unary operator has its loop");
      return [a = number("alpha"), g = number("gamma")](float x) {
        return g * (x < 0 ? a * m::expm1(x) : x);
      };
  }
}

Function library_function(Op op) {
  switch (op) {
    case Op::Atan:
      return m::atan;
    case Op::Log1p:
      return m::log1p;
    case Op::Tan:
      return m::tan;
    case Op::Asin:
      return m::asin;
    case Op::Acos:
      return m::acos;
    case Op::Sinh:
      return m::sinh;
    case Op::Cosh:
      return m::cosh;
    case Op::Asinh:
      return m::asinh;
    case Op::Acosh:
      return m::acosh;
    default:
      DVMSIM_ASSERT(op == Op::Atanh, "each function of the library has its name");
      return m::atanh;
  }
}

Function float_function(const Node& node) {
  switch (node.op) {
    case Op::Neg:
      return [](float x) { return -x; };
    case Op::Abs:
      return [](float x) { return std::fabs(x); };
    case Op::Exp:
      return m::exp;
    case Op::Log:
      return m::log;
    case Op::Sqrt:
      return [](float x) { return std::sqrt(x); };
    case Op::Rsqrt:
      return [](float x) { return 1.0f / std::sqrt(x); };
    case Op::Reciprocal:
      return [](float x) { return 1.0f / x; };
    case Op::Relu:
      return [](float x) { return larger(x, 0.0f); };
    case Op::Sigmoid:
      return sigmoid;
    case Op::Tanh:
      return m::tanh;
    case Op::Erf:
      return m::erf;
    case Op::Sin:
      return m::sin;
    case Op::Cos:
      return m::cos;
    case Op::Atan:
    case Op::Log1p:
    case Op::Tan:
    case Op::Asin:
    case Op::Acos:
    case Op::Sinh:
    case Op::Cosh:
    case Op::Asinh:
    case Op::Acosh:
    case Op::Atanh:
      return library_function(node.op);
    case Op::Floor:
      return [](float x) { return std::floor(x); };
    case Op::Ceil:
      return [](float x) { return std::ceil(x); };
    case Op::Round:
      return [](float x) { return std::nearbyint(x); };
    case Op::Sign:
      return sign;
    case Op::IsNan:
      return [](float x) { return std::isnan(x) ? 1.0f : 0.0f; };
    case Op::Silu:
      return [](float x) { return x * sigmoid(x); };
    case Op::Softplus:
      return softplus;
    case Op::Softsign:
      return [](float x) { return x / (1.0f + std::fabs(x)); };
    case Op::Mish:
      return [](float x) { return x * m::tanh(softplus(x)); };
    case Op::HardSwish:
      return [](float x) { return x * clip01(x / 6.0f + 0.5f); };
    default:
      return parametric(node);
  }
}

std::int64_t int_function(Op op, std::int64_t x) {
  switch (op) {
    case Op::Neg:
      return static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(x));
    case Op::Abs:
      return x < 0 ? int_function(Op::Neg, x) : x;
    case Op::Relu:
      return x < 0 ? 0 : x;
    case Op::Sign:
      return (x > 0) - (x < 0);
    default:
      DVMSIM_ASSERT(op == Op::Not, "each unary operator on integers has its loop");
      return ~x;
  }
}

float compared(bool holds) {
  return holds ? 1.0f : 0.0f;
}

float modulo(float a, float b, bool truncated) {
  const float rest = std::fmod(a, b);
  return !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

float float_pair(Op op, float a, float b, bool truncated) {
  switch (op) {
    case Op::Add:
      return a + b;
    case Op::Sub:
      return a - b;
    case Op::Mul:
      return a * b;
    case Op::Div:
      return a / b;
    case Op::Pow:
      return m::pow(a, b);
    case Op::Max:
      return std::isnan(b) ? b : larger(a, b);
    case Op::Min:
      return std::isnan(b) ? b : smaller(a, b);
    case Op::Mod:
      return modulo(a, b, truncated);
    case Op::Eq:
      return compared(a == b);
    case Op::Ne:
      return compared(a != b);
    case Op::Lt:
      return compared(a < b);
    case Op::Le:
      return compared(a <= b);
    case Op::Gt:
      return compared(a > b);
    default:
      DVMSIM_ASSERT(op == Op::Ge, "each binary operator has its loop");
      return compared(a >= b);
  }
}

std::int64_t wrapped(std::int64_t a, std::int64_t b, auto operation) {
  return static_cast<std::int64_t>(
      operation(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
}

std::int64_t int_quotient(const Node& node, std::int64_t a, std::int64_t b, bool truncated) {
  if (b == 0)
    throw Error("node '" + node.name + "' (" + std::string(name_of(node.op)) +
                "): division by zero");
  if (b == -1) return node.op == Op::Div ? int_function(Op::Neg, a) : 0;
  if (node.op == Op::Div) return a / b;
  const std::int64_t rest = a % b;
  return !truncated && rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// Unsigned types come zero-extended, so that the sign is that of the type.
std::int64_t shifted(Op op, std::int64_t a, std::int64_t by, int bits) {
  const bool all = by < 0 || by >= bits;
  if (op == Op::Shr) return a >> (all ? 63 : by);
  return all ? 0 : static_cast<std::int64_t>(static_cast<std::uint64_t>(a) << by);
}

std::int64_t int_pair(const Node& node, std::int64_t a, std::int64_t b, bool truncated, int bits) {
  switch (node.op) {
    case Op::Add:
      return wrapped(a, b, std::plus<>());
    case Op::Sub:
      return wrapped(a, b, std::minus<>());
    case Op::Mul:
      return wrapped(a, b, std::multiplies<>());
    case Op::Div:
    case Op::Mod:
      return int_quotient(node, a, b, truncated);
    case Op::Max:
      return std::max(a, b);
    case Op::Min:
      return std::min(a, b);
    case Op::Eq:
      return a == b;
    case Op::Ne:
    case Op::Xor:
      return a != b;
    case Op::Lt:
      return a < b;
    case Op::Le:
      return a <= b;
    case Op::Gt:
      return a > b;
    case Op::Ge:
      return a >= b;
    case Op::And:
      return a & b;
    case Op::Shl:
    case Op::Shr:
      return shifted(node.op, a, b, bits);
    default:
      DVMSIM_ASSERT(node.op == Op::Or, "each binary operator on integers has its loop");
      return a | b;
  }
}

Tensor int_pow(const Call& call, const Offsets& left, const Offsets& right) {
  const std::vector<std::int64_t> a = call.in(0).ints();
  const std::vector<float> b = call.in(1).floats();
  std::vector<double> result(left.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::pow(static_cast<double>(a[static_cast<std::size_t>(left[i])]),
                         static_cast<double>(b[static_cast<std::size_t>(right[i])]));
  }
  return Tensor::of(call.out_dtype(), call.out_shape(), result);
}

}  // namespace

Tensor unary(const Call& call) {
  const Tensor& x = call.in(0);
  if (is_float(x.dtype())) {
    const Function f = float_function(call.node);
    std::vector<float> values = x.floats();
    for (float& value : values) value = f(value);
    return Tensor::of_floats(call.out_dtype(), x.shape(), values);
  }
  std::vector<std::int64_t> values = x.ints();
  const bool truth = x.dtype() == DType::Bool && call.node.op == Op::Not;
  for (std::int64_t& value : values) {
    value = truth ? std::int64_t{value == 0} : int_function(call.node.op, value);
  }
  return Tensor::of_ints(call.out_dtype(), x.shape(), values);
}

Tensor cast(const Call& call) {
  const Tensor& x = call.in(0);
  if (x.dtype() == call.out_dtype()) return x;
  if (!is_float(x.dtype())) return Tensor::of_ints(call.out_dtype(), x.shape(), x.ints());
  return Tensor::of_floats(call.out_dtype(), x.shape(), x.floats());
}

Tensor binary(const Call& call) {
  const std::vector<std::int64_t> shape = call.out_shape();
  const Offsets left = broadcast_offsets(call.in(0).shape(), shape);
  const Offsets right = broadcast_offsets(call.in(1).shape(), shape);
  const bool truncated = call.node.op == Op::Mod && call.node.int_of("fmod") != 0;
  if (is_float(call.in(0).dtype())) {
    const std::vector<float> a = call.in(0).floats();
    const std::vector<float> b = call.in(1).floats();
    std::vector<float> result(left.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = float_pair(call.node.op, a[static_cast<std::size_t>(left[i])],
                             b[static_cast<std::size_t>(right[i])], truncated);
    }
    return Tensor::of_floats(call.out_dtype(), shape, result);
  }
  if (call.node.op == Op::Pow) return int_pow(call, left, right);
  const std::vector<std::int64_t> a = call.in(0).ints();
  const std::vector<std::int64_t> b = call.in(1).ints();
  std::vector<std::int64_t> result(left.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] =
        int_pair(call.node, a[static_cast<std::size_t>(left[i])],
                 b[static_cast<std::size_t>(right[i])], truncated, 8 * size_of(call.out_dtype()));
  }
  return Tensor::of_ints(call.out_dtype(), shape, result);
}

Tensor select(const Call& call) {
  const std::vector<std::int64_t> shape = call.out_shape();
  const std::vector<std::int64_t> condition = call.in(0).ints();
  const Offsets which = broadcast_offsets(call.in(0).shape(), shape);
  const Offsets yes = broadcast_offsets(call.in(1).shape(), shape);
  const Offsets no = broadcast_offsets(call.in(2).shape(), shape);
  Tensor result(call.out_dtype(), shape);
  const auto size = static_cast<std::size_t>(size_of(call.out_dtype()));
  std::byte* to = result.mutable_bytes().data();
  for (std::size_t i = 0; i < which.size(); ++i, to += size) {
    const bool holds = condition[static_cast<std::size_t>(which[i])] != 0;
    const std::byte* from = call.in(holds ? 1 : 2).bytes().data();
    const std::int64_t at = holds ? yes[i] : no[i];
    std::copy_n(from + static_cast<std::size_t>(at) * size, size, to);
  }
  return result;
}

}  // namespace dvmsim::eval_ops
