#include "cli/files.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "traces/output.h"
#include "vm/base/error.h"

namespace dvmsim {

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

}  // namespace dvmsim
