// NumPy's .npy files as tensors: little endian, row-major. bf16 has no NumPy type and cannot be
// written.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/tensor.h"

namespace dvmsim {

/// Throws Error with the path for whatever is not exactly an array of a type we have.
[[nodiscard]] Tensor load_npy(const std::string& path);
void save_npy(const std::string& path, const Tensor& tensor);

/// The same from and to bytes; `name` stands for the file in messages.
[[nodiscard]] Tensor parse_npy(std::span<const std::byte> file, const std::string& name);
[[nodiscard]] std::vector<std::byte> npy_bytes(const Tensor& tensor);

}  // namespace dvmsim
