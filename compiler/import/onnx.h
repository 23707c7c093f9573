// ONNX models to graphs. Reads opset 7 to 21 (IR 3 to 10) with our own shape deduction; the ONNX
// library only parses. Names of the model are kept: values by their names, nodes for messages.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace dvmsim {

struct ImportOptions {
  /// Inputs whose values are known before compilation: axes, pads, sizes. Nodes see them as
  /// constants; the graph keeps the inputs, and is right for these values only.
  std::map<std::string, Tensor> known{};
  /// Doubles become F32: the machine has none. Otherwise they are refused.
  bool doubles_as_floats = false;
};

/// Dynamic dimensions become symbols: dim_param's name, or "<input>_<axis>" where it has none. What
/// cannot be expressed is an Error that names the node; the result is verified at level Imported.
[[nodiscard]] Graph import_onnx(const std::string& path, const ImportOptions& options = {});
/// The same from memory. `name` begins error messages; external data is looked up in `directory`.
[[nodiscard]] Graph import_onnx(std::string_view bytes, const std::string& name,
                                const std::string& directory, const ImportOptions& options = {});
/// One serialised TensorProto, as test suites store inputs and outputs.
[[nodiscard]] Tensor import_onnx_tensor(std::string_view bytes, const std::string& name,
                                        const ImportOptions& options = {});

}  // namespace dvmsim
