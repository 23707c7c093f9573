#include "compiler/graph/dim_table.h"

#include <algorithm>

#include "compiler/graph/checked.h"
#include "vm/base/error.h"

namespace dvmsim {
int DimTable::step(Kind kind, int a, int b) {
  steps_.push_back({kind, a, b, 0});
  return static_cast<int>(steps_.size()) - 1;
}

int DimTable::constant(std::int64_t value) {
  steps_.push_back({Kind::Constant, 0, 0, value});
  return static_cast<int>(steps_.size()) - 1;
}

int DimTable::atom(const DimAtom& atom) {
  if (atom.kind == DimAtom::Kind::Symbol) {
    const auto found = std::find(symbols_.begin(), symbols_.end(), atom.name);
    DVMSIM_ASSERT(found != symbols_.end(), "a graph lists its symbols");
    return step(Kind::Symbol, static_cast<int>(found - symbols_.begin()), 0);
  }
  const int a = add(atom.args[0]), b = add(atom.args[1]);
  return step(atom.kind == DimAtom::Kind::FloorDiv ? Kind::FloorDiv
              : atom.kind == DimAtom::Kind::Min    ? Kind::Min
                                                   : Kind::Max,
              a, b);
}

int DimTable::add(const Dim& dim) {
  if (const auto found = place_.find(dim); found != place_.end()) return found->second;
  int total = dim.constant() != 0 || dim.terms().empty() ? constant(dim.constant()) : -1;
  for (const DimTerm& term : dim.terms()) {
    int factor = term.coefficient != 1 ? constant(term.coefficient) : -1;
    for (const DimAtom& each : term.atoms) {
      const int right = atom(each);
      factor = factor < 0 ? right : step(Kind::Multiply, factor, right);
    }
    total = total < 0 ? factor : step(Kind::Add, total, factor);
  }
  return place_[dim] = total;
}

void DimTable::evaluate(std::span<const std::int64_t> symbols,
                        std::vector<std::int64_t>& values) const {
  DVMSIM_ASSERT(symbols.size() == symbols_.size(), "each symbol has a value");
  values.resize(steps_.size());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& at = steps_[i];
    const auto a = static_cast<std::size_t>(at.a), b = static_cast<std::size_t>(at.b);
    switch (at.kind) {
      case Kind::Constant:
        values[i] = at.constant;
        break;
      case Kind::Symbol:
        values[i] = symbols[a];
        break;
      case Kind::Add:
        values[i] = checked::sum(values[a], values[b]);
        break;
      case Kind::Multiply:
        values[i] = checked::product(values[a], values[b]);
        break;
      case Kind::FloorDiv:
        values[i] = checked::quotient(values[a], values[b]);
        break;
      case Kind::Min:
        values[i] = std::min(values[a], values[b]);
        break;
      case Kind::Max:
        values[i] = std::max(values[a], values[b]);
        break;
    }
  }
}

}  // namespace dvmsim
