// Copy kernels and row gathers become programs of the vector cores' DMA.
#pragma once

#include "compiler/schedule/copy.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments: the inputs, then the outputs. `cores`: how many the launch should use.
[[nodiscard]] Program emit_copy(const CopyKernel& kernel, const Machine& machine, int& cores);

/// out[p, k, :] = data[p, indices[k], :], negative indices from the end. Arguments: data, indices,
/// out.
struct GatherKernel {
  std::string name{};
  DType dtype = DType::F32, index_type = DType::I64;
  std::int64_t outer = 1, axis = 1, count = 1, inner = 1;
};
[[nodiscard]] Program emit_gather(const GatherKernel& kernel, const Machine& machine, int& cores);

}  // namespace dvmsim
