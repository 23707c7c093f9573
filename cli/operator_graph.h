// A graph of a single operator, as the verb `op` and callers of the library ask for one.
#pragma once

#include <vector>

#include "cli/options/options.h"
#include "compiler/graph/graph.h"

namespace dvmsim {

/// Inputs are called a, b, c ..., the output out. Throws Error for an operator, a number of shapes
/// or an attribute that there is not.
[[nodiscard]] Graph graph_of(const OpOptions& op);
/// The same for other shapes than the options', which may have symbols.
[[nodiscard]] Graph graph_of(const OpOptions& op, const std::vector<Dims>& shapes);

}  // namespace dvmsim
