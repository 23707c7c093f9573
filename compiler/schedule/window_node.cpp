#include "compiler/schedule/window_node.h"

#include "compiler/schedule/lower.h"

namespace dvmsim {

WindowTask window_task(const Graph& graph, const Node& node) {
  using Sizes = std::vector<std::int64_t>;
  const Sizes x = known_shape(graph.value(node.inputs[0]));
  const Sizes y = known_shape(graph.value(node.outputs[0]));
  const std::size_t axes = x.size() - 2;
  WindowTask task;
  task.kind = node.op == Op::MaxPool   ? WindowTask::Kind::Max
              : node.op == Op::SumPool ? WindowTask::Kind::Sum
                                       : WindowTask::Kind::Weighted;
  task.type = graph.value(node.inputs[0]).type.dtype;
  task.images = x.front();
  task.channels = x.back();
  if (node.op == Op::SumPool) task.scale = node.float_of("scale");
  const Sizes kernel = node.ints_of("kernel"), strides = node.ints_of("strides", Sizes(axes, 1));
  const Sizes dilations = node.ints_of("dilations", Sizes(axes, 1));
  const Sizes pads = node.ints_of("pads", Sizes(2 * axes, 0));
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t to = i + 3 - axes;
    task.in[to] = x[i + 1];
    task.out[to] = y[i + 1];
    task.kernel[to] = kernel[i];
    task.stride[to] = strides[i];
    task.dilation[to] = dilations[i];
    task.pad[to] = pads[i];
  }
  return task;
}

}  // namespace dvmsim
