// Small ONNX models for tests, written as protobuf messages.
#pragma once

#include <string>
#include <vector>

#include "onnx/onnx_pb.h"

namespace dvmsim {

/// An empty model of this opset; its graph is `model.mutable_graph()`.
[[nodiscard]] onnx::ModelProto model_of(int opset);
void add_input(onnx::GraphProto& graph, const std::string& name,
               const std::vector<std::string>& dims);  // "3", "batch", or "" for unnamed
void add_output(onnx::GraphProto& graph, const std::string& name);
onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& type,
                          const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs);
void add_ints(onnx::GraphProto& graph, const std::string& name, const std::vector<int>& values);
void set_int(onnx::NodeProto& node, const std::string& name, int value);

}  // namespace dvmsim
