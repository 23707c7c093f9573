// A LoopKernel as a function of C, for compilers that read files.
#pragma once

#include <string>

#include "cli/peers/loop_kernel.h"

namespace dvmsim {

[[nodiscard]] std::string c_source(const LoopKernel& kernel);

}  // namespace dvmsim
