#include "compiler/graph/dim_bounds.h"

#include <algorithm>

namespace dvmsim {
namespace {

DimRange product(DimRange a, DimRange b) {
  const auto [least, most] =
      std::minmax({a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most});
  return {least, most};
}

std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

DimRange range_of(const DimAtom& atom, const Bindings& largest) {
  if (atom.kind == DimAtom::Kind::Symbol) return {0, largest.at(atom.name)};
  const DimRange a = range_of(atom.args[0], largest), b = range_of(atom.args[1], largest);
  if (atom.kind == DimAtom::Kind::Min) {
    return {std::min(a.least, b.least), std::min(a.most, b.most)};
  }
  if (atom.kind == DimAtom::Kind::Max) {
    return {std::max(a.least, b.least), std::max(a.most, b.most)};
  }
  const std::int64_t d = std::max<std::int64_t>(1, b.least), e = std::max(d, b.most);
  const auto [least, most] = std::minmax(
      {floor_of(a.least, d), floor_of(a.least, e), floor_of(a.most, d), floor_of(a.most, e)});
  return {least, most};
}

Dim simplify(const DimAtom& atom, const Bindings& largest) {
  if (atom.kind == DimAtom::Kind::Symbol) return Dim::symbol(atom.name);
  const Dim a = simplify(atom.args[0], largest), b = simplify(atom.args[1], largest);
  if (atom.kind == DimAtom::Kind::FloorDiv) return floor_div(a, b);
  const DimRange left = range_of(a, largest), right = range_of(b, largest);
  const bool smaller = atom.kind == DimAtom::Kind::Min;
  if (left.most <= right.least) return smaller ? a : b;
  if (right.most <= left.least) return smaller ? b : a;
  return smaller ? min(a, b) : max(a, b);
}

}  // namespace

DimRange range_of(const Dim& dim, const Bindings& largest) {
  DimRange sum{dim.constant(), dim.constant()};
  for (const DimTerm& term : dim.terms()) {
    DimRange range{term.coefficient, term.coefficient};
    for (const DimAtom& atom : term.atoms) range = product(range, range_of(atom, largest));
    sum = {sum.least + range.least, sum.most + range.most};
  }
  return sum;
}

Dim simplify(const Dim& dim, const Bindings& largest) {
  Dim sum = dim.constant();
  for (const DimTerm& term : dim.terms()) {
    Dim part = term.coefficient;
    for (const DimAtom& atom : term.atoms) part = part * simplify(atom, largest);
    sum = sum + part;
  }
  return sum;
}

}  // namespace dvmsim
