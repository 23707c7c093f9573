// The compiler's passes in order. The only caller of them: names, times, verifies, and prints a
// graph when a pass changed it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "compiler/pass/pass.h"

namespace dvmsim {

/// Called after each pass with its name, its graph, and whether it changed.
using PassObserver = std::function<void(std::string_view pass, const Graph& graph, bool changed)>;

/// From a shaped graph to one of primitives that partition() takes once its shapes are numbers.
[[nodiscard]] Graph run_passes(const Graph& graph, const PassContext& context,
                               const PassObserver& observer = {});
/// Would a pass change the graph that only does so if every dimension is a number?
[[nodiscard]] bool needs_numbers(const Graph& graph, const PassContext& context);

}  // namespace dvmsim
