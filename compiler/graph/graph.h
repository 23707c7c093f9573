// A graph of operators over values with symbolic shapes: the compiler's carrier from import to
// fusion. Values and nodes live in vectors and are named by their index; a Graph is a value and
// copies with its subgraphs (constants share their bytes). Owns structure only: see verify.h for
// the grammar of each level, shape.h for deduction, eval.h for meaning.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "compiler/graph/dim.h"
#include "compiler/graph/ops.h"
#include "compiler/graph/tensor.h"
#include "vm/base/dtype.h"

namespace dvmsim {

using ValueId = int;
using NodeId = int;
inline constexpr ValueId kNoValue = -1;  // an optional input that is absent

/// Element type and shape, and for small integer tensors on the host their contents.
struct ValueType {
  DType dtype = DType::F32;
  std::optional<Dims> shape;     // absent: rank not known
  std::optional<Dims> contents;  // row-major; shape arithmetic carried symbolically
  friend bool operator==(const ValueType&, const ValueType&) = default;
};

enum class ValueKind : std::uint8_t { Input, Constant, Temp };

/// A number of elements, or one over it.
struct Counted {
  Dim count{};
  bool inverse = false;
  [[nodiscard]] double number(std::int64_t elements) const {
    return inverse ? 1.0 / static_cast<double>(elements) : static_cast<double>(elements);
  }
};

struct Value {
  std::string name;
  ValueKind kind = ValueKind::Temp;
  ValueType type;
  std::optional<Tensor> tensor;      // of a Constant with bytes
  std::optional<Fill> fill;          // of a Constant defined by a rule
  NodeId producer = -1;              // of a Temp
  std::optional<Counted> counted{};  // what a scalar Constant is, whose bytes are of one launch
};

using Attribute = std::variant<std::int64_t, double, std::string, Dims, DType, std::vector<double>>;

/// A node's attributes, sorted by name. Getters fall back to the default in ops.def.
using AttributeMap = std::vector<std::pair<std::string, Attribute>>;

struct Graph;

struct Node {
  Op op = Op::Identity;
  std::vector<ValueId> inputs;  // kNoValue where an optional input is absent
  std::vector<ValueId> outputs;
  AttributeMap attributes;
  std::string name;              // where it came from, for error messages
  std::vector<Graph> subgraphs;  // of If: then, else

  void set(std::string_view attribute, Attribute value);
  void erase(std::string_view attribute);
  [[nodiscard]] const Attribute* find(std::string_view attribute) const;
  [[nodiscard]] std::int64_t int_of(std::string_view attribute) const;
  [[nodiscard]] double float_of(std::string_view attribute) const;
  [[nodiscard]] std::string string_of(std::string_view attribute) const;
  [[nodiscard]] DType dtype_of(std::string_view attribute) const;
  /// Null when absent.
  [[nodiscard]] const Dims* dims_of(std::string_view attribute) const;
  /// The same, all known; `fallback` when absent.
  [[nodiscard]] std::vector<std::int64_t> ints_of(std::string_view attribute,
                                                  std::vector<std::int64_t> fallback = {}) const;
  /// Empty when absent.
  [[nodiscard]] std::vector<double> floats_of(std::string_view attribute) const;
  /// kNoValue when the node has fewer inputs.
  [[nodiscard]] ValueId input(int index) const;
};

/// Nodes are in an order in which they can run. Outputs may repeat and may be inputs or constants.
struct Graph {
  std::string name;
  std::vector<std::string> symbols;  // the symbols of its inputs' shapes, in order of appearance
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<std::string> output_names;  // as asked for by the user; same length as outputs

  [[nodiscard]] const Value& value(ValueId id) const {
    return values.at(static_cast<std::size_t>(id));
  }
  [[nodiscard]] Value& value(ValueId id) { return values.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] Node& node(NodeId id) { return nodes.at(static_cast<std::size_t>(id)); }

  /// Builders. Names are made unique; symbols are collected from shapes.
  ValueId add_input(const std::string& value_name, DType dtype, Dims shape);
  ValueId add_constant(const std::string& value_name, Tensor tensor);
  ValueId add_constant(const std::string& value_name, DType dtype, std::vector<std::int64_t> shape,
                       Fill fill);
  /// A scalar constant.
  ValueId add_scalar(DType dtype, double number);
  /// Appends a node with as many new outputs as named (types unset until deduction).
  NodeId add_node(Op op, std::vector<ValueId> node_inputs,
                  std::vector<std::string> output_value_names, AttributeMap attributes = {},
                  std::string node_name = {});
  /// The same for one output; the output's name is derived from the node's.
  ValueId add(Op op, std::vector<ValueId> node_inputs, AttributeMap attributes = {},
              std::string node_name = {});
  void add_output(ValueId id, std::string output_name = {});
};

/// "node 'conv1' (conv)", the beginning of every error about a node.
[[nodiscard]] std::string describe(const Graph& graph, const Node& node);
/// The bytes of a constant value, made from its rule if need be.
[[nodiscard]] Tensor constant_tensor(const Value& value);
/// Nodes that read each value, in node order; index is the ValueId.
[[nodiscard]] std::vector<std::vector<NodeId>> users_of(const Graph& graph);
/// The graph without nodes and values that no output needs; ids are compacted. Inputs stay.
[[nodiscard]] Graph without_dead(const Graph& graph);

}  // namespace dvmsim
