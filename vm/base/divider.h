// Division by a number that stays the same, without the host's own division, which is slow: one
// multiplication, as long as the result is sure to be exact.
#pragma once

#include <bit>
#include <cstdint>

namespace dvmsim {

class Divider {
 public:
  /// divisor > 0
  explicit constexpr Divider(std::uint64_t divisor)
      : divisor_(divisor),
        inverse_(divisor >> 32 == 0 ? ~std::uint64_t{0} / (2 * divisor) + 1 : 0),
        limit_(divisor >> 32 != 0             ? 0
               : std::has_single_bit(divisor) ? std::uint64_t{1} << 63
                                              : std::uint64_t{1} << 31) {}

  [[nodiscard]] constexpr std::uint64_t divisor() const { return divisor_; }
  [[nodiscard]] constexpr std::uint64_t quotient(std::uint64_t number) const {
    if (number >= limit_) return number / divisor_;
    // The inverse of twice the divisor is too large by less than 2^-64; that times twice the number
    // stays below one part in divisor.
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(inverse_) * (2 * number) >>
                                      64);
  }
  [[nodiscard]] constexpr std::uint64_t remainder(std::uint64_t number) const {
    return number - quotient(number) * divisor_;
  }

 private:
  std::uint64_t divisor_, inverse_, limit_;
};

}  // namespace dvmsim
