// Element types of tensors and instructions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dvmsim {

enum class DType : std::uint8_t { Bool, I8, U8, I32, I64, F16, BF16, F32 };

inline constexpr std::array kDTypes = {DType::Bool, DType::I8,  DType::U8,   DType::I32,
                                       DType::I64,  DType::F16, DType::BF16, DType::F32};

/// Bytes of one element; Bool takes one byte holding 0 or 1.
[[nodiscard]] constexpr int size_of(DType type) {
  constexpr int kSizes[] = {1, 1, 1, 4, 8, 2, 2, 4};
  return kSizes[static_cast<int>(type)];
}
[[nodiscard]] constexpr std::string_view name_of(DType type) {
  constexpr std::string_view kNames[] = {"bool", "i8", "u8", "i32", "i64", "f16", "bf16", "f32"};
  return kNames[static_cast<int>(type)];
}
[[nodiscard]] constexpr bool is_float(DType type) {
  return type >= DType::F16;
}
[[nodiscard]] constexpr std::optional<DType> parse_dtype(std::string_view name) {
  for (DType type : kDTypes) {
    if (name_of(type) == name) return type;
  }
  return std::nullopt;
}

/// A set of types, as a mask: dtype_set(DType::F16, DType::F32).
using DTypeSet = std::uint16_t;
template <class... Types>
[[nodiscard]] constexpr DTypeSet dtype_set(Types... types) {
  return static_cast<DTypeSet>((0u | ... | (1u << static_cast<unsigned>(types))));
}
[[nodiscard]] constexpr bool contains(DTypeSet set, DType type) {
  return (set >> static_cast<unsigned>(type) & 1u) != 0;
}

}  // namespace dvmsim
