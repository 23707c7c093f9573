// The compiler's passes in order. The only caller of them: names, times, verifies, and prints a
// graph when a pass changed it.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "compiler/pass/pass.h"

namespace dvmsim {

/// A pass that has run. Its time is measured, so it differs from run to run.
struct PassStep {
  std::string_view name;
  const Graph& before;
  const Graph& after;
  bool changed = false;
  std::chrono::nanoseconds time{};
};
/// Called after each pass, also after one that found nothing to do.
using PassObserver = std::function<void(const PassStep&)>;

/// From a shaped graph to one of primitives that partition() takes once its shapes are numbers.
[[nodiscard]] Graph run_passes(const Graph& graph, const PassContext& context,
                               const PassObserver& observer = {});
/// Does the pass for attention look at the graph?
[[nodiscard]] bool looks_for_attention(const Graph& graph, const PassContext& context);

}  // namespace dvmsim
