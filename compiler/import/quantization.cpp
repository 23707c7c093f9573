// ONNX's integer operators.
#include "compiler/import/windows.h"

namespace dvmsim::onnx_import {

std::span<const Entry> quantization_table() {
  return {};
}

}  // namespace dvmsim::onnx_import
