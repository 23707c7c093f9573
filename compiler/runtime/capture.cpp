#include "compiler/runtime/capture.h"

#include <algorithm>

#include "compiler/schedule/lower.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Does the operator take this constant as a tensor, as a framework would give it?
bool takes_tensor(const Node& node, const Value& value) {
  const Pattern pattern = info_of(node.op).pattern;
  const bool computes = pattern == Pattern::Elementwise || pattern == Pattern::Broadcast ||
                        pattern == Pattern::Reduction || node.op == Op::MatMul ||
                        node.op == Op::GroupedMatMul;
  return computes && value.kind == ValueKind::Constant && is_float(value.type.dtype) &&
         element_count(known_shape(value)) > 1;
}

void collect_weights(const Graph& graph, std::vector<const Value*>& weights) {
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.inputs) {
      if (id == kNoValue || !takes_tensor(node, graph.value(id))) continue;
      const Value* value = &graph.value(id);
      if (std::find(weights.begin(), weights.end(), value) == weights.end()) {
        weights.push_back(value);
      }
    }
    for (const Graph& branch : node.subgraphs) collect_weights(branch, weights);
  }
}

}  // namespace

DeviceWeights place_weights(const Graph& graph, const Machine& machine, ModuleRunner& runner) {
  std::vector<const Value*> weights;
  collect_weights(graph, weights);
  ReadyModule holder;
  for (const Value* value : weights) {
    const auto index = static_cast<int>(holder.module.tensors.size());
    const std::vector<std::int64_t> shape = known_shape(*value);
    holder.module.tensors.push_back({ModuleTensor::Kind::Constant, value->name, value->type.dtype,
                                     shape, 0, element_count(shape) * size_of(value->type.dtype)});
    holder.module.constants.push_back({index, value->tensor, value->fill});
  }
  check_room(runner.memory().used() + runner.needs(holder), machine);
  runner.place(holder);
  DeviceWeights placed;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto& constant = holder.constants.at(static_cast<int>(i));
    const ModuleTensor& tensor = holder.module.tensors[i];
    placed[weights[i]] = {
        tensor.dtype, tensor.shape, DeviceRange(constant, &constant->address), 0, {}};
  }
  return placed;
}

LazyTensor GraphCapture::operand(const Node& node, ValueId id, Values& values) {
  if (id == kNoValue) return {};
  const Value& value = values.graph.value(id);
  if (value.kind != ValueKind::Constant) return values.held[static_cast<std::size_t>(id)];
  if (takes_tensor(node, value)) {
    const auto [known, added] = loaded_.try_emplace(&value);
    if (added) known->second = lazy_.load(weights_.at(&value), value.name);
    return known->second;
  }
  const auto [known, added] = constants_.try_emplace(&value);
  if (added) known->second = lazy_.constant(value);
  return known->second;
}

void GraphCapture::let_go(ValueId id, Values& values) {
  if (id == kNoValue || --values.readers[static_cast<std::size_t>(id)] > 0) return;
  values.held[static_cast<std::size_t>(id)] = {};
}

void GraphCapture::run_branch(const Node& node, Values& values) {
  const std::string who = describe(values.graph, node);
  const Tensor condition = lazy_.read(operand(node, node.inputs[0], values), who);
  if (result_.fault) return;
  const Graph& branch = node.subgraphs[condition.ints().at(0) != 0 ? 0 : 1];
  std::vector<LazyTensor> inputs;
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    inputs.push_back(operand(node, node.inputs[i], values));
  }
  const std::vector<LazyTensor> outputs = run(branch, std::move(inputs));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    values.held[static_cast<std::size_t>(node.outputs[i])] = outputs[i];
  }
}

void GraphCapture::run_node(const Node& node, Values& values) {
  if (node.op == Op::If) return run_branch(node, values);
  std::vector<LazyTensor> operands;
  for (ValueId id : node.inputs) operands.push_back(operand(node, id, values));
  const auto hold = [&](std::size_t i, LazyTensor made) {
    values.held[static_cast<std::size_t>(node.outputs[i])] = std::move(made);
  };
  if (node.op == Op::Identity) return hold(0, operands[0]);
  if (node.op == Op::Reshape) {
    return hold(0, lazy_.reshape(operands[0], known_shape(values.graph.value(node.outputs[0]))));
  }
  std::vector<LazyTensor> made =
      lazy_.call(node.op, operands, node.attributes, node.outputs.size(), node.name);
  for (std::size_t i = 0; i < made.size(); ++i) hold(i, std::move(made[i]));
}

std::vector<LazyTensor> GraphCapture::run(const Graph& graph, std::vector<LazyTensor> inputs) {
  Values values{graph, std::vector<LazyTensor>(graph.values.size()),
                std::vector<std::int64_t>(graph.values.size(), 0)};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values.held[static_cast<std::size_t>(graph.inputs[i])] = std::move(inputs[i]);
  }
  for (ValueId id : graph.outputs) ++values.readers[static_cast<std::size_t>(id)];
  for (const Node& node : graph.nodes) {
    for (ValueId id : node.inputs) {
      if (id != kNoValue) ++values.readers[static_cast<std::size_t>(id)];
    }
  }
  for (const Node& node : graph.nodes) {
    run_node(node, values);
    if (result_.fault) return {};
    for (ValueId id : node.inputs) let_go(id, values);
    for (ValueId id : node.outputs) {
      if (values.readers[static_cast<std::size_t>(id)] == 0) {
        values.held[static_cast<std::size_t>(id)] = {};
      }
    }
  }
  std::vector<LazyTensor> outputs;
  for (ValueId id : graph.outputs) {
    const Value& value = graph.value(id);
    const bool constant = value.kind == ValueKind::Constant;
    outputs.push_back(constant ? lazy_.constant(value) : values.held[static_cast<std::size_t>(id)]);
  }
  return outputs;
}

}  // namespace dvmsim
