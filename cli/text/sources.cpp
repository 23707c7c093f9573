#include "cli/text/sources.h"

#include <filesystem>
#include <sstream>

#include "cli/text/files.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \r") - first + 1));
}

/// Keys above the current one, by indent.
class Nesting {
 public:
  std::string enter(std::size_t indent, const std::string& key) {
    while (!open_.empty() && open_.back().first >= indent) open_.pop_back();
    std::string path;
    for (const auto& [unused, name] : open_) path += name + ".";
    open_.emplace_back(indent, key);
    return path + key;
  }

 private:
  std::vector<std::pair<std::size_t, std::string>> open_{};
};

}  // namespace

std::vector<YamlLine> yaml_lines(std::string_view text) {
  std::vector<YamlLine> lines;
  std::istringstream stream{std::string(text)};
  Nesting nesting;
  std::string comment, raw;
  bool ended = true;  // the comment is complete: the next one begins anew
  for (int number = 1; std::getline(stream, raw); ++number) {
    const std::string line = trimmed(raw);
    if (line.starts_with("#")) {
      comment = (ended ? "" : comment + " ") + trimmed(std::string_view(line).substr(1));
      ended = false;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::size_t indent = raw.find_first_not_of(' ');
    if (indent == 0 && ended) comment.clear();  // belongs to the section before
    const std::string value = trimmed(std::string_view(line).substr(colon + 1));
    lines.push_back({nesting.enter(indent, line.substr(0, colon)), value, comment, indent, number});
    ended = true;
  }
  return lines;
}

std::map<std::string, Source> sources_of(const std::string& file) {
  std::map<std::string, Source> sources;
  const std::vector<YamlLine> lines = yaml_lines(read_text(file));
  const fs::path path(file);
  for (const YamlLine& line : lines) {
    if (line.path == "base") sources = sources_of((path.parent_path() / line.value).string());
  }
  for (const YamlLine& line : lines) {
    sources[line.path] = {line.comment,
                          path.filename().string() + ":" + std::to_string(line.number)};
  }
  return sources;
}

}  // namespace dvmsim
