// Copy kernels and row gathers become programs of the vector cores' DMA.
#pragma once

#include "compiler/schedule/copy.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments: the inputs, then the outputs. The boxes of the plan are the kernel's copies.
[[nodiscard]] Program emit_copy(const CopyKernel& kernel, const CopyPlan& plan,
                                const Machine& machine);

/// out[p, k, :] = data[p, indices[k], :], negative indices from the end. Arguments: data, indices,
/// out.
struct GatherKernel {
  std::string name{};
  DType dtype = DType::F32, index_type = DType::I64;
  std::int64_t outer = 1, axis = 1, count = 1, inner = 1;
};
/// Of its one box, [outer, count, inner].
[[nodiscard]] CopyLimits limits_of(const GatherKernel& kernel, const Machine& machine);
/// The choice does not exceed the limits.
[[nodiscard]] CopyPlan schedule_gather(const GatherKernel& kernel, const Machine& machine,
                                       int cores, const CopyChoice& choice = {});
[[nodiscard]] Program emit_gather(const GatherKernel& kernel, const CopyPlan& plan,
                                  const Machine& machine);

}  // namespace dvmsim
