// A number that cannot be mistaken for another kind of number: cycles do not add to bytes.
// Owns arithmetic within one kind and scaling by plain integers; conversions are spelled out.
#pragma once

#include <compare>
#include <cstdint>

namespace dvmsim {

template <class Tag>
class Strong {
 public:
  constexpr Strong() = default;
  constexpr explicit Strong(std::int64_t count) : count_(count) {}

  constexpr Strong& operator+=(Strong other) { return count_ += other.count_, *this; }
  constexpr Strong& operator-=(Strong other) { return count_ -= other.count_, *this; }

  [[nodiscard]] constexpr std::int64_t count() const { return count_; }

  friend constexpr Strong operator+(Strong a, Strong b) { return Strong(a.count_ + b.count_); }
  friend constexpr Strong operator-(Strong a, Strong b) { return Strong(a.count_ - b.count_); }
  friend constexpr Strong operator*(Strong a, std::int64_t n) { return Strong(a.count_ * n); }
  friend constexpr Strong operator*(std::int64_t n, Strong a) { return Strong(a.count_ * n); }
  friend constexpr std::int64_t operator/(Strong a, Strong b) { return a.count_ / b.count_; }
  friend constexpr auto operator<=>(Strong, Strong) = default;

 private:
  std::int64_t count_ = 0;
};

/// Core clock cycles of the simulated machine: a point on its clock or a duration.
using Cycles = Strong<struct CyclesTag>;
/// Bytes: a size, an offset inside one memory, or an amount moved.
using Bytes = Strong<struct BytesTag>;

}  // namespace dvmsim
