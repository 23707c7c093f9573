// Random small graphs of known shapes: elementwise chains with broadcasts, reductions,
// normalisations, products, moves, and what lies between them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "compiler/graph/graph.h"
#include "compiler/graph/tensor.h"

namespace dvmsim {

struct RandomGraph {
  Graph graph{};  // shaped
  DType dtype{};  // of most values
  std::map<std::string, Tensor> inputs{};
};

/// The same seed gives the same graph and inputs. Values stay near 1, and no step amplifies
/// rounding: comparisons read inputs only, and divisors stay away from zero.
[[nodiscard]] RandomGraph random_graph(std::uint64_t seed);
/// The same of moves, one after another, between few kernels.
[[nodiscard]] RandomGraph random_moves(std::uint64_t seed);

}  // namespace dvmsim
