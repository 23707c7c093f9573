// Random graphs some of whose sizes are symbols, and other sizes for them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "compiler/graph/shape.h"
#include "tests/support/random_graph.h"
#include "vm/base/error.h"

namespace dvmsim {

/// Some sizes of the inputs become symbols, in attributes too.
class SymbolicGraph {
 public:
  using Sizes = std::vector<std::int64_t>;

  explicit SymbolicGraph(std::uint64_t seed) : SymbolicGraph(seed, random_graph(seed)) {}
  SymbolicGraph(std::uint64_t seed, const RandomGraph& made)
      : random_(seed), graph_(made.graph), dtype_(made.dtype) {
    for (ValueId id : graph_.inputs) {
      for (Dim& dim : *graph_.value(id).type.shape) replace(dim, true);
    }
    for (Node& node : graph_.nodes) {
      if (node.op != Op::Reshape && node.op != Op::Expand) continue;
      for (auto& [name, attribute] : node.attributes) {
        if (Dims* dims = std::get_if<Dims>(&attribute)) {
          for (Dim& dim : *dims) replace(dim, false);
        }
      }
    }
    for (const auto& [number, name] : names_) {
      graph_.symbols.push_back(name);
      sizes_.push_back(number);
    }
  }

  /// Nullopt where no size became a symbol, or symbols do not fit together.
  [[nodiscard]] std::optional<Graph> graph() const {
    if (names_.empty()) return std::nullopt;
    try {
      return infer_shapes(graph_);
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  /// Of the symbols, as the random graph had them.
  [[nodiscard]] const Sizes& sizes() const { return sizes_; }
  [[nodiscard]] DType dtype() const { return dtype_; }  // of most values
  [[nodiscard]] Sizes other_sizes() {
    Sizes sizes = sizes_;
    for (std::int64_t& size : sizes) {
      const auto pick = random_() % 8;
      if (pick == 0) size = 1;
      if (pick == 1) size = sizes.front();
      if (pick > 2) size = 1 + static_cast<std::int64_t>(random_() % 200);
    }
    return sizes;
  }

 private:
  void replace(Dim& dim, bool may_name) {
    if (!dim.is_known() || dim.value() < 2) return;
    const std::int64_t number = dim.value();
    if (may_name && !seen_.contains(number) && random_() % 3 != 0) {
      names_[number] = "s" + std::to_string(number);
    }
    seen_.insert(number);
    if (names_.contains(number)) dim = Dim::symbol(names_.at(number));
  }

  std::mt19937_64 random_;
  Graph graph_{};
  DType dtype_{};
  std::set<std::int64_t> seen_{};
  std::map<std::int64_t, std::string> names_{};
  Sizes sizes_{};
};

}  // namespace dvmsim
