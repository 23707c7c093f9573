#include "tests/compiler/import/model_builder.h"

namespace dvmsim {

onnx::ModelProto model_of(int opset) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  model.add_opset_import()->set_version(opset);
  model.mutable_graph()->set_name("test");
  return model;
}

void add_input(onnx::GraphProto& graph, const std::string& name,
               const std::vector<std::string>& dims) {
  onnx::ValueInfoProto& input = *graph.add_input();
  input.set_name(name);
  onnx::TypeProto_Tensor& type = *input.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape();
  for (const std::string& dim : dims) {
    onnx::TensorShapeProto_Dimension& each = *type.mutable_shape()->add_dim();
    if (dim.empty()) continue;
    if (dim[0] >= '0' && dim[0] <= '9') {
      each.set_dim_value(std::stoi(dim));
    } else {
      each.set_dim_param(dim);
    }
  }
}

void add_output(onnx::GraphProto& graph, const std::string& name) {
  graph.add_output()->set_name(name);
}

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& type,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return node;
}

void add_ints(onnx::GraphProto& graph, const std::string& name, const std::vector<int>& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<int>(values.size()));
  for (const int value : values) tensor.add_int64_data(value);
}

void set_int(onnx::NodeProto& node, const std::string& name, int value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

}  // namespace dvmsim
