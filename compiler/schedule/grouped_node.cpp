#include "compiler/schedule/grouped_node.h"

#include "compiler/schedule/lower.h"

namespace dvmsim {

GroupedSpec grouped_of(const Graph& graph, const Node& node) {
  const std::vector<std::int64_t> a = known_shape(graph.value(node.inputs[0]));
  const std::vector<std::int64_t> c = known_shape(graph.value(node.outputs[0]));
  const Value& list = graph.value(node.inputs[2]);
  GroupedSpec spec;
  MatmulSpec& product = spec.product;
  product.trans_a = node.int_of("trans_a") != 0;
  product.trans_b = node.int_of("trans_b") != 0;
  product.m = c[c.size() - 2];
  product.n = c.back();
  product.k = a[product.trans_a ? 0 : 1];
  product.in = graph.value(node.inputs[0]).type.dtype;
  product.out = graph.value(node.outputs[0]).type.dtype;
  product.bias = node.input(3) != kNoValue;
  if (product.bias) product.bias_type = graph.value(node.inputs[3]).type.dtype;
  product = packed(product);
  spec.axis = node.string_of("axis") == "m" ? isa::GroupAxis::M : isa::GroupAxis::K;
  spec.groups = known_shape(list)[0];
  spec.cumulative = node.int_of("cumulative") != 0;
  spec.list = list.type.dtype;
  spec.stride = spec.axis == isa::GroupAxis::M ? product.k * product.n * size_of(product.in)
                                               : product.m * product.c_stride;
  if (product.bias) spec.bias_stride = product.n * size_of(product.bias_type);
  return spec;
}

}  // namespace dvmsim
