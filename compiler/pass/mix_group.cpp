#include "compiler/pass/mix_group.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "compiler/codegen/mix.h"
#include "compiler/schedule/conv_node.h"
#include "vm/base/rounding.h"

namespace dvmsim {

bool reduces(const Graph& graph, const Group& group) {
  return std::any_of(group.nodes.begin(), group.nodes.end(), [&](NodeId id) {
    return info_of(graph.node(id).op).pattern == Pattern::Reduction;
  });
}

bool has_whole_rows(const Graph& graph, ValueId product, const Machine& machine) {
  const Value& value = graph.value(product);
  MatmulSpec spec{};
  spec.n = value.type.shape->back().value();
  spec.in = graph.value(graph.node(value.producer).inputs[0]).type.dtype;
  spec.bias = true;
  if (spec.n > kWidestRow || machine.step(spec.in).m == 0) return false;
  MatmulSchedule least{};
  least.tile_n = round_up(spec.n, least.tile_n);
  least.tile_k = k_unit(machine, spec.in);
  return fits(spec, least, machine);
}

bool is_rectified(const Graph& graph, const Group& group) {
  if (group.nodes.size() != 2) return false;
  const Node &product = graph.node(group.nodes[0]), &after = graph.node(group.nodes[1]);
  const bool multiplies = product.op == Op::MatMul || product.op == Op::ConvLast;
  return multiplies && after.op == Op::Relu && after.inputs[0] == product.outputs[0] &&
         outputs_of(graph, group) == after.outputs &&
         is_float(graph.value(after.outputs[0]).type.dtype);
}

std::optional<MixGroup> mix_of(const Graph& graph, const Group& group, const Machine& machine,
                               std::string* why, const Views& views) {
  const auto refuse = [&](const char* text) {
    if (why != nullptr) *why = text;
    return std::nullopt;
  };
  MixGroup mix;
  std::vector<NodeId> rest;
  for (NodeId id : group.nodes) {
    const Node& node = graph.node(id);
    if (node.op == Op::MatMul || node.op == Op::ConvLast) {
      mix.product = id;
    } else {
      rest.push_back(id);
    }
  }
  const Node& product = graph.node(mix.product);
  if (product.op == Op::ConvLast) {
    mix.plan = conv_product(graph, product, machine);
    if (reduces(graph, group)) return refuse("a convolution has no whole rows in a tile");
  } else {
    // Its own result goes to the vector cores.
    Views operands = views;
    operands.erase(product.outputs[0]);
    auto plan = product_of(graph, product, operands);
    if (!plan) return refuse("an operand of the product is a view that it cannot read");
    mix.plan = std::move(*plan);
  }
  if (mix.plan.launches.size() != 1) return refuse("the product takes several launches");
  const bool integer = mix.plan.spec.in == DType::I8;
  const ProductFrame frame{product.outputs[0], mix.plan.dims, integer ? DType::I32 : DType::F32};
  auto lowered = lower(graph, rest, outputs_of(graph, group), why, &frame, views);
  if (!lowered) return std::nullopt;
  mix.rest = std::move(*lowered);
  if (mix.rest.kernel.whole_rows) return refuse("it reduces over the product's rows");
  mix.plan.spec.whole_rows = mix.rest.kernel.whole_columns;
  return mix;
}

}  // namespace dvmsim
