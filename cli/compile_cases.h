// The operators whose compile time `bench compile` measures: small graphs in text form, each for
// several sizes of its dims.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace dvmsim {

struct CompileCase {
  enum class Kind : std::uint8_t { Vector, Product };
  Kind kind = Kind::Vector;
  std::string_view name{};
  std::string_view lines{};  // of the text form, after its name
  std::vector<std::vector<std::int64_t>> sizes{};
};

[[nodiscard]] std::span<const CompileCase> compile_cases();

}  // namespace dvmsim
