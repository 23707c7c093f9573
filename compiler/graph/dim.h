// Symbolic dimensions: integers known only when a launch binds the symbols of a graph. A Dim is a
// polynomial over atoms (symbols, floor divisions, minima, maxima) kept in canonical form, so that
// equal expressions compare equal. Symbols stand for integers >= 0. Plain values: nothing is
// shared.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace dvmsim {

/// What the symbols of a graph are, for one launch.
using Bindings = std::map<std::string, std::int64_t>;

struct DimTerm;

class Dim {
 public:
  Dim();
  Dim(std::int64_t value);  // implicit on purpose: an integer is a Dim
  [[nodiscard]] static Dim symbol(const std::string& name);
  Dim(const Dim&);
  Dim(Dim&&) noexcept;
  Dim& operator=(const Dim&);
  Dim& operator=(Dim&&) noexcept;
  ~Dim();

  [[nodiscard]] bool is_known() const;
  /// The value of a known Dim.
  [[nodiscard]] std::int64_t value() const;
  [[nodiscard]] bool is(std::int64_t value) const { return is_known() && constant_ == value; }
  /// The name, if the Dim is exactly one symbol.
  [[nodiscard]] std::optional<std::string> symbol_name() const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend bool operator==(const Dim& a, const Dim& b);
  friend std::strong_ordering operator<=>(const Dim& a, const Dim& b);

  /// Any order that is the same on every run; not the order of the values.
  [[nodiscard]] const std::vector<DimTerm>& terms() const { return terms_; }
  [[nodiscard]] std::int64_t constant() const { return constant_; }
  /// constant + sum of terms, brought to canonical form.
  [[nodiscard]] static Dim polynomial(std::int64_t constant, std::vector<DimTerm> terms);

 private:
  std::int64_t constant_ = 0;
  std::vector<DimTerm> terms_;  // sorted by atoms; no zero coefficient
};

/// A factor of a term: a symbol, or a function of two Dims that no rule could remove.
struct DimAtom {
  enum class Kind : std::uint8_t { Symbol, FloorDiv, Min, Max };
  Kind kind = Kind::Symbol;
  std::string name;       // of a Symbol
  std::vector<Dim> args;  // two, of the others
  friend bool operator==(const DimAtom&, const DimAtom&) = default;
  friend std::strong_ordering operator<=>(const DimAtom& a, const DimAtom& b);
};

struct DimTerm {
  std::int64_t coefficient = 0;
  std::vector<DimAtom> atoms;  // sorted, not empty
};

[[nodiscard]] Dim floor_div(const Dim& a, const Dim& b);
[[nodiscard]] Dim ceil_div(const Dim& a, const Dim& b);
[[nodiscard]] Dim min(const Dim& a, const Dim& b);
[[nodiscard]] Dim max(const Dim& a, const Dim& b);
/// The largest value known to be <= a for every binding of its symbols, if there is one.
[[nodiscard]] std::optional<std::int64_t> lower_bound(const Dim& a);

/// The value of `a`. A symbol without binding is an Error naming it and --dim.
[[nodiscard]] std::int64_t resolve(const Dim& a, const Bindings& bindings);
/// `a` with the bound symbols replaced; the others stay.
[[nodiscard]] Dim substitute(const Dim& a, const Bindings& bindings);
/// Adds the names of the symbols of `a`.
void collect_symbols(const Dim& a, std::set<std::string>& names);

/// "768", "2*seq + 1", "floordiv(seq - 1, 2)", "min(seq, 64)"; graph/text parses it back.
[[nodiscard]] std::string to_text(const Dim& a);

using Dims = std::vector<Dim>;
[[nodiscard]] inline Dims as_dims(const std::vector<std::int64_t>& sizes) {
  return {sizes.begin(), sizes.end()};
}
[[nodiscard]] Dim element_count(const Dims& shape);
[[nodiscard]] std::vector<std::int64_t> resolve(const Dims& shape, const Bindings& bindings);
[[nodiscard]] std::string to_text(const Dims& shape);  // "[1, seq, 768]"

}  // namespace dvmsim
