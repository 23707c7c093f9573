#include "compiler/schedule/expansion.h"

namespace dvmsim {

using isa::Op;
using isa::Order;

int floored_remainder(const StepWriter& steps, int a, int b) {
  const int rest = steps.binary(Op::vmod, a, b);
  if (steps.dtype == DType::U8) return rest;
  // (rest + b) mod b would do, but overflows for integers and rounds for floats.
  const int low = steps.compared(rest, Order::Lt, 0), negative = steps.compared(b, Order::Lt, 0);
  const int differ = steps.joined(Op::vxor, low, negative);
  const int wrong = steps.joined(Op::vand, differ, steps.compared(rest, Order::Ne, 0));
  return steps.select(wrong, steps.binary(Op::vadd, rest, b), rest);
}

int integer_power(const StepWriter& steps, int base, int exponent) {
  // Square and multiply. A base beyond 1 overflows 64 bits with the exponent 64, and the others
  // only need its lowest bit.
  constexpr int kBits = 6;
  const int zero = steps.unary(Op::vmuls, base, 0);
  int result = steps.unary(Op::vadds, zero, 1), power = base, left = exponent;
  for (int bit = 0; bit < kBits; ++bit) {
    const int half = steps.unary(Op::vdivs, left, 2);
    const int odd = steps.binary(Op::vsub, left, steps.binary(Op::vadd, half, half));
    const int taken = steps.compared(odd, Order::Ne, 0);
    result = steps.select(taken, steps.binary(Op::vmul, result, power), result);
    if (bit + 1 < kBits) power = steps.binary(Op::vmul, power, power);
    left = half;
  }
  if (steps.dtype == DType::U8) return result;
  const int negative = steps.compared(exponent, Order::Lt, 0);
  const int large = steps.compared(steps.unary(Op::vabs, base), Order::Gt, 1);
  return steps.select(steps.joined(Op::vand, negative, large), zero, result);
}

}  // namespace dvmsim
