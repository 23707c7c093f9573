#include "compiler/graph/decompose.h"
#include "compiler/pass/pass.h"

namespace dvmsim {

Graph decompose_composites(const Graph& graph, const PassContext&) {
  return decompose(graph);
}

}  // namespace dvmsim
