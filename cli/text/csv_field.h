// A field of comma-separated values, as RFC 4180 has them.
#pragma once

#include <string>

namespace dvmsim {

/// Quoted if it must be.
[[nodiscard]] inline std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace dvmsim
