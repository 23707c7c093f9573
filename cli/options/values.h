// Values of options as text, the same on the command line and in study files. Each function throws
// Error naming the option for what it does not understand.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "sim/mem/server.h"
#include "vm/base/dtype.h"
#include "vm/base/error.h"
#include "vm/device/device.h"

namespace dvmsim {

using Named = std::vector<std::pair<std::string, std::string>>;  // name=text, in order

inline constexpr const char* kStrategiesHelp =
    "eager, graph, sink, jit, bucket, dvm, dvm-eager or resident";
inline constexpr const char* kConstantsHelp =
    "file of the strategies' constants (default: configs/strategies.yaml)";

/// What a comparison is about: a host and a device at work on a stream of runs, or the device
/// alone.
enum class CompareView : std::uint8_t { Stream, Device };

void check_strategy(const std::string& name, const std::string& option);
void check_tiling(const std::string& name, const std::string& option);
/// "+name,-name": whether each is on.
[[nodiscard]] std::vector<std::pair<std::string, bool>> parse_features(const std::string& text,
                                                                       const std::string& option);
[[nodiscard]] DType parse_floats(const std::string& text, const std::string& option);
[[nodiscard]] Mode parse_mode(const std::string& text, const std::string& option);
[[nodiscard]] MemoryModel parse_memory(const std::string& text, const std::string& option);
[[nodiscard]] CompareView parse_view(const std::string& text, const std::string& option);
/// Is L2 warm?
[[nodiscard]] bool parse_l2(const std::string& text, const std::string& option);
[[nodiscard]] std::int64_t parse_integer(const std::string& text, const std::string& option);
/// "name=text".
[[nodiscard]] std::pair<std::string, std::string> parse_named(const std::string& text,
                                                              const std::string& option);
/// "2x3x48": positive sizes; "scalar": none.
[[nodiscard]] std::vector<std::int64_t> parse_shape(const std::string& text,
                                                    const std::string& option);
/// "I/N": part I of N, counted from 0.
[[nodiscard]] std::pair<std::int64_t, std::int64_t> parse_part(const std::string& text,
                                                               const std::string& option);

[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);
[[noreturn]] void refuse(const std::string& option, const std::string& instead);

/// The value of the choice that the text names.
template <class Value>
Value choose(const std::string& option, const std::string& text,
             std::initializer_list<std::pair<const char*, Value>> choices) {
  std::string known;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    known += (known.empty() ? "" : " or ") + std::string(name);
  }
  throw Error(option + " " + text + ": unknown; use " + known);
}

}  // namespace dvmsim
