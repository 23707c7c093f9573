// A graph of elementwise operators as a C function, for compilers of C to be measured on.
#pragma once

#include <optional>
#include <string>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// One loop over the elements. Nullopt if the graph is not of f32 primitives, each of the shape of
/// the whole or a number.
[[nodiscard]] std::optional<std::string> c_kernel(const Graph& graph);

}  // namespace dvmsim
