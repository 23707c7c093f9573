// The tensors beside a model of the ONNX project's operator tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "compiler/graph/tensor.h"

namespace dvmsim {

/// stem_0.pb, stem_1.pb, ... of the directory, as far as they go.
[[nodiscard]] std::vector<Tensor> suite_tensors(const std::filesystem::path& directory,
                                                const std::string& stem);

}  // namespace dvmsim
