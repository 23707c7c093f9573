// How many instructions of the processor a piece of work takes: the same from run to run, whoever
// else uses the computer, and without its counters, which a virtual machine may not have.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace dvmsim {

/// Runs the work in a copy of this process, step by step. Nullopt where no process may watch
/// another.
[[nodiscard]] std::optional<std::int64_t> count_instructions(const std::function<void()>& work);

}  // namespace dvmsim
