// A graph compiled as far as it goes without the sizes of its symbols: passes, partition, and what
// each vector kernel does. What was decided by a first set of sizes is remembered as questions
// (guards.h); for sizes that answer them alike, only schedules are chosen and programs written. The
// module is the one that compile() makes of the graph with these sizes written in, but for numbers
// in names where constants fold; with the feature `parametric` the one that a plan made for these
// sizes makes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/graph/guards.h"
#include "compiler/module/compile.h"
#include "compiler/module/fold_views.h"
#include "compiler/module/known_schedules.h"
#include "compiler/pass/pass.h"
#include "compiler/pass/reroll.h"

namespace dvmsim {

/// A graph of primitives in groups, and what its vector groups do.
struct PlannedGraph {
  Graph graph{};
  Partition partition{};
  Views views{};                         // what lies in another value's tensor
  std::vector<FoldRemark> folds{};       // why moves do not
  std::vector<LoweredKernel> kernels{};  // by group; empty for groups of another kind
  std::vector<Rerolled> rerolled{};
};
/// `graph` comes from run_passes, and its shapes are numbers.
[[nodiscard]] PlannedGraph plan_graph(Graph graph, const Machine& machine, Fusion fusion,
                                      Features features, FusionHints hints = {});

/// What the passes of a graph without symbols may look at. `rerolled` is for what is re-rolled if
/// each operator has its own launches.
[[nodiscard]] PassContext pass_context(const Machine& machine, const CompileOptions& options,
                                       std::vector<Rerolled>& rerolled);

class Plan {
 public:
  /// `graph` is shaped; `sizes` of its symbols, in order. Machine outlives the plan. Throws Error,
  /// naming the node, for what cannot be compiled for these sizes.
  Plan(const Graph& graph, std::span<const std::int64_t> sizes, const Machine& machine,
       const CompileOptions& options);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  /// Can it be used for other sizes than the first?
  [[nodiscard]] bool symbolic() const { return symbolic_; }
  /// Takes other sizes. False, and of no more use until it is true, where something would be
  /// decided otherwise.
  [[nodiscard]] bool bind(std::span<const std::int64_t> sizes);
  /// For the sizes it has.
  [[nodiscard]] Module compile(CompileWork* work = nullptr);

 private:
  /// A number of the graph that depends on symbols.
  struct Number {
    int place = 0;  // in values_
    Dim* where = nullptr;
  };
  /// A kernel whose sizes depend on symbols.
  struct Sized {
    VectorKernel* kernel = nullptr;
    std::vector<int> places{};  // of its dimensions
  };
  /// A constant that is a number of elements, or one over it.
  struct Count {
    int place = 0;
    ValueId constant = kNoValue;
  };
  void plan_numbers(const Graph& numbers);
  void plan_symbolic(const Graph& lowered);
  void keep_checks(const Graph& lowered);
  void keep_counts(const Graph& lowered);
  void add_sized(LoweredKernel& kernel, const Graph& lowered, std::vector<Sized>& list);
  void set_sizes(const Sized& sized) const;
  [[nodiscard]] bool is_possible(const Node& node) const;
  [[nodiscard]] bool has_same_prologues() const;
  [[nodiscard]] bool has_same_chains() const;
  [[nodiscard]] bool has_same_rows() const;
  [[nodiscard]] bool has_same_tiles() const;
  void set_counts();
  void lower_again();

  const Machine& machine_;
  CompileOptions options_;
  bool symbolic_ = false;
  Guards guards_;
  PlannedGraph planned_{};
  KnownSchedules known_{};
  VectorMeasure measure_{};
  std::vector<std::int64_t> values_{};
  std::vector<Number> numbers_{};
  std::vector<FitCheck> checks_{};  // whose answer depends on sizes
  std::vector<Sized> kernels_{}, checked_{};
  std::vector<Count> counts_{};
  std::vector<std::size_t> beside_moves_{};   // groups that what folds depends on
  std::vector<std::size_t> lowered_again_{};  // these, and those that counts are part of
};

}  // namespace dvmsim
