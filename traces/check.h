// Reads a trace back and checks what the viewer would swallow in silence: missing sequence ids,
// names used before they are defined, unbalanced or mis-nested slices, flows with one end or
// backwards in time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim {

struct TraceCheck {
  std::int64_t packets = 0, slices = 0, instants = 0, samples = 0;
  std::int64_t flows = 0;       // with both ends
  std::int64_t open_flows = 0;  // begun only: the taker lies outside the window or the budget
  /// Cycles of the slices by "process/thread" and category.
  std::map<std::string, std::map<std::string, std::int64_t>> cycles{};
  /// How often a slice or instant of that name occurs.
  std::map<std::string, std::int64_t> names{};
  std::vector<std::string> errors{};  // the first 20
};

/// Of the bytes of a trace, not compressed.
[[nodiscard]] TraceCheck check_trace(std::string_view bytes);
/// Of a file, perhaps compressed. Throws Error if it cannot be read.
[[nodiscard]] TraceCheck check_trace_file(const std::string& path);

}  // namespace dvmsim
