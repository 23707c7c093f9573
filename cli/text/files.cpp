#include "cli/text/files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "traces/output.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> find_above(fs::path folder, const std::string& name) {
  for (;;) {
    const fs::path file = folder / "configs" / name;
    std::error_code fault;
    if (fs::is_regular_file(file, fault)) return file.string();
    if (!folder.has_relative_path()) return {};
    folder = folder.parent_path();
  }
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw Error(path + ": cannot be read; name a file");
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  const std::string text = read_text(path);
  return {text.begin(), text.end()};
}

void write_file(const std::string& path, std::string_view bytes) {
  OutputFile file(path);
  file.write(bytes);
  file.commit();
}

std::string find_config(const std::string& name) {
  std::error_code fault;
  const fs::path here = fs::current_path(fault);
  const fs::path program = fs::read_symlink("/proc/self/exe", fault).parent_path();
  for (const fs::path& start : {here, program, program.parent_path() / "share" / "dvmsim"}) {
    if (const auto found = find_above(start, name)) return *found;
  }
  throw Error("configs/" + name + ": not found here or above; name a file");
}

}  // namespace dvmsim
