// Whole files in, with errors that name them, and where the project keeps its own. Files out are
// traces/output.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim {

[[nodiscard]] std::string read_text(const std::string& path);
[[nodiscard]] std::vector<std::uint8_t> read_bytes(const std::string& path);
/// Atomic: all of it under its name, or Error and nothing.
void write_file(const std::string& path, std::string_view bytes);
/// A file of the project by its path below configs/: looked for in the working directory and above,
/// then above the executable. Throws Error if it is nowhere.
[[nodiscard]] std::string find_config(const std::string& name);

}  // namespace dvmsim
