// The transcendental functions of the evaluator, in one place. They come from the C++ library, so
// their last bit may differ between machines; comparisons against them carry a tolerance.
#pragma once

#include <cmath>

namespace dvmsim::eval_math {

inline float exp(float x) {
  return std::exp(x);
}
inline float log(float x) {
  return std::log(x);
}
inline float log1p(float x) {
  return std::log1p(x);
}
inline float expm1(float x) {
  return std::expm1(x);
}
inline float tanh(float x) {
  return std::tanh(x);
}
inline float erf(float x) {
  return std::erf(x);
}
inline float sin(float x) {
  return std::sin(x);
}
inline float cos(float x) {
  return std::cos(x);
}
inline float pow(float x, float y) {
  return std::pow(x, y);
}

}  // namespace dvmsim::eval_math
