#include "tests/support/onnx_suite.h"

#include <fstream>
#include <sstream>

#include "compiler/import/onnx.h"

namespace dvmsim {

std::vector<Tensor> suite_tensors(const std::filesystem::path& directory, const std::string& stem) {
  std::vector<Tensor> result;
  for (int i = 0;; ++i) {
    const std::filesystem::path path = directory / (stem + "_" + std::to_string(i) + ".pb");
    if (!std::filesystem::exists(path)) return result;
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    result.push_back(import_onnx_tensor(bytes.str(), path.string()));
  }
}

}  // namespace dvmsim
