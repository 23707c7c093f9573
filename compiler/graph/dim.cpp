#include "compiler/graph/dim.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "compiler/graph/checked.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Dim of_atom(DimAtom atom) {
  return Dim::polynomial(0, {DimTerm{1, {std::move(atom)}}});
}

Dim function(DimAtom::Kind kind, const Dim& a, const Dim& b) {
  return of_atom(DimAtom{kind, {}, {a, b}});
}

/// a / b if every term of a is a multiple of the single term (or number) b.
std::optional<Dim> exact_quotient(const Dim& a, const Dim& b) {
  if (b.is_known()) {
    if (b.value() == 0 || a.constant() % b.value() != 0) return std::nullopt;
    std::vector<DimTerm> terms = a.terms();
    for (DimTerm& term : terms) {
      if (term.coefficient % b.value() != 0) return std::nullopt;
      term.coefficient /= b.value();
    }
    return Dim::polynomial(a.constant() / b.value(), std::move(terms));
  }
  if (b.constant() != 0 || b.terms().size() != 1) {
    return a == b ? std::optional<Dim>(1) : std::nullopt;
  }
  if (a.constant() != 0) return std::nullopt;
  const DimTerm& divisor = b.terms().front();
  Dim result = 0;
  for (DimTerm term : a.terms()) {
    if (term.coefficient % divisor.coefficient != 0) return std::nullopt;
    term.coefficient /= divisor.coefficient;
    for (const DimAtom& atom : divisor.atoms) {
      const auto found = std::find(term.atoms.begin(), term.atoms.end(), atom);
      if (found == term.atoms.end()) return std::nullopt;
      term.atoms.erase(found);
    }
    result = result +
             (term.atoms.empty() ? Dim(term.coefficient) : Dim::polynomial(0, {std::move(term)}));
  }
  return result;
}

std::string atom_text(const DimAtom& atom) {
  constexpr const char* kNames[] = {"", "floordiv", "min", "max"};
  if (atom.kind == DimAtom::Kind::Symbol) return atom.name;
  return std::string(kNames[static_cast<int>(atom.kind)]) + "(" + to_text(atom.args[0]) + ", " +
         to_text(atom.args[1]) + ")";
}

/// Evaluates with `of_symbol` giving each symbol's replacement.
template <class OfSymbol>
Dim rebuild(const Dim& a, const OfSymbol& of_symbol) {
  if (a.is_known()) return a;
  Dim sum = a.constant();
  for (const DimTerm& term : a.terms()) {
    Dim product = term.coefficient;
    for (const DimAtom& atom : term.atoms) {
      if (atom.kind == DimAtom::Kind::Symbol) {
        product = product * of_symbol(atom.name);
        continue;
      }
      const Dim left = rebuild(atom.args[0], of_symbol);
      const Dim right = rebuild(atom.args[1], of_symbol);
      switch (atom.kind) {
        case DimAtom::Kind::FloorDiv:
          product = product * floor_div(left, right);
          break;
        case DimAtom::Kind::Min:
          product = product * min(left, right);
          break;
        default:
          product = product * max(left, right);
      }
    }
    sum = sum + product;
  }
  return sum;
}

}  // namespace

Dim::Dim() = default;
Dim::Dim(std::int64_t value) : constant_(value) {}
Dim::Dim(const Dim&) = default;
Dim::Dim(Dim&&) noexcept = default;
Dim& Dim::operator=(const Dim&) = default;
Dim& Dim::operator=(Dim&&) noexcept = default;
Dim::~Dim() = default;

Dim Dim::symbol(const std::string& name) {
  return of_atom(DimAtom{DimAtom::Kind::Symbol, name, {}});
}

bool Dim::is_known() const {
  return terms_.empty();
}

std::int64_t Dim::value() const {
  DVMSIM_ASSERT(is_known(), "only a known dimension has a value");
  return constant_;
}

std::optional<std::string> Dim::symbol_name() const {
  if (constant_ != 0 || terms_.size() != 1 || terms_[0].coefficient != 1) return std::nullopt;
  if (terms_[0].atoms.size() != 1) return std::nullopt;
  const DimAtom& atom = terms_[0].atoms[0];
  if (atom.kind != DimAtom::Kind::Symbol) return std::nullopt;
  return atom.name;
}

Dim Dim::polynomial(std::int64_t constant, std::vector<DimTerm> terms) {
  for (DimTerm& term : terms) std::sort(term.atoms.begin(), term.atoms.end());
  std::sort(terms.begin(), terms.end(),
            [](const DimTerm& a, const DimTerm& b) { return a.atoms < b.atoms; });
  Dim result(constant);
  for (DimTerm& term : terms) {
    std::vector<DimTerm>& kept = result.terms_;
    if (!kept.empty() && kept.back().atoms == term.atoms) {
      kept.back().coefficient = checked::sum(kept.back().coefficient, term.coefficient);
    } else {
      kept.push_back(std::move(term));
    }
    if (kept.back().coefficient == 0) kept.pop_back();
  }
  return result;
}

std::strong_ordering operator<=>(const DimAtom& a, const DimAtom& b) {
  if (const auto order = a.kind <=> b.kind; order != 0) return order;
  if (const int order = a.name.compare(b.name); order != 0) return order <=> 0;
  return std::lexicographical_compare_three_way(a.args.begin(), a.args.end(), b.args.begin(),
                                                b.args.end());
}

std::strong_ordering operator<=>(const Dim& a, const Dim& b) {
  const auto by_term = [](const DimTerm& x, const DimTerm& y) -> std::strong_ordering {
    const auto order = std::lexicographical_compare_three_way(x.atoms.begin(), x.atoms.end(),
                                                              y.atoms.begin(), y.atoms.end());
    return order != 0 ? order : x.coefficient <=> y.coefficient;
  };
  const auto order = std::lexicographical_compare_three_way(
      a.terms_.begin(), a.terms_.end(), b.terms_.begin(), b.terms_.end(), by_term);
  return order != 0 ? order : a.constant_ <=> b.constant_;
}

bool operator==(const Dim& a, const Dim& b) {
  return (a <=> b) == 0;
}

Dim operator+(const Dim& a, const Dim& b) {
  const std::int64_t constant = checked::sum(a.constant_, b.constant_);
  if (a.is_known() && b.is_known()) return constant;
  std::vector<DimTerm> terms = a.terms_;
  terms.insert(terms.end(), b.terms_.begin(), b.terms_.end());
  return Dim::polynomial(constant, std::move(terms));
}

Dim operator-(const Dim& a, const Dim& b) {
  return a + Dim(-1) * b;
}

Dim operator*(const Dim& a, const Dim& b) {
  const std::int64_t constant = checked::product(a.constant_, b.constant_);
  if (a.is_known() && b.is_known()) return constant;
  std::vector<DimTerm> terms;
  for (const DimTerm& x : a.terms_) {
    if (b.constant_ != 0) terms.push_back({checked::product(x.coefficient, b.constant_), x.atoms});
    for (const DimTerm& y : b.terms_) {
      DimTerm product{checked::product(x.coefficient, y.coefficient), x.atoms};
      product.atoms.insert(product.atoms.end(), y.atoms.begin(), y.atoms.end());
      terms.push_back(std::move(product));
    }
  }
  for (const DimTerm& y : b.terms_) {
    if (a.constant_ != 0) terms.push_back({checked::product(y.coefficient, a.constant_), y.atoms});
  }
  return Dim::polynomial(constant, std::move(terms));
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (a.is_known() && b.is_known()) return checked::quotient(a.value(), b.value());
  if (const std::optional<Dim> quotient = exact_quotient(a, b)) return *quotient;
  if (!b.is_known() || b.value() <= 0) return function(DimAtom::Kind::FloorDiv, a, b);
  // Pull out what divides: floor((b*q + r) / b) = q + floor(r / b).
  const std::int64_t divisor = b.value();
  const std::int64_t whole = checked::quotient(a.constant(), divisor);
  std::vector<DimTerm> quotients;
  std::vector<DimTerm> rest;
  for (const DimTerm& term : a.terms()) {
    if (term.coefficient % divisor == 0) {
      quotients.push_back({term.coefficient / divisor, term.atoms});
    } else {
      rest.push_back(term);
    }
  }
  const Dim pulled = Dim::polynomial(whole, std::move(quotients));
  const Dim left = Dim::polynomial(a.constant() - whole * divisor, std::move(rest));
  if (left.is_known()) return pulled;
  // floor((floor(x / d) + c) / b) = floor((x + c*d) / (d*b)).
  if (left.terms().size() == 1 && left.terms()[0].coefficient == 1 &&
      left.terms()[0].atoms.size() == 1) {
    const DimAtom& inner = left.terms()[0].atoms[0];
    if (inner.kind == DimAtom::Kind::FloorDiv && inner.args[1].is_known()) {
      const Dim& by = inner.args[1];
      return pulled + floor_div(inner.args[0] + Dim(left.constant()) * by, by * b);
    }
  }
  return pulled + function(DimAtom::Kind::FloorDiv, left, b);
}

Dim ceil_div(const Dim& a, const Dim& b) {
  return floor_div(a + b - 1, b);
}

std::optional<std::int64_t> lower_bound(const Dim& a) {
  std::int64_t bound = a.constant();
  for (const DimTerm& term : a.terms()) {
    if (term.coefficient < 0) return std::nullopt;
    for (const DimAtom& atom : term.atoms) {  // a product of numbers >= 0 is >= 0
      if (atom.kind == DimAtom::Kind::Symbol) continue;
      const std::optional<std::int64_t> left = lower_bound(atom.args[0]);
      const std::optional<std::int64_t> right = lower_bound(atom.args[1]);
      const bool left_ok = left && *left >= 0;
      const bool right_ok = right && *right >= 0;
      if (atom.kind == DimAtom::Kind::Max ? !(left_ok || right_ok) : !(left_ok && right_ok)) {
        return std::nullopt;
      }
    }
  }
  return bound;
}

namespace {
/// True if a >= b for every binding, as far as can be seen.
bool surely_at_least(const Dim& a, const Dim& b) {
  const std::optional<std::int64_t> difference = lower_bound(a - b);
  return difference && *difference >= 0;
}
}  // namespace

Dim min(const Dim& a, const Dim& b) {
  if (surely_at_least(a, b)) return b;
  if (surely_at_least(b, a)) return a;
  return a < b ? function(DimAtom::Kind::Min, b, a) : function(DimAtom::Kind::Min, a, b);
}

Dim max(const Dim& a, const Dim& b) {
  if (surely_at_least(a, b)) return a;
  if (surely_at_least(b, a)) return b;
  return a < b ? function(DimAtom::Kind::Max, b, a) : function(DimAtom::Kind::Max, a, b);
}

std::int64_t resolve(const Dim& a, const Bindings& bindings) {
  return rebuild(
             a,
             [&](const std::string& name) -> Dim {
               const auto found = bindings.find(name);
               if (found == bindings.end()) {
                 throw Error("dimension '" + name + "' has no value; give --dim " + name + "=N");
               }
               return found->second;
             })
      .value();
}

Dim substitute(const Dim& a, const Bindings& bindings) {
  return rebuild(a, [&](const std::string& name) -> Dim {
    const auto found = bindings.find(name);
    return found == bindings.end() ? Dim::symbol(name) : Dim(found->second);
  });
}

void collect_symbols(const Dim& a, std::set<std::string>& names) {
  for (const DimTerm& term : a.terms()) {
    for (const DimAtom& atom : term.atoms) {
      if (atom.kind == DimAtom::Kind::Symbol) names.insert(atom.name);
      for (const Dim& arg : atom.args) collect_symbols(arg, names);
    }
  }
}

std::string to_text(const Dim& a) {
  std::string text;
  for (const DimTerm& term : a.terms()) {
    const bool negative = term.coefficient < 0;
    if (text.empty()) {
      if (negative) text += "-";
    } else {
      text += negative ? " - " : " + ";
    }
    std::string factors = std::to_string(term.coefficient).substr(negative ? 1 : 0);
    factors = factors == "1" ? "" : factors + "*";
    for (const DimAtom& atom : term.atoms) {
      text += factors + atom_text(atom);
      factors = "*";
    }
  }
  if (text.empty()) return std::to_string(a.constant());
  if (a.constant() > 0) text += " + " + std::to_string(a.constant());
  if (a.constant() < 0) text += " - " + std::to_string(a.constant()).substr(1);
  return text;
}

Dim element_count(const Dims& shape) {
  Dim count = 1;
  for (const Dim& dim : shape) count = count * dim;
  return count;
}

std::vector<std::int64_t> resolve(const Dims& shape, const Bindings& bindings) {
  std::vector<std::int64_t> result;
  result.reserve(shape.size());
  for (const Dim& dim : shape) result.push_back(resolve(dim, bindings));
  return result;
}

std::string to_text(const Dims& shape) {
  std::string text = "[";
  for (const Dim& dim : shape) {
    if (text.size() > 1) text += ", ";
    text += to_text(dim);
  }
  return text + "]";
}

}  // namespace dvmsim
