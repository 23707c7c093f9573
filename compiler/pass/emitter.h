// Appending nodes to a graph that is being rewritten: types are deduced, and what depends on
// constants alone becomes a constant.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/pass/rewrite.h"
#include "compiler/schedule/lower.h"

namespace dvmsim {

class Emitter {
 public:
  explicit Emitter(Rewrite& rewrite) : rewrite_(rewrite) {}

  [[nodiscard]] const Value& value(ValueId id) const { return rewrite_.graph().value(id); }
  /// Where every dimension is a number.
  [[nodiscard]] std::vector<std::int64_t> shape(ValueId id) const { return known_shape(value(id)); }
  [[nodiscard]] Dims dims(ValueId id) const { return *value(id).type.shape; }
  [[nodiscard]] DType dtype(ValueId id) const { return value(id).type.dtype; }
  [[nodiscard]] bool is_constant(ValueId id) const { return value(id).kind == ValueKind::Constant; }

  ValueId constant(const std::string& name, Tensor tensor) {
    Value made;
    made.name = fresh(name, rewrite_.graph().values.size());
    made.kind = ValueKind::Constant;
    made.type.dtype = tensor.dtype();
    made.type.shape = Dims(tensor.shape().begin(), tensor.shape().end());
    made.tensor = std::move(tensor);
    rewrite_.graph().values.push_back(std::move(made));
    return static_cast<ValueId>(rewrite_.graph().values.size()) - 1;
  }
  /// The value of a node with one output.
  ValueId add(Op op, std::vector<ValueId> inputs, AttributeMap attributes,
              const std::string& name) {
    Node node{op, std::move(inputs), {kNoValue}, {}, name, {}};
    for (auto& [attribute, given] : attributes) node.set(attribute, std::move(given));
    return add(std::move(node))[0];
  }
  /// The same for a node whose outputs are to be made.
  std::vector<ValueId> add(Node node) {
    std::vector<ValueType> types;
    bool known = true;
    for (ValueId id : node.inputs) {
      types.push_back(id == kNoValue ? ValueType{} : value(id).type);
      known = known && (id == kNoValue || is_constant(id));
    }
    if (known && node.outputs.size() == 1) return {constant(node.name, computed(node))};
    const std::vector<ValueType> deduced = deduce_node(rewrite_.graph(), node, types);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      node.outputs[i] = static_cast<ValueId>(rewrite_.graph().values.size());
      Value made;
      made.name = fresh(node.name, rewrite_.graph().values.size());
      made.type = deduced[i];
      made.type.contents.reset();
      rewrite_.graph().values.push_back(std::move(made));
    }
    const std::vector<ValueId> outputs = node.outputs;
    rewrite_.keep(std::move(node));
    return outputs;
  }

 private:
  /// Unlike the names that other passes make.
  static std::string fresh(const std::string& name, std::size_t number) {
    return name + ".v" + std::to_string(number);
  }
  Tensor computed(const Node& node) {
    std::vector<Tensor> tensors;
    tensors.reserve(node.inputs.size());
    std::vector<const Tensor*> inputs;
    for (ValueId id : node.inputs) {
      if (id != kNoValue) tensors.push_back(constant_tensor(value(id)));
      inputs.push_back(id != kNoValue ? &tensors.back() : nullptr);
    }
    return evaluate_node(rewrite_.graph(), node, inputs).front();
  }

  Rewrite& rewrite_;
};

}  // namespace dvmsim
