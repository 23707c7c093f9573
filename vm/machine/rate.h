// Exact numbers of the machine: rationals, rates in bytes per cycle, and delays. Owns rounding;
// says which of them stay the same in time when the core clock changes.
#pragma once

#include <cstdint>

#include "vm/base/strong.h"

namespace dvmsim {

using Hertz = Strong<struct HertzTag>;
using Picoseconds = Strong<struct PicosecondsTag>;

/// A non-negative fraction in lowest terms. The default is 0.
class Rational {
 public:
  constexpr Rational() = default;
  /// `den` > 0.
  explicit Rational(std::int64_t num, std::int64_t den = 1);

  [[nodiscard]] constexpr std::int64_t num() const { return num_; }
  [[nodiscard]] constexpr std::int64_t den() const { return den_; }
  [[nodiscard]] double value() const {
    return static_cast<double>(num_) / static_cast<double>(den_);
  }
  /// amount / this, rounded up; this > 0. E.g. elements over elements per cycle.
  [[nodiscard]] std::int64_t ceil_of(std::int64_t amount) const;
  /// amount * this, rounded up or down.
  [[nodiscard]] std::int64_t times_up(std::int64_t amount) const;
  [[nodiscard]] std::int64_t times_down(std::int64_t amount) const;

  friend Rational operator*(Rational a, Rational b);
  friend Rational operator/(Rational a, Rational b);  // b > 0
  friend constexpr bool operator==(Rational, Rational) = default;
  friend bool operator<(Rational a, Rational b);

 private:
  std::int64_t num_ = 0, den_ = 1;
};

/// Bytes per core clock cycle.
class Rate {
 public:
  constexpr Rate() = default;
  explicit Rate(Rational bytes_per_cycle) : per_cycle_(bytes_per_cycle) {}
  explicit Rate(std::int64_t num, std::int64_t den = 1) : per_cycle_(num, den) {}
  /// A rate that stays when the clock changes.
  [[nodiscard]] static Rate per_second(Rational bytes_per_second, Hertz clock);

  [[nodiscard]] constexpr std::int64_t num() const { return per_cycle_.num(); }
  [[nodiscard]] constexpr std::int64_t den() const { return per_cycle_.den(); }
  [[nodiscard]] Rational per_cycle() const { return per_cycle_; }
  [[nodiscard]] Rational per_second(Hertz clock) const;
  [[nodiscard]] bool fixed_in_time() const { return fixed_in_time_; }

  /// Cycles to move the bytes, rounded up.
  [[nodiscard]] Cycles cycles_for(Bytes bytes) const {
    return Cycles(per_cycle_.ceil_of(bytes.count()));
  }
  /// Bytes moved in the cycles, rounded down.
  [[nodiscard]] Bytes bytes_in(Cycles cycles) const {
    return Bytes(per_cycle_.times_down(cycles.count()));
  }
  /// The same rate after the clock went from one frequency to another.
  [[nodiscard]] Rate rescaled(Hertz from, Hertz to) const;

  friend constexpr bool operator==(Rate, Rate) = default;

 private:
  Rational per_cycle_{};
  bool fixed_in_time_ = false;
};

/// A latency in cycles, perhaps given in time: then it is rounded up to whole cycles.
class Delay {
 public:
  constexpr Delay() = default;
  constexpr explicit Delay(Cycles cycles) : cycles_(cycles) {}
  Delay(Picoseconds time, Hertz clock);

  constexpr operator Cycles() const { return cycles_; }  // NOLINT: a Delay is read as its cycles
  [[nodiscard]] constexpr Cycles cycles() const { return cycles_; }
  [[nodiscard]] constexpr bool fixed_in_time() const { return fixed_in_time_; }
  [[nodiscard]] constexpr Picoseconds time() const { return time_; }
  [[nodiscard]] Delay rescaled(Hertz to) const;

  friend constexpr bool operator==(Delay, Delay) = default;

 private:
  Cycles cycles_{};
  Picoseconds time_{};
  bool fixed_in_time_ = false;
};

/// Whole cycles that cover a time, and the time of cycles to the nearest picosecond.
[[nodiscard]] Cycles cycles_in(Picoseconds time, Hertz clock);
[[nodiscard]] Picoseconds time_of(Cycles cycles, Hertz clock);

}  // namespace dvmsim
