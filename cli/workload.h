// What is run: a graph from a file, its sizes, and the values of its inputs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/operator_graph.h"
#include "cli/options/options.h"
#include "compiler/graph/dim.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/tensor.h"

namespace dvmsim {

/// A model file: .graph text or .onnx. Throws Error for anything else. `floats` takes the place of
/// F32, and of the doubles of an .onnx; `known` inputs of an .onnx are compiled for their values.
[[nodiscard]] Graph load_model(const std::string& path, std::optional<DType> floats = {},
                               const std::map<std::string, Tensor>& known = {});
/// The values of the inputs that --known names.
[[nodiscard]] std::map<std::string, Tensor> known_inputs(const RunOptions& options);
/// The sizes of the symbols from --dim, --shape and the inputs read. Throws Error, naming the
/// option, for names the graph does not have and sizes that do not agree or are missing.
[[nodiscard]] Bindings bindings_of(const Graph& graph, const RunOptions& options,
                                   const std::map<std::string, Tensor>& given);

/// The inputs that --input names, read from their files.
[[nodiscard]] std::map<std::string, Tensor> read_inputs(const Graph& graph,
                                                        const RunOptions& options);
/// The others: floating point uniform in [-1, 1) by seed and position, integers and bool 0.
void add_missing_inputs(std::map<std::string, Tensor>& inputs, const Graph& graph,
                        const Bindings& bindings, std::int64_t seed);

}  // namespace dvmsim
