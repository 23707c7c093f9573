#include "compiler/schedule/conv_node.h"

#include "compiler/schedule/lower.h"
#include "vm/isa/window.h"

namespace dvmsim {

ConvTask conv_task(const Graph& graph, const Node& node) {
  const std::vector<std::int64_t> x = known_shape(graph.value(node.inputs[0]));
  const std::vector<std::int64_t> y = known_shape(graph.value(node.outputs[0]));
  const auto kernel = node.ints_of("kernel"), strides = node.ints_of("strides");
  const auto dilations = node.ints_of("dilations"), pads = node.ints_of("pads");
  ConvTask task;
  task.type = graph.value(node.inputs[0]).type.dtype;
  const DType out = graph.value(node.outputs[0]).type.dtype;
  isa::ConvArguments& words = task.words;
  words.images = x[0];
  words.groups = node.int_of("groups");
  words.channels = x[3] / words.groups;
  words.outputs = y[3] / words.groups;
  words.in_h = x[1];
  words.in_w = x[2];
  words.out_h = y[1];
  words.out_w = y[2];
  const isa::Window window{kernel[0],  kernel[1],    strides[0],
                           strides[1], dilations[0], dilations[1]};
  words.kernel = isa::pack_kernel(window);
  words.steps = isa::pack_steps(window);
  words.pad_top = pads[0];
  words.pad_left = pads[1];
  words.fill = node.int_of("fill");
  words.x_pixel = x[3] * size_of(task.type);
  words.y_pixel = y[3] * size_of(out);
  words.bias = node.input(2) != kNoValue ? 1 : 0;
  words.scale = node.input(3) != kNoValue ? 1 : 0;
  words.out = static_cast<std::int64_t>(out);
  words.post = node.int_of("relu");
  words.offset = node.int_of("offset");
  return task;
}

Product conv_product(const Graph& graph, const Node& node, const Machine& machine) {
  const ConvTask task = conv_task(graph, node);
  const bool by_row = !fits_whole_rows(task, machine);
  Product product;
  product.spec = product_of(task, by_row);
  product.dims = by_row ? std::array<std::vector<std::size_t>, 4>{{{0}, {1}, {2}, {3}}}
                        : std::array<std::vector<std::size_t>, 4>{{{0}, {}, {1, 2}, {3}}};
  const bool plain = task.words.groups == 1 && task.words.scale == 0 && task.words.post == 0;
  product.launches.resize(plain ? 1 : 2);
  return product;
}

}  // namespace dvmsim
