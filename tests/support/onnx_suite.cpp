#include "tests/support/onnx_suite.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "compiler/import/onnx.h"
#include "onnx/onnx_pb.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

onnx::ModelProto model_of(const fs::path& directory) {
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes_of(directory / "model.onnx"))) {
    throw Error((directory / "model.onnx").string() + ": is no ONNX model");
  }
  return model;
}

bool is_bfloat16(const fs::path& directory, const std::string& stem, int index) {
  const onnx::ModelProto model = model_of(directory.parent_path());
  const auto& list = stem == "input" ? model.graph().input() : model.graph().output();
  return index < list.size() &&
         list.Get(index).type().tensor_type().elem_type() == onnx::TensorProto::BFLOAT16;
}

void collect(const onnx::TypeProto& type, std::set<std::string>& kinds) {
  if (type.has_sequence_type()) kinds.insert("sequence");
  if (type.has_optional_type()) kinds.insert("optional");
  if (type.tensor_type().elem_type() == onnx::TensorProto::STRING) kinds.insert("string");
}

void collect(const onnx::GraphProto& graph, std::set<std::string>& kinds) {
  for (const auto* list : {&graph.input(), &graph.output(), &graph.value_info()}) {
    for (const onnx::ValueInfoProto& value : *list) collect(value.type(), kinds);
  }
  for (const onnx::NodeProto& node : graph.node()) {
    if (node.op_type().find("Sequence") == 0) kinds.insert("sequence");
    if (node.op_type().find("Optional") == 0) kinds.insert("optional");
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      if (attribute.has_g()) collect(attribute.g(), kinds);
    }
  }
}

}  // namespace

std::vector<fs::path> suite_cases(const fs::path& suite) {
  std::vector<fs::path> directories;
  for (const fs::directory_entry& entry : fs::directory_iterator(suite)) {
    if (fs::exists(entry.path() / "model.onnx")) directories.push_back(entry.path());
  }
  std::sort(directories.begin(), directories.end());
  return directories;
}

std::vector<Tensor> suite_tensors(const fs::path& directory, const std::string& stem) {
  std::vector<Tensor> result;
  for (int i = 0;; ++i) {
    const fs::path path = directory / (stem + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return result;
    std::string bytes = bytes_of(path);
    onnx::TensorProto tensor;
    if (tensor.ParseFromString(bytes) && tensor.data_type() == onnx::TensorProto::UINT16 &&
        is_bfloat16(directory, stem, i)) {
      tensor.set_data_type(onnx::TensorProto::BFLOAT16);
      bytes = tensor.SerializeAsString();
    }
    result.push_back(import_onnx_tensor(bytes, path.string(), {{}, true}));
  }
}

std::vector<std::string> suite_inputs(const fs::path& directory) {
  const onnx::ModelProto model = model_of(directory);
  std::set<std::string> constants;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    constants.insert(tensor.name());
  }
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto& input : model.graph().input()) {
    if (!constants.contains(input.name())) names.push_back(input.name());
  }
  return names;
}

SuiteModel suite_model(const fs::path& directory) {
  const onnx::ModelProto model = model_of(directory);
  std::set<std::string> kinds;
  SuiteModel result;
  for (const onnx::OperatorSetIdProto& entry : model.opset_import()) {
    if (entry.domain().empty()) result.opset = entry.version();
    if (entry.domain() == "ai.onnx.ml") kinds.insert("ml");
    if (entry.domain().find("training") != std::string::npos) kinds.insert("training");
  }
  collect(model.graph(), kinds);
  result.group = "core";
  for (const char* kind : {"training", "ml", "sequence", "optional", "string"}) {
    if (!kinds.contains(kind)) continue;
    result.group = kind;
    break;
  }
  return result;
}

}  // namespace dvmsim
