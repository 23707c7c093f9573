// The ONNX project's operator tests as files: a directory with a model and the tensors beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "compiler/graph/tensor.h"

namespace dvmsim {

/// Every directory of the suite with a model in it, by name.
[[nodiscard]] std::vector<std::filesystem::path> suite_cases(const std::filesystem::path& suite);

/// stem_0.pb, stem_1.pb, ... of the directory, as far as they go. Doubles are read as F32. Bfloat16
/// is stored as uint16 by the suite; the model beside the directory says which it is.
[[nodiscard]] std::vector<Tensor> suite_tensors(const std::filesystem::path& directory,
                                                const std::string& stem);

/// What a model is about: "core", or the first of what dvmsim does not claim that it uses:
/// "training", "ml", "sequence", "optional", "string".
struct SuiteModel {
  std::int64_t opset = 0;  // of the default domain
  std::string group{};
};
[[nodiscard]] SuiteModel suite_model(const std::filesystem::path& directory);
/// The names of its inputs, in order; initializers are none.
[[nodiscard]] std::vector<std::string> suite_inputs(const std::filesystem::path& directory);

}  // namespace dvmsim
