// Dims as a flat program: all of them evaluated at once for the values of their symbols, without
// looking at a name or allocating. Equal Dims have one place.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/dim.h"

namespace dvmsim {

class DimTable {
 public:
  /// The symbols in the order in which their values will be given.
  explicit DimTable(std::vector<std::string> symbols) : symbols_(std::move(symbols)) {}

  /// The place of the Dim in what evaluate fills.
  int add(const Dim& dim);
  [[nodiscard]] std::size_t size() const { return steps_.size(); }

  /// Values of everything added. Error as for resolve().
  void evaluate(std::span<const std::int64_t> symbols, std::vector<std::int64_t>& values) const;

 private:
  enum class Kind : std::uint8_t { Constant, Symbol, Add, Multiply, FloorDiv, Min, Max };
  /// Of values before it, or a constant, or the number of a symbol.
  struct Step {
    Kind kind = Kind::Constant;
    int a = 0, b = 0;
    std::int64_t constant = 0;
  };
  int constant(std::int64_t value);
  int step(Kind kind, int a, int b);
  int atom(const DimAtom& atom);

  std::vector<std::string> symbols_;
  std::vector<Step> steps_{};
  std::map<Dim, int> place_{};
};

}  // namespace dvmsim
