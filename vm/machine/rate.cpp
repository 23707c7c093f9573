#include "vm/machine/rate.h"

#include <limits>
#include <numeric>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Wide = __int128;

Wide gcd(Wide a, Wide b) {
  while (b != 0) {
    const Wide rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

Rational reduced(Wide num, Wide den) {
  const Wide divisor = gcd(num, den);
  num /= divisor;
  den /= divisor;
  constexpr Wide kMost = std::numeric_limits<std::int64_t>::max();
  DVMSIM_ASSERT(num <= kMost && den <= kMost, "a rate of the machine fits 64 bits");
  return Rational(static_cast<std::int64_t>(num), static_cast<std::int64_t>(den));
}

std::int64_t narrow(Wide value) {
  constexpr Wide kMost = std::numeric_limits<std::int64_t>::max();
  DVMSIM_ASSERT(value <= kMost, "an amount of cycles or bytes fits 64 bits");
  return static_cast<std::int64_t>(value);
}

constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;

}  // namespace

Rational::Rational(std::int64_t num, std::int64_t den) {
  DVMSIM_ASSERT(num >= 0 && den > 0, "a rational of the machine is not negative");
  const std::int64_t divisor = std::gcd(num, den);
  num_ = num / divisor;
  den_ = den / divisor;
}

std::int64_t Rational::ceil_of(std::int64_t amount) const {
  DVMSIM_ASSERT(num_ > 0, "what divides is not zero");
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(amount, den_, &product) &&
      !__builtin_add_overflow(product, num_ - 1, &product)) {
    return product / num_;
  }
  return narrow((Wide(amount) * den_ + num_ - 1) / num_);
}

std::int64_t Rational::times_up(std::int64_t amount) const {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(amount, num_, &product) &&
      !__builtin_add_overflow(product, den_ - 1, &product)) {
    return product / den_;
  }
  return narrow((Wide(amount) * num_ + den_ - 1) / den_);
}

std::int64_t Rational::times_down(std::int64_t amount) const {
  return narrow(Wide(amount) * num_ / den_);
}

Rational operator*(Rational a, Rational b) {
  return reduced(Wide(a.num_) * b.num_, Wide(a.den_) * b.den_);
}

Rational operator/(Rational a, Rational b) {
  DVMSIM_ASSERT(b.num_ > 0, "what divides is not zero");
  return reduced(Wide(a.num_) * b.den_, Wide(a.den_) * b.num_);
}

bool operator<(Rational a, Rational b) {
  return Wide(a.num_) * b.den_ < Wide(b.num_) * a.den_;
}

Rate Rate::per_second(Rational bytes_per_second, Hertz clock) {
  Rate rate(bytes_per_second / Rational(clock.count()));
  rate.fixed_in_time_ = true;
  return rate;
}

Rational Rate::per_second(Hertz clock) const {
  return per_cycle_ * Rational(clock.count());
}

Rate Rate::rescaled(Hertz from, Hertz to) const {
  return fixed_in_time_ ? per_second(per_second(from), to) : *this;
}

Delay::Delay(Picoseconds time, Hertz clock)
    : cycles_(cycles_in(time, clock)), time_(time), fixed_in_time_(true) {}

Delay Delay::rescaled(Hertz to) const {
  return fixed_in_time_ ? Delay(time_, to) : *this;
}

Cycles cycles_in(Picoseconds time, Hertz clock) {
  const Wide product = Wide(time.count()) * clock.count();
  return Cycles(narrow((product + kPicosecondsPerSecond - 1) / kPicosecondsPerSecond));
}

Picoseconds time_of(Cycles cycles, Hertz clock) {
  const Wide product = Wide(cycles.count()) * kPicosecondsPerSecond;
  return Picoseconds(narrow((product + clock.count() / 2) / clock.count()));
}

}  // namespace dvmsim
