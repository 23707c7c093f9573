// The grammar of a graph at each level, checked in every build. A breach is a bug of the pass
// before it (or of the text's author): Error naming the rule and the node.
#pragma once

#include <cstdint>

#include "compiler/graph/graph.h"

namespace dvmsim {

enum class Level : std::uint8_t {
  Imported,  // well-formed: arity, attributes, order, kinds
  Shaped     // and: every value has a type; no host arithmetic is left whose result was deducible
};

void verify(const Graph& graph, Level level);

}  // namespace dvmsim
