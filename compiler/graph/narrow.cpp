#include "compiler/graph/narrow.h"

namespace dvmsim {

Graph narrowed(const Graph& graph, DType type) {
  Graph result = graph;
  for (Value& value : result.values) {
    if (value.type.dtype != DType::F32) continue;
    value.type.dtype = type;
    if (value.tensor) {
      value.tensor = Tensor::of_floats(type, value.tensor->shape(), value.tensor->floats());
    }
  }
  for (Node& node : result.nodes) {
    const bool typed = node.op == Op::Cast || node.op == Op::Refuse;
    if (typed && node.dtype_of("to") == DType::F32) node.set("to", type);
    for (Graph& branch : node.subgraphs) branch = narrowed(branch, type);
  }
  return result;
}

}  // namespace dvmsim
