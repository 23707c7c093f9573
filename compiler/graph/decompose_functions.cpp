// Trigonometric and hyperbolic functions in terms of those the machine has, in f32.
#include "compiler/graph/parts.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr double kLn2 = 0.69314718055994531;
constexpr double kLarge = 1e9;  // beyond it, x + 1 is x, and x * x may overflow

class Function : public Parts {
 public:
  using Parts::Parts;

  ValueId operator()() {
    const ValueId x32 = widened(x());
    switch (node_.op) {
      case Op::Tan:
        return finished(op(Op::Div, op(Op::Sin, x32), op(Op::Cos, x32)));
      case Op::Sinh:
        return finished(mul(op(Op::Tanh, x32), cosh(x32)));
      case Op::Cosh:
        return finished(cosh(x32));
      case Op::Asin: {  // 2 atan(x / (1 + sqrt(1 - x^2)))
        const ValueId square = mul(plus(op(Op::Neg, x32), 1), plus(x32, 1));
        const ValueId tangent = op(Op::Div, x32, plus(op(Op::Sqrt, square), 1));
        return finished(times(op(Op::Atan, tangent), 2));
      }
      case Op::Acos: {  // 2 atan(sqrt(1 - x) / sqrt(1 + x))
        const ValueId above = op(Op::Sqrt, plus(op(Op::Neg, x32), 1));
        const ValueId tangent = op(Op::Div, above, op(Op::Sqrt, plus(x32, 1)));
        return finished(times(op(Op::Atan, tangent), 2));
      }
      case Op::Asinh:
        return finished(asinh(x32));
      case Op::Acosh: {  // with t = x - 1: log1p(t + sqrt(t^2 + 2t))
        const ValueId t = plus(x32, -1);
        const ValueId root = op(Op::Sqrt, mul(t, plus(x32, 1)));
        return finished(unless_large(x32, op(Op::Log1p, add(t, root))));
      }
      default:
        DVMSIM_ASSERT(node_.op == Op::Atanh, "each function has its parts");
    }
    const ValueId size = op(Op::Abs, x32);  // log1p(2x / (1 - x)) / 2
    const ValueId ratio = op(Op::Div, times(size, 2), plus(op(Op::Neg, size), 1));
    return finished(mul(times(op(Op::Log1p, ratio), 0.5), op(Op::Sign, x32)));
  }

 private:
  ValueId single(double value) { return to_.add_scalar(DType::F32, value); }
  ValueId plus(ValueId a, double b) { return add(a, single(b)); }
  ValueId times(ValueId a, double b) { return mul(a, single(b)); }
  ValueId finished(ValueId a) { return narrowed(a); }

  ValueId cosh(ValueId a) {  // halves inside, so that only the result overflows
    return add(op(Op::Exp, plus(a, -kLn2)), op(Op::Exp, plus(op(Op::Neg, a), -kLn2)));
  }
  ValueId unless_large(ValueId a, ValueId result) {
    const ValueId large = op(Op::Gt, a, single(kLarge));
    return to_.add(Op::Select, {large, plus(op(Op::Log, a), kLn2), result}, {}, name());
  }
  ValueId asinh(ValueId a) {  // of x >= 0: log1p(x + x^2 / (1 + sqrt(x^2 + 1))); odd
    const ValueId size = op(Op::Abs, a), square = mul(size, size);
    const ValueId rest = op(Op::Div, square, plus(op(Op::Sqrt, plus(square, 1)), 1));
    const ValueId result = unless_large(size, op(Op::Log1p, add(size, rest)));
    return mul(result, op(Op::Sign, a));
  }
};

}  // namespace

ValueId function_parts(Graph& to, const Node& node, const Value& first) {
  return Function(to, node, first)();
}

}  // namespace dvmsim
