// Read-modify-write of global memory by stores and FixPipe: one rounding for each update.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/base/dtype.h"
#include "vm/isa/isa.h"

namespace dvmsim::exec {

/// to[i] = to[i] op from[i] for `count` elements, in order; no alignment needed. None copies.
/// Integers wrap; Bool counts as a byte; Max and Min propagate NaN.
void update(std::byte* to, const std::byte* from, std::int64_t count, DType dtype,
            isa::Atomic atomic);

}  // namespace dvmsim::exec
