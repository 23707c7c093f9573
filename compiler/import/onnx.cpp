#include "compiler/import/onnx.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <queue>
#include <set>
#include <sstream>

#include "compiler/graph/verify.h"
#include "compiler/import/lower.h"
#include "onnx/onnx_pb.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace onnx_import {
namespace {

constexpr std::int64_t kOldestOpset = 1;
constexpr std::int64_t kNewestOpset = 21;

std::string label_of(const onnx::NodeProto& node) {
  if (!node.name().empty() || node.output_size() == 0) return node.name();
  return node.output(0);
}

/// Node indices in an order in which they can run; the file's order where that is possible.
std::vector<int> run_order(const Model& model, const onnx::GraphProto& from) {
  std::map<std::string, int> producers;
  for (int i = 0; i < from.node_size(); ++i) {
    for (const std::string& output : from.node(i).output()) {
      if (!output.empty()) producers.emplace(output, i);
    }
  }
  const auto count = static_cast<std::size_t>(from.node_size());
  std::vector<std::vector<int>> readers(count);
  std::vector<int> waiting(count, 0);
  for (int i = 0; i < from.node_size(); ++i) {
    for (const std::string& name : reads_of(from.node(i))) {
      const auto found = producers.find(name);
      if (found == producers.end()) continue;
      readers[static_cast<std::size_t>(found->second)].push_back(i);
      ++waiting[static_cast<std::size_t>(i)];
    }
  }
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < from.node_size(); ++i) {
    if (waiting[static_cast<std::size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (const int reader : readers[static_cast<std::size_t>(order.back())]) {
      if (--waiting[static_cast<std::size_t>(reader)] == 0) ready.push(reader);
    }
  }
  for (int i = 0; i < from.node_size(); ++i) {
    if (waiting[static_cast<std::size_t>(i)] <= 0) continue;
    throw Error(model.name + ": node '" + label_of(from.node(i)) + "' (" + from.node(i).op_type() +
                "): waits for its own result; the graph has a cycle");
  }
  return order;
}

Lowering lowering_of(const onnx::NodeProto& node) {
  if (!node.domain().empty() && node.domain() != "ai.onnx") return nullptr;
  for (const auto table :
       {elementwise_table(), reduction_table(), contraction_table(),  move_table(),
        convolution_table(), pooling_table(),   quantization_table(), index_table(),
        loss_table(),        normal_table(),    signal_table(),       space_table(),
        sample_table(),      einsum_table(),    text_table(),         branch_table(),
        control_table(),     recurrent_table(), selection_table(),    refused_table()}) {
    for (const Entry& entry : table) {
      if (entry.type == node.op_type()) return entry.lower;
    }
  }
  return nullptr;
}

void add_inputs(const Model& model, Scope& scope, const onnx::GraphProto& from) {
  std::set<std::string> seen;
  for (const onnx::ValueInfoProto& input : from.input()) {
    const std::string where = model.name + ": input '" + input.name() + "': ";
    if (!seen.insert(input.name()).second) throw Error(where + "is declared twice");
    if (scope.has_own(input.name())) continue;  // before IR 4, initializers are inputs too
    if (!input.type().has_tensor_type()) throw Error(where + "is no tensor");
    const onnx::TypeProto_Tensor& type = input.type().tensor_type();
    const std::optional<DType> dtype = model.dtype_of(type.elem_type());
    if (!dtype) {
      throw Error(where + unsupported(type.elem_type()));
    }
    if (!type.has_shape()) throw Error(where + "its rank is not given; export it with a shape");
    Dims shape;
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    std::int64_t elements = 1;  // as far as they are known
    for (const onnx::TensorShapeProto_Dimension& dim : type.shape().dim()) {
      const std::int64_t size = std::max<std::int64_t>(dim.dim_value(), 1);
      if (size > kMost || elements > kMost / size) {
        throw Error(where + "dimension " + std::to_string(size) +
                    " is absurd; the model is damaged");
      }
      elements *= size;
      if (dim.has_dim_value() && dim.dim_value() >= 0) {
        shape.emplace_back(dim.dim_value());
      } else if (!dim.dim_param().empty()) {
        shape.push_back(Dim::symbol(dim.dim_param()));
      } else {
        shape.push_back(Dim::symbol(input.name() + "_" + std::to_string(shape.size())));
      }
    }
    ValueId id = scope.graph().add_input(input.name(), *dtype, shape);
    if (const Tensor* known = model.known_input(input.name());
        known != nullptr && scope.is_main()) {
      if (known->dtype() != *dtype) {
        throw Error(where + "is " + std::string(name_of(*dtype)) + ", but the value given is " +
                    std::string(name_of(known->dtype())));
      }
      scope.graph().value(id).type.shape = Dims(known->shape().begin(), known->shape().end());
      id = scope.graph().add_constant(input.name() + ".known", *known);
    }
    scope.define(input.name(), id);
  }
}

std::int64_t opset_of(const onnx::ModelProto& proto, const std::string& name) {
  std::int64_t opset = 0;
  bool found = false;
  for (const onnx::OperatorSetIdProto& entry : proto.opset_import()) {
    const bool standard = entry.domain().empty() || entry.domain() == "ai.onnx";
    if (standard) opset = entry.version();
    found = found || standard;
  }
  if (!found) {
    throw Error(name + ": names no opset of domain 'ai.onnx'; export it with one");
  }
  if (opset < kOldestOpset || opset > kNewestOpset) {
    throw Error(name + ": opset " + std::to_string(opset) + " is not supported; export with " +
                std::to_string(kOldestOpset) + " to " + std::to_string(kNewestOpset));
  }
  return opset;
}

}  // namespace

std::set<std::string> reads_of(const onnx::NodeProto& node) {
  std::set<std::string> names(node.input().begin(), node.input().end());
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    for (const onnx::NodeProto& inner : attribute.g().node()) names.merge(reads_of(inner));
    for (const onnx::ValueInfoProto& output : attribute.g().output()) names.insert(output.name());
  }
  return names;
}

Rest Later::rest_of(const onnx::NodeProto& node) const {
  Rest rest;
  std::set<std::string> made(node.output().begin(), node.output().end());
  made.erase("");
  for (const int index : nodes) {
    const onnx::NodeProto& each = graph.node(index);
    const std::set<std::string> reads = reads_of(each);
    const bool depends = std::any_of(reads.begin(), reads.end(),
                                     [&](const std::string& name) { return made.contains(name); });
    (depends ? rest.nodes : rest.others).push_back(index);
    if (depends) made.insert(each.output().begin(), each.output().end());
  }
  made.erase("");
  for (const onnx::ValueInfoProto& output : graph.output()) {
    if (made.erase(output.name()) != 0) rest.outputs.push_back(output.name());
  }
  return rest;
}

bool Lower::alone_reads(int input) {
  const ValueId id = in(input);
  const std::string& name = input_name(input);
  for (const Node& node : scope_.graph().nodes) {
    if (std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end()) return false;
  }
  for (const int index : later_.nodes) {
    if (reads_of(later_.graph.node(index)).contains(name)) return false;
  }
  return std::none_of(later_.graph.output().begin(), later_.graph.output().end(),
                      [&](const onnx::ValueInfoProto& output) { return output.name() == name; });
}

void lower_nodes(const Model& model, Scope& scope, const onnx::GraphProto& from,
                 std::span<const int> nodes) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const onnx::NodeProto& node = from.node(nodes[i]);
    const Later later{from, nodes.subspan(i + 1)};
    Lower lower(model, scope, node, later);
    const Lowering lowering = lowering_of(node);
    if (lowering == nullptr) {
      const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
      lower.fail("operator not supported" +
                 (standard ? std::string() : " (domain '" + node.domain() + "')") +
                 "; export the model without it, or in simpler operators");
    }
    lowering(lower);
    if (lower.did_the_rest()) return;
  }
}

std::vector<ValueId> lower_body(const Model& model, Scope& scope, const onnx::GraphProto& from) {
  if (from.sparse_initializer_size() != 0) {
    throw Error(model.name + ": sparse initializers are not supported; make them dense");
  }
  for (const onnx::TensorProto& tensor : from.initializer()) {
    if (scope.has_own(tensor.name())) {
      throw Error(model.name + ": value '" + tensor.name() +
                  "' is written twice; the model is invalid");
    }
    scope.define(tensor.name(),
                 scope.graph().add_constant(tensor.name(), read_tensor(tensor, model)));
  }
  add_inputs(model, scope, from);
  lower_nodes(model, scope, from, run_order(model, from));
  std::vector<ValueId> outputs;
  for (const onnx::ValueInfoProto& output : from.output()) {
    const std::optional<ValueId> id = scope.find(output.name());
    if (!id) {
      throw Error(model.name + ": output '" + output.name() + "' is written by no node");
    }
    outputs.push_back(*id);
  }
  return outputs;
}

void lower_graph(const Model& model, Scope& scope, const onnx::GraphProto& from) {
  const std::vector<ValueId> outputs = lower_body(model, scope, from);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    scope.graph().add_output(outputs[i], from.output(static_cast<int>(i)).name());
  }
}

}  // namespace onnx_import

Graph import_onnx(std::string_view bytes, const std::string& name, const std::string& directory,
                  const ImportOptions& options) {
  onnx::ModelProto proto;
  if (bytes.size() > 0x7fffffffu ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !proto.has_graph() ||
      proto.opset_import_size() == 0) {
    throw Error(name + ": is no ONNX model, or is cut off");
  }
  const onnx_import::Model model{name, directory, onnx_import::opset_of(proto, name), &options};
  Graph graph;
  graph.name = proto.graph().name();
  onnx_import::Scope scope(graph, nullptr);
  onnx_import::lower_graph(model, scope, proto.graph());
  if (graph.outputs.empty()) throw Error(name + ": the model has no output");
  verify(graph, Level::Imported);
  return graph;
}

Graph import_onnx(const std::string& path, const ImportOptions& options) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be read");
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return import_onnx(bytes.str(), path, std::filesystem::path(path).parent_path().string(),
                     options);
}

}  // namespace dvmsim
