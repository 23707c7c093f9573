// Where every workspace tensor and constant of a module lies: by liveness over the plan's steps.
#pragma once

#include "compiler/runtime/module.h"

namespace dvmsim {

/// Fills offsets and the sizes of the two blocks. Tensors that are never needed at the same time
/// share memory; everything is aligned to 512 bytes, the line of L2.
void plan_memory(Module& module);

}  // namespace dvmsim
