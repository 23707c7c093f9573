// What compiling a case takes, in its ways, measured.
#pragma once

#include <optional>
#include <vector>

#include "cli/compile_cases.h"
#include "compiler/graph/graph.h"
#include "compiler/runtime/strategy/strategy.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Microseconds of CPU, of every size of the case in turn.
struct CompileTiming {
  using Samples = std::vector<double>;
  Samples first{};    // from the graph and its sizes to bytes, passes and partition included
  Samples cold{};     // the graph's plan is there and is bound to sizes, of which it keeps nothing
  Samples patched{};  // with `parametric`: sizes like them were compiled for, they themselves not
  Samples cached{};   // the sizes were run before
  /// Of the processor for each operator of the graph, compiled cold at the first size. Empty where
  /// they were not asked for or cannot be counted.
  Samples instructions{};

  void add(const CompileTiming& other);
};

/// As the text form says it, shaped.
[[nodiscard]] Graph graph_of(const CompileCase& each);
/// As the strategy, which encodes bytecode, compiles.
[[nodiscard]] CompileTiming measure_compile(const CompileCase& each, const Machine& machine,
                                            const Strategy& strategy);
/// Adds the instructions, which takes seconds.
void count_compile(const CompileCase& each, const Machine& machine, const Strategy& strategy,
                   CompileTiming& timing);

}  // namespace dvmsim
