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
inline float tan(float x) {
  return std::tan(x);
}
inline float atan(float x) {
  return std::atan(x);
}
inline float asin(float x) {
  return std::asin(x);
}
inline float acos(float x) {
  return std::acos(x);
}
inline float sinh(float x) {
  return std::sinh(x);
}
inline float cosh(float x) {
  return std::cosh(x);
}
inline float asinh(float x) {
  return std::asinh(x);
}
inline float acosh(float x) {
  return std::acosh(x);
}
inline float atanh(float x) {
  return std::atanh(x);
}
inline float pow(float x, float y) {
  return std::pow(x, y);
}

}  // namespace dvmsim::eval_math
