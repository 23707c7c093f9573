// What one element of a vector instruction computes, for float (every floating type) and the
// integer types. Rules: integers wrap; division by an integer zero gives 0; vmod takes the sign of
// the dividend; max and min propagate NaN and keep the first of two equals; a NaN result is
// canonical.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "vm/exec/element.h"
#include "vm/exec/functions.h"
#include "vm/isa/isa.h"

namespace dvmsim::exec {

template <isa::Op op>
[[gnu::always_inline]] inline float combine(float a, float b) {
  using isa::Op;
  if constexpr (op == Op::vadd) {
    return canonical(a + b);
  } else if constexpr (op == Op::vsub) {
    return canonical(a - b);
  } else if constexpr (op == Op::vmul) {
    return canonical(a * b);
  } else if constexpr (op == Op::vdiv) {
    return canonical(a / b);
  } else if constexpr (op == Op::vmax) {
    return canonical(((a >= b) | (a != a)) ? a : b);
  } else if constexpr (op == Op::vmin) {
    return canonical(((a <= b) | (a != a)) ? a : b);
  } else if constexpr (op == Op::vpow) {
    return canonical(functions::pow(a, b));
  } else {
    static_assert(op == Op::vmod);
    return canonical(std::fmod(a, b));  // exact by definition, so the library's is everyone's
  }
}

template <isa::Op op, class Int>
[[gnu::always_inline]] inline Int combine(Int a, Int b) requires std::is_integral_v<Int> {
  using isa::Op;
  using Unsigned = std::make_unsigned_t<Int>;
  const auto ua = static_cast<Unsigned>(a), ub = static_cast<Unsigned>(b);
  if constexpr (op == Op::vadd) {
    return static_cast<Int>(ua + ub);
  } else if constexpr (op == Op::vsub) {
    return static_cast<Int>(ua - ub);
  } else if constexpr (op == Op::vmul) {
    return static_cast<Int>(ua * ub);
  } else if constexpr (op == Op::vmax) {
    return a >= b ? a : b;
  } else if constexpr (op == Op::vmin) {
    return a <= b ? a : b;
  } else if constexpr (op == Op::vand) {
    return static_cast<Int>(ua & ub);
  } else if constexpr (op == Op::vor) {
    return static_cast<Int>(ua | ub);
  } else if constexpr (op == Op::vxor) {
    return static_cast<Int>(ua ^ ub);
  } else if constexpr (op == Op::vshl) {
    constexpr auto kBits = static_cast<Int>(8 * sizeof(Int));
    return b < 0 || b >= kBits ? Int{0} : static_cast<Int>(ua << ub);
  } else if constexpr (op == Op::vshr) {
    constexpr auto kBits = static_cast<Int>(8 * sizeof(Int));
    if (b < 0 || b >= kBits) return a < 0 ? static_cast<Int>(-1) : Int{0};
    return static_cast<Int>(a >> b);
  } else if constexpr (op == Op::vdiv) {
    if (b == 0) return 0;
    if (std::is_signed_v<Int> && b == static_cast<Int>(-1)) return static_cast<Int>(0 - ua);
    return static_cast<Int>(a / b);
  } else {
    static_assert(op == Op::vmod);
    if (b == 0 || (std::is_signed_v<Int> && b == static_cast<Int>(-1))) return 0;
    return static_cast<Int>(a % b);
  }
}

template <isa::Op op>
[[gnu::always_inline]] inline float apply(float a) {
  using isa::Op;
  if constexpr (op == Op::vabs) {
    return canonical(std::fabs(a));
  } else if constexpr (op == Op::vneg) {
    return canonical(-a);
  } else if constexpr (op == Op::vrelu) {
    return canonical(((a > 0) | (a != a)) ? a : 0.0f);
  } else if constexpr (op == Op::vexp) {
    return canonical(functions::exp(a));
  } else if constexpr (op == Op::vlog) {
    return canonical(functions::log(a));
  } else if constexpr (op == Op::vlog1p) {
    return canonical(functions::log1p(a));
  } else if constexpr (op == Op::vatan) {
    return canonical(functions::atan(a));
  } else if constexpr (op == Op::vsqrt) {
    return canonical(std::sqrt(a));
  } else if constexpr (op == Op::vrsqrt) {
    return canonical(static_cast<float>(1.0 / std::sqrt(static_cast<double>(a))));
  } else if constexpr (op == Op::vrec) {
    return canonical(1.0f / a);
  } else if constexpr (op == Op::vtanh) {
    return canonical(functions::tanh(a));
  } else if constexpr (op == Op::verf) {
    return canonical(functions::erf(a));
  } else if constexpr (op == Op::vsigmoid) {
    return canonical(functions::sigmoid(a));
  } else if constexpr (op == Op::vfloor) {
    return canonical(std::floor(a));
  } else if constexpr (op == Op::vceil) {
    return canonical(std::ceil(a));
  } else if constexpr (op == Op::vround) {
    return canonical(std::nearbyint(a));
  } else if constexpr (op == Op::vsign) {
    return canonical(a != a ? a : static_cast<float>((a > 0) - (a < 0)));
  } else if constexpr (op == Op::vsin) {
    return canonical(functions::sin(a));
  } else {
    static_assert(op == Op::vcos);
    return canonical(functions::cos(a));
  }
}

template <isa::Op op, class Int>
[[gnu::always_inline]] inline Int apply(Int a) requires std::is_integral_v<Int> {
  using isa::Op;
  using Unsigned = std::make_unsigned_t<Int>;
  const auto negated = static_cast<Int>(Unsigned{0} - static_cast<Unsigned>(a));
  if constexpr (op == Op::vabs) {
    return a < 0 ? negated : a;
  } else if constexpr (op == Op::vneg) {
    return negated;
  } else if constexpr (op == Op::vrelu) {
    return a > 0 ? a : Int{0};
  } else if constexpr (op == Op::vnot) {
    return static_cast<Int>(~a);
  } else {
    static_assert(op == Op::vsign);
    return static_cast<Int>((a > 0) - (a < 0));
  }
}

}  // namespace dvmsim::exec
