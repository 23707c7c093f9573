// The meaning of every command: what it does to memory. Shared by the reference device and the
// simulator, so that they agree bit for bit. No time here.
#pragma once

#include "vm/exec/memory.h"
#include "vm/isa/isa.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// Performs a command of any pipe but the scalar one (flags and cross-core flags do nothing here).
/// Fault::kind None when it went well; memory is untouched when a bound is violated.
[[nodiscard]] Fault execute(const isa::Command& command, CoreMemory& core, GlobalMemory& global);

/// ldgm / ldub: the element as an integer.
[[nodiscard]] Fault read_scalar(const isa::Command& command, CoreMemory& core, GlobalMemory& global,
                                std::int64_t& value);

}  // namespace dvmsim
