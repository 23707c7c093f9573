// Inside the ONNX importer: what the lowering of one ONNX node sees. Operators are lowered in
// topological order and types are deduced at once, so ranks, and contents of shape tensors, are
// known.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/import/onnx.h"

namespace onnx {
class AttributeProto;
class GraphProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

namespace dvmsim::onnx_import {

/// What every graph of a model shares.
struct Model {
  std::string name;       // begins messages about the file
  std::string directory;  // of external data
  std::int64_t opset = 0;
  const ImportOptions* options = nullptr;

  /// Null: its value is not known.
  [[nodiscard]] const Tensor* known_input(const std::string& input) const {
    const auto found = options->known.find(input);
    return found == options->known.end() ? nullptr : &found->second;
  }
  /// Absent: an element type that the model may not have.
  [[nodiscard]] std::optional<DType> dtype_of(std::int64_t onnx_type) const;
};

/// Names visible in one ONNX graph; an If's branch sees its surroundings through `outer`.
class Scope {
 public:
  /// A scope of the same graph as the outer one has just names of its own.
  Scope(Graph& graph, Scope* outer) : graph_(graph), outer_(outer) {}

  void define(const std::string& name, ValueId id);
  [[nodiscard]] bool has_own(const std::string& name) const { return names_.contains(name); }
  /// Captures from outside if need be. Absent: no such name.
  [[nodiscard]] std::optional<ValueId> find(const std::string& name);

  struct Capture {
    ValueId outer = kNoValue;
    ValueId inner = kNoValue;
  };
  [[nodiscard]] const std::vector<Capture>& captures() const { return captures_; }
  [[nodiscard]] Graph& graph() { return graph_; }
  [[nodiscard]] bool is_main() const { return outer_ == nullptr; }

 private:
  Graph& graph_;
  Scope* outer_;
  std::map<std::string, ValueId> names_;
  std::vector<Capture> captures_;
};

/// What comes after a node: what depends on it, what does not, and which outputs of the graph do.
struct Rest {
  std::vector<int> nodes{}, others{};
  std::vector<std::string> outputs{};
};

/// The nodes of an ONNX graph that come after one, in the order in which they are lowered.
struct Later {
  const onnx::GraphProto& graph;
  std::span<const int> nodes;
  [[nodiscard]] Rest rest_of(const onnx::NodeProto& node) const;
};

class Lower {
 public:
  Lower(const Model& model, Scope& scope, const onnx::NodeProto& node, const Later& later);

  [[nodiscard]] std::int64_t opset() const { return model_.opset; }
  [[nodiscard]] const std::string& type() const;  // "Conv"
  [[noreturn]] void fail(const std::string& why) const;

  [[nodiscard]] int inputs() const;
  [[nodiscard]] int outputs() const;
  [[nodiscard]] bool has(int input) const;
  [[nodiscard]] bool wants(int output) const;
  [[nodiscard]] ValueId in(int index);  // fails when absent
  [[nodiscard]] ValueId in_or_none(int index);
  void out(int index, ValueId id);

  [[nodiscard]] bool has_attribute(std::string_view name) const;
  [[nodiscard]] std::int64_t int_of(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] double float_of(std::string_view name, double fallback) const;
  [[nodiscard]] std::string string_of(std::string_view name, const std::string& fallback) const;
  [[nodiscard]] std::vector<std::int64_t> ints_of(std::string_view name) const;
  [[nodiscard]] std::optional<Tensor> tensor_of(std::string_view name) const;
  [[nodiscard]] std::vector<float> floats_of(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> strings_of(std::string_view name) const;

  /// The numbers of an attribute (older opsets) or an input, which must be known by now.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> numbers(std::string_view attribute,
                                                                 int input);
  /// The numbers of a small integer tensor, as far as shapes decide them.
  [[nodiscard]] std::optional<Dims> contents(ValueId id) const;
  /// The value of a constant, or of a small tensor made of constants.
  [[nodiscard]] std::optional<Tensor> known(ValueId id) const;
  [[nodiscard]] DType dtype(ValueId id) const;
  [[nodiscard]] const Dims& shape(ValueId id) const;  // fails when unknown
  [[nodiscard]] int rank(ValueId id) const { return static_cast<int>(shape(id).size()); }
  [[nodiscard]] int axis(std::int64_t at, int rank) const;
  [[nodiscard]] DType element_type(std::int64_t onnx_type) const;

  ValueId op(Op op, std::vector<ValueId> inputs, AttributeMap attributes = {});
  std::vector<ValueId> op_many(Op op, std::vector<ValueId> inputs, int outputs,
                               AttributeMap attributes = {});
  ValueId constant(Tensor tensor);
  /// Null unless the value is a constant with bytes.
  [[nodiscard]] const Tensor* tensor_behind(ValueId id) const;
  /// The node that makes a value, or null.
  [[nodiscard]] const Node* producer_of(ValueId id) const;
  /// Does no other node of the model read this input, and is it no output?
  [[nodiscard]] bool alone_reads(int input);
  /// The same as op(), computed here if all inputs are constants.
  ValueId folded(Op op, std::vector<ValueId> inputs, AttributeMap attributes = {});
  ValueId scalar(ValueId like, double number);  // of the same element type
  ValueId number(DType dtype, double value);    // a scalar
  ValueId reshape(ValueId id, const Dims& shape);
  ValueId cast(ValueId id, DType dtype);  // the same if it is of this type
  /// An I64 scalar.
  ValueId size(const Dim& dim);
  /// 0, 1, ... of I64 along `axis` of shapes with `rank` dimensions.
  ValueId positions(const Dim& count, int axis, int rank);
  /// Elements [begin, end) along an axis.
  ValueId slice(ValueId id, int axis, const Dim& begin, const Dim& end);

  /// One branch in place, if the condition is known; else both, with what they capture as inputs.
  /// Where their results differ in rank, what reads the results goes into the branches.
  void lower_if();
  /// The lowering did all later nodes, too.
  [[nodiscard]] bool did_the_rest() const { return did_the_rest_; }
  void lower_loop();
  void lower_scan();
  /// A node with a body the lowering wrote itself: its captures come last.
  std::vector<ValueId> op_with_body(Op op, std::vector<ValueId> inputs, Graph body,
                                    AttributeMap attributes);

 private:
  [[nodiscard]] const onnx::AttributeProto* find(std::string_view name) const;
  [[nodiscard]] const onnx::AttributeProto* find(std::string_view name, int type,
                                                 const char* what) const;
  [[nodiscard]] const onnx::GraphProto& graph_of(std::string_view name) const;
  [[nodiscard]] const std::string& input_name(int index) const;
  [[nodiscard]] const std::string& output_name(int index) const;
  void deduce(NodeId id);
  [[nodiscard]] std::optional<bool> known_condition();
  void take_branch(const onnx::GraphProto& branch);
  void publish(const std::string& name, ValueId id);
  std::vector<ValueId> scan_batches(const onnx::GraphProto& body, std::size_t states);

  const Model& model_;
  Scope& scope_;
  const onnx::NodeProto& node_;
  const Later& later_;
  std::string label_;
  bool did_the_rest_ = false;
};

using Lowering = void (*)(Lower&);
struct Entry {
  std::string_view type;
  Lowering lower;
};
/// One table per family of operators.
[[nodiscard]] std::span<const Entry> elementwise_table();
[[nodiscard]] std::span<const Entry> reduction_table();
[[nodiscard]] std::span<const Entry> contraction_table();
[[nodiscard]] std::span<const Entry> move_table();
[[nodiscard]] std::span<const Entry> convolution_table();
[[nodiscard]] std::span<const Entry> pooling_table();
[[nodiscard]] std::span<const Entry> quantization_table();
[[nodiscard]] std::span<const Entry> branch_table();
[[nodiscard]] std::span<const Entry> control_table();
[[nodiscard]] std::span<const Entry> recurrent_table();
[[nodiscard]] std::span<const Entry> selection_table();
[[nodiscard]] std::span<const Entry> index_table();
[[nodiscard]] std::span<const Entry> loss_table();
[[nodiscard]] std::span<const Entry> normal_table();
[[nodiscard]] std::span<const Entry> einsum_table();
[[nodiscard]] std::span<const Entry> sample_table();
[[nodiscard]] std::span<const Entry> signal_table();
[[nodiscard]] std::span<const Entry> space_table();
[[nodiscard]] std::span<const Entry> text_table();
/// ONNX has no product with a bias: of an Add whose one operand is a product for it alone and the
/// other a row, makes one, as the frameworks that wrote it have it. False if it is no such Add.
[[nodiscard]] bool add_bias(Lower& l);
/// Operators that dvmsim refuses, with the reason.
[[nodiscard]] std::span<const Entry> refused_table();

/// Lowers the initialisers and nodes of `from` into the scope's graph; its outputs there.
std::vector<ValueId> lower_body(const Model& model, Scope& scope, const onnx::GraphProto& from);
/// The same for all of a graph, whose outputs are set.
void lower_graph(const Model& model, Scope& scope, const onnx::GraphProto& from);
/// Nodes of `from` by index, in an order in which they can run.
void lower_nodes(const Model& model, Scope& scope, const onnx::GraphProto& from,
                 std::span<const int> nodes);
/// Names that a node reads, those read inside its bodies included.
[[nodiscard]] std::set<std::string> reads_of(const onnx::NodeProto& node);
[[nodiscard]] std::vector<std::string> input_names(const onnx::GraphProto& graph);
[[nodiscard]] int output_count(const onnx::GraphProto& graph);
[[nodiscard]] Tensor read_tensor(const onnx::TensorProto& from, const Model& model);
/// "element type DOUBLE is not supported; ...".
[[nodiscard]] std::string unsupported(std::int64_t onnx_type);

}  // namespace dvmsim::onnx_import
