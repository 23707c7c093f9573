// ONNX models to graphs. Reads opset 7 to 21 (IR 3 to 10) with our own shape deduction; the ONNX
// library only parses. Names of the model are kept: values by their names, nodes for messages.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Inputs whose values are known before compilation: axes, pads, sizes.
using KnownInputs = std::map<std::string, Tensor>;

/// Dynamic dimensions become symbols: dim_param's name, or "<input>_<axis>" where it has none. What
/// cannot be expressed is an Error that names the node; the result is verified at level Imported.
/// Nodes see `known` inputs as constants; the graph keeps the inputs, and is right for these values
/// only. Names of no input are ignored.
[[nodiscard]] Graph import_onnx(const std::string& path, const KnownInputs& known = {});
/// The same from memory. `name` begins error messages; external data is looked up in `directory`.
[[nodiscard]] Graph import_onnx(std::string_view bytes, const std::string& name,
                                const std::string& directory, const KnownInputs& known = {});
/// One serialised TensorProto, as test suites store inputs and outputs.
[[nodiscard]] Tensor import_onnx_tensor(std::string_view bytes, const std::string& name);

}  // namespace dvmsim
