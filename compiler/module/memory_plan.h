// Where every workspace tensor and constant of a module lies: by liveness over the plan's steps.
#pragma once

#include "compiler/module/module.h"
#include "compiler/module/step_order.h"

namespace dvmsim {

/// Fills offsets and the sizes of the two blocks. Tensors that are never needed at the same time
/// share memory; everything is aligned to 512 bytes, the line of L2. Needed at the same time: in
/// the order of the plan or, with `order`, in any that it allows.
void plan_memory(Module& module, const StepOrder* order = nullptr);

}  // namespace dvmsim
