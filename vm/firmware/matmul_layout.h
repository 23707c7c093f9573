// Where a matrix product's blocks lie in the buffers of a cube core. Inside the macro.
#pragma once

#include <cstdint>

#include "vm/base/dtype.h"
#include "vm/isa/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {

inline constexpr std::int64_t kFractalRows = 16, kFractalRow = 32;

/// Half of L1, in bytes; blocks and parts along k, in elements.
struct MatmulLayout {
  std::int64_t block_k = 0, part = 0, b_offset = 0, bias_offset = 0, half_bytes = 0;
};
/// Half of L1 holds A, then B (256 B aligned), then the bias. A part along k fills half of L0A or
/// L0B at the tile's larger side: 16384 / max(m, n) elements of 2 bytes on a 64 KB L0 (DVM's rule).
[[nodiscard]] MatmulLayout matmul_layout(const Machine& machine, const isa::MatmulArguments& args,
                                         DType type);

[[nodiscard]] std::int64_t bias_item(const isa::MatmulArguments& args);

}  // namespace dvmsim
