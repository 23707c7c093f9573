// Division by a number that stays the same, without the host's own division, which is slow: a shift
// for powers of two, a multiplication where both numbers fit 32 bits.
#pragma once

#include <bit>
#include <cstdint>

namespace dvmsim {

class Divider {
 public:
  /// divisor > 0
  explicit constexpr Divider(std::uint64_t divisor)
      : divisor_(divisor),
        inverse_(divisor >> 32 == 0 ? ~std::uint64_t{0} / divisor + 1 : 0),
        shift_(std::has_single_bit(divisor) ? std::countr_zero(divisor) : -1) {}

  [[nodiscard]] constexpr std::uint64_t divisor() const { return divisor_; }
  [[nodiscard]] constexpr std::uint64_t quotient(std::uint64_t number) const {
    if (shift_ >= 0) return number >> shift_;
    if (number >> 32 != 0 || inverse_ == 0) return number / divisor_;
    // Exact for 32 bits: the error of the inverse times the number stays below one part in divisor.
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(inverse_) * number >> 64);
  }
  [[nodiscard]] constexpr std::uint64_t remainder(std::uint64_t number) const {
    return number - quotient(number) * divisor_;
  }

 private:
  std::uint64_t divisor_, inverse_;
  int shift_;
};

}  // namespace dvmsim
