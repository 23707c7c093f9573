// Shrinks a graph while it stays interesting: delta debugging over outputs, nodes, inputs and
// sizes, until no single cut is left. Owns the search; what is interesting is the caller's
// question.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>

#include "compiler/graph/dim.h"
#include "compiler/graph/graph.h"

namespace dvmsim {

/// A graph as its text says it, and the sizes of its symbols.
struct ReductionCase {
  std::string text{};
  Bindings dims{};
};

class Reducer {
 public:
  /// Asked again and again: does it still show what is looked for?
  using Interesting = std::function<bool(const ReductionCase&)>;
  /// Told of every smaller case that is.
  using Smaller = std::function<void(const Graph&, std::int64_t tries)>;

  /// At most `most_tries` questions, of which the first is about the whole.
  Reducer(Interesting interesting, Smaller smaller, std::int64_t most_tries)
      : interesting_(std::move(interesting)),
        smaller_(std::move(smaller)),
        most_tries_(most_tries) {}

  /// Nullopt if the graph itself is not interesting. The same graph and answers give the same case.
  [[nodiscard]] std::optional<ReductionCase> run(const Graph& graph, const Bindings& dims);
  /// Of the last case found.
  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] std::int64_t tries() const { return tries_; }

 private:
  /// Keeps the candidate if it makes sense, was not asked about before and is interesting.
  bool accept(const std::optional<Graph>& candidate, const Bindings& dims);
  bool accept(const std::optional<Graph>& candidate) { return accept(candidate, best_.dims); }
  /// Drops items that `build` can do without, in halves, quarters ... ; whether any went.
  bool drop(std::size_t count,
            const std::function<std::optional<Graph>(const std::vector<std::size_t>& kept)>& build);
  bool bind_numbers();
  bool drop_outputs();
  bool drop_nodes();
  bool bypass_nodes();
  bool free_constants();
  bool join_inputs();
  bool shrink_sizes();
  bool shrink_symbols();

  Interesting interesting_;
  Smaller smaller_;
  std::int64_t most_tries_, tries_ = 0;
  Graph graph_{};  // shaped as far as its symbols let it be
  ReductionCase best_{};
  std::unordered_set<std::string> asked_{};
};

}  // namespace dvmsim
