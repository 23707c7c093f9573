#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"

namespace dvmsim {

Graph split_conv_bias(const Graph& graph, const PassContext&) {
  Rewrite rewrite(graph);
  for (const Node& node : rewrite.nodes()) {
    if (node.op != Op::Conv || node.input(2) == kNoValue) {
      rewrite.keep(node);
      continue;
    }
    const ValueId result = node.outputs[0], bias = node.inputs[2];
    const Dims shape = *rewrite.graph().value(result).type.shape;
    const DType dtype = rewrite.graph().value(result).type.dtype;
    const ValueId product = rewrite.make(dtype, shape, Op::Conv, {node.inputs[0], node.inputs[1]},
                                         node.attributes, node.name);
    Dims channel(shape.size() - 1, 1);
    channel[0] = shape[1];
    const ValueId column =
        rewrite.make(dtype, channel, Op::Reshape, {bias}, {{"shape", channel}}, node.name);
    rewrite.make(result, Op::Add, {product, column}, {}, node.name);
  }
  return rewrite.done();
}

}  // namespace dvmsim
