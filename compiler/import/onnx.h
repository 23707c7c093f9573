// ONNX models to graphs. Reads opset 7 to 21 (IR 3 to 10) with our own shape deduction; the ONNX
// library only parses. Names of the model are kept: values by their names, nodes for messages.
#pragma once

#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Dynamic dimensions become symbols: dim_param's name, or "<input>_<axis>" where it has none. What
/// cannot be expressed is an Error that names the node; the result is verified at level Imported.
[[nodiscard]] Graph import_onnx(const std::string& path);
/// The same from memory. `name` begins error messages; external data is looked up in `directory`.
[[nodiscard]] Graph import_onnx(std::string_view bytes, const std::string& name,
                                const std::string& directory);
/// One serialised TensorProto, as test suites store inputs and outputs.
[[nodiscard]] Tensor import_onnx_tensor(std::string_view bytes, const std::string& name);

}  // namespace dvmsim
