// Element types as the meanings see them: how each is stored, and the type it is computed in (float
// for every floating type, itself for an integer, a byte for Bool).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "vm/base/dtype.h"
#include "vm/base/half.h"

namespace dvmsim::exec {

struct BoolByte {
  std::uint8_t bits = 0;
};

template <class T>
inline constexpr DType kDTypeOf = DType::Bool;
template <>
inline constexpr DType kDTypeOf<std::int8_t> = DType::I8;
template <>
inline constexpr DType kDTypeOf<std::uint8_t> = DType::U8;
template <>
inline constexpr DType kDTypeOf<std::int32_t> = DType::I32;
template <>
inline constexpr DType kDTypeOf<std::int64_t> = DType::I64;
template <>
inline constexpr DType kDTypeOf<Half> = DType::F16;
template <>
inline constexpr DType kDTypeOf<Bfloat> = DType::BF16;
template <>
inline constexpr DType kDTypeOf<float> = DType::F32;

template <class T>
inline constexpr bool kIsFloat = is_float(kDTypeOf<T>);
/// The type elements of T are computed in.
template <class T>
using Computed =
    std::conditional_t<kIsFloat<T>, float,
                       std::conditional_t<std::is_same_v<T, BoolByte>, std::uint8_t, T>>;

inline float compute_value(Half value) {
  return to_float(value);
}
inline float compute_value(Bfloat value) {
  return to_float(value);
}
inline std::uint8_t compute_value(BoolByte value) {
  return value.bits;
}
template <class T>
T compute_value(T value) {
  return value;
}
/// The computed value as an element again; the one rounding of an instruction.
template <class T>
T stored_value(Computed<T> value) {
  if constexpr (std::is_same_v<T, Half>) {
    return to_half(value);
  } else if constexpr (std::is_same_v<T, Bfloat>) {
    return to_bfloat(value);
  } else if constexpr (std::is_same_v<T, BoolByte>) {
    return BoolByte{value};
  } else {
    return value;
  }
}

/// The one NaN that arithmetic produces: which of two NaNs an FPU keeps depends on the order of its
/// operands, which a compiler may exchange.
[[gnu::always_inline]] inline float canonical(float value) {
  return value != value ? std::numeric_limits<float>::quiet_NaN() : value;
}

/// Calls `use` with a zero of the type that stores `dtype`, if the set has it; says whether it did.
template <class Use>
bool with_element(DType dtype, DTypeSet set, Use&& use) {
  if (static_cast<unsigned>(dtype) >= kDTypes.size() || !contains(set, dtype)) return false;
  switch (dtype) {
    case DType::Bool:
      use(BoolByte{});
      break;
    case DType::I8:
      use(std::int8_t{});
      break;
    case DType::U8:
      use(std::uint8_t{});
      break;
    case DType::I32:
      use(std::int32_t{});
      break;
    case DType::I64:
      use(std::int64_t{});
      break;
    case DType::F16:
      use(Half{});
      break;
    case DType::BF16:
      use(Bfloat{});
      break;
    case DType::F32:
      use(float{});
      break;
  }
  return true;
}

}  // namespace dvmsim::exec
