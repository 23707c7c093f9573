#include "compiler/import/lower.h"

#include <algorithm>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim::onnx_import {
namespace {

constexpr std::int64_t kMaxContents = 256;

/// Small integer constants are followed as contents.
void note_contents(Value& value) {
  if (is_float(value.type.dtype) || value.tensor->count() > kMaxContents) return;
  const std::vector<std::int64_t> ints = value.tensor->ints();
  value.type.contents = Dims(ints.begin(), ints.end());
}

}  // namespace

void Scope::define(const std::string& name, ValueId id) {
  if (!names_.emplace(name, id).second) {
    throw Error("value '" + name + "' is written twice; the model is invalid");
  }
  Value& value = graph_.value(id);
  if (value.tensor && !value.type.contents) note_contents(value);
}

std::optional<ValueId> Scope::find(const std::string& name) {
  if (const auto found = names_.find(name); found != names_.end()) return found->second;
  if (outer_ == nullptr) return std::nullopt;
  const std::optional<ValueId> outside = outer_->find(name);
  if (!outside || &graph_ == &outer_->graph_) return outside;
  const Value& value = outer_->graph_.value(*outside);
  ValueId inside = kNoValue;
  if (value.tensor) {
    inside = graph_.add_constant(value.name, *value.tensor);
    graph_.value(inside).type = value.type;
  } else {
    inside = graph_.add_input(value.name, value.type.dtype, value.type.shape.value_or(Dims{}));
    graph_.value(inside).type = value.type;
    captures_.push_back({*outside, inside});
  }
  names_.emplace(name, inside);
  return inside;
}

ValueId Lower::in(int index) {
  if (!has(index)) fail("input " + std::to_string(index) + " is missing");
  const std::optional<ValueId> id = scope_.find(input_name(index));
  if (!id) {
    fail("input '" + input_name(index) +
         "' is neither an initializer, nor a graph input, nor written by a node");
  }
  return *id;
}

ValueId Lower::in_or_none(int index) {
  return has(index) ? in(index) : kNoValue;
}

void Lower::out(int index, ValueId id) {
  if (wants(index)) publish(output_name(index), id);
}

void Lower::publish(const std::string& name, ValueId id) {
  Graph& graph = scope_.graph();
  Value& value = graph.value(id);
  // A value just made takes the model's name for it; an alias keeps its own.
  const bool fresh = value.producer >= 0 && graph.node(value.producer).name == label_;
  const bool taken = std::any_of(graph.values.begin(), graph.values.end(),
                                 [&](const Value& other) { return other.name == name; });
  if (fresh && !taken) value.name = name;
  if (scope_.has_own(name)) fail("output '" + name + "' is written twice");
  scope_.define(name, id);
}

std::optional<std::vector<std::int64_t>> Lower::numbers(std::string_view attribute, int input) {
  if (has_attribute(attribute)) return ints_of(attribute);
  if (!has(input)) return std::nullopt;
  const std::optional<Dims>& contents = scope_.graph().value(in(input)).type.contents;
  const std::string why = std::string(attribute) + " must be constant";
  if (!contents) fail(why);
  std::vector<std::int64_t> result;
  for (const Dim& dim : *contents) {
    if (!dim.is_known()) fail(why + ", not " + to_text(dim));
    result.push_back(dim.value());
  }
  return result;
}

std::optional<Dims> Lower::contents(ValueId id) const {
  return scope_.graph().value(id).type.contents;
}

std::optional<Tensor> Lower::known(ValueId id) const {
  const Graph& graph = scope_.graph();
  const Value& value = graph.value(id);
  if (value.tensor) return value.tensor;
  if (value.producer < 0 || !value.type.shape) return std::nullopt;
  const Dim count = element_count(*value.type.shape);
  if (!count.is_known() || count.value() > kMaxContents) return std::nullopt;
  // Small tensors made of constants: scales that a model concatenates.
  const Node& node = graph.node(value.producer);
  if (!node.subgraphs.empty()) return std::nullopt;
  std::vector<std::optional<Tensor>> tensors;
  std::vector<const Tensor*> inputs;
  for (ValueId input : node.inputs) {
    tensors.push_back(input == kNoValue ? std::nullopt : known(input));
    if (input != kNoValue && !tensors.back()) return std::nullopt;
  }
  for (const auto& tensor : tensors) inputs.push_back(tensor ? &*tensor : nullptr);
  const auto place = std::find(node.outputs.begin(), node.outputs.end(), id);
  return evaluate_node(graph, node, inputs)[static_cast<std::size_t>(place - node.outputs.begin())];
}

DType Lower::dtype(ValueId id) const {
  return scope_.graph().value(id).type.dtype;
}

const Dims& Lower::shape(ValueId id) const {
  const Value& value = scope_.graph().value(id);
  if (!value.type.shape) fail("the rank of '" + value.name + "' is not known");
  return *value.type.shape;
}

int Lower::axis(std::int64_t at, int rank) const {
  if (at < -rank || at >= rank) {
    fail("axis " + std::to_string(at) + " is outside a tensor of rank " + std::to_string(rank));
  }
  return static_cast<int>(at < 0 ? at + rank : at);
}

DType Lower::element_type(std::int64_t onnx_type) const {
  const std::optional<DType> dtype = model_.dtype_of(onnx_type);
  if (!dtype) fail(unsupported(onnx_type));
  return *dtype;
}

std::vector<ValueId> Lower::op_many(Op op, std::vector<ValueId> inputs, int outputs,
                                    AttributeMap attributes) {
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  const std::vector<std::string> names(static_cast<std::size_t>(outputs), label_);
  const NodeId id =
      scope_.graph().add_node(op, std::move(inputs), names, std::move(attributes), label_);
  deduce(id);
  return scope_.graph().node(id).outputs;
}

ValueId Lower::op(Op op, std::vector<ValueId> inputs, AttributeMap attributes) {
  return op_many(op, std::move(inputs), 1, std::move(attributes))[0];
}

void Lower::deduce(NodeId id) {
  Graph& graph = scope_.graph();
  std::vector<ValueType> types;
  for (ValueId input : graph.node(id).inputs) {
    types.push_back(input == kNoValue ? ValueType{} : graph.value(input).type);
  }
  std::vector<ValueType> deduced;
  try {
    deduced = deduce_node(graph, graph.node(id), types);
  } catch (const Error& error) {
    throw Error(model_.name + ": " + error.what());
  }
  for (std::size_t i = 0; i < deduced.size(); ++i) {
    graph.value(graph.node(id).outputs[i]).type = std::move(deduced[i]);
  }
}

ValueId Lower::constant(Tensor tensor) {
  const ValueId id = scope_.graph().add_constant(label_, std::move(tensor));
  note_contents(scope_.graph().value(id));
  return id;
}

const Tensor* Lower::tensor_behind(ValueId id) const {
  const std::optional<Tensor>& tensor = scope_.graph().value(id).tensor;
  return tensor ? &*tensor : nullptr;
}

const Node* Lower::producer_of(ValueId id) const {
  const NodeId node = scope_.graph().value(id).producer;
  return node < 0 ? nullptr : &scope_.graph().node(node);
}

ValueId Lower::folded(Op op, std::vector<ValueId> inputs, AttributeMap attributes) {
  std::vector<const Tensor*> tensors;
  for (ValueId id : inputs) tensors.push_back(id == kNoValue ? nullptr : tensor_behind(id));
  const bool known = std::equal(inputs.begin(), inputs.end(), tensors.begin(),
                                [](ValueId id, const Tensor* t) { return id == kNoValue || t; });
  if (!known) return this->op(op, std::move(inputs), std::move(attributes));
  Node node{op, std::move(inputs), {kNoValue}, {}, label_, {}};
  for (auto& [name, value] : attributes) node.set(name, std::move(value));
  return constant(evaluate_node(scope_.graph(), node, tensors).front());
}

ValueId Lower::scalar(ValueId like, double number) {
  return constant(Tensor::of(dtype(like), {}, std::span(&number, 1)));
}

ValueId Lower::number(DType dtype, double value) {
  return constant(Tensor::of(dtype, {}, std::span(&value, 1)));
}

ValueId Lower::cast(ValueId id, DType to) {
  return dtype(id) == to ? id : op(Op::Cast, {id}, {{"to", to}});
}

ValueId Lower::slice(ValueId id, int axis, const Dim& begin, const Dim& end) {
  return op(
      Op::Slice, {id},
      {{"starts", Dims{begin}}, {"ends", Dims{end}}, {"axes", Dims{axis}}, {"steps", Dims{1}}});
}

ValueId Lower::size(const Dim& dim) {
  if (dim.is_known()) return number(DType::I64, static_cast<double>(dim.value()));
  // Deduction knows the shape of an expanded zero, and that this is its only dimension.
  const ValueId line = op(Op::Expand, {number(DType::I64, 0)}, {{"shape", Dims{dim}}});
  return reshape(op(Op::Shape, {line}), {});
}

ValueId Lower::positions(const Dim& count, int axis, int rank) {
  Dims shape(static_cast<std::size_t>(rank), 1);
  shape[static_cast<std::size_t>(axis)] = count;
  const ValueId range = op(Op::Range, {number(DType::I64, 0), size(count), number(DType::I64, 1)});
  return reshape(range, shape);
}

ValueId Lower::reshape(ValueId id, const Dims& shape) {
  return op(Op::Reshape, {id}, {{"allow_zero", std::int64_t{1}}, {"shape", shape}});
}

}  // namespace dvmsim::onnx_import
