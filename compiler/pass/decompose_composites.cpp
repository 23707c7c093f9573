#include "compiler/graph/decompose.h"
#include "compiler/pass/pass.h"

namespace dvmsim {

Graph decompose_composites(const Graph& graph, const PassContext& context) {
  if (context.guards == nullptr) return decompose(graph);
  return decompose(graph, [&](const Dim& count) {
    (void)context.equal(count, 1);  // what is divided by one stays
    return context.number(count);
  });
}

}  // namespace dvmsim
