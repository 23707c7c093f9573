// Arithmetic over named numbers: what a metric of a table, a derived parameter or a cost is said
// in. Owns the grammar; what a name stands for is the caller's.
//
//   sum      product {+|- product}
//   product  factor {*|/ factor}
//   factor   number[unit] | name | -factor | (sum) | min(sum, ...) | max | sqrt | log2 | ceil | pow
//
// A unit makes the number one in B, Hz, s or B/s: 192KiB, 1.85GHz, 5us, 1.8TB/s.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim {

class Expression {
 public:
  /// The number a name stands for; throws Error, without a place, for one that stands for nothing.
  using Lookup = std::function<double(std::string_view name)>;

  Expression() = default;
  /// Throws Error that says what is wrong, without a place.
  explicit Expression(std::string_view text);

  /// Throws Error if the result is no finite number.
  [[nodiscard]] double value(const Lookup& lookup) const;
  /// In order of appearance, each once.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  enum class Kind : char { Number, Name, Add, Subtract, Multiply, Divide, Negate, Call };
  /// In postfix order.
  struct Term {
    Kind kind = Kind::Number;
    double number = 0;   // of a number; arguments of a call
    std::string name{};  // of a name or a function
  };
  class Parser;

  std::string text_{};
  std::vector<Term> terms_{};
};

}  // namespace dvmsim
