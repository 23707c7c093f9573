// Where the numbers of a hardware file come from: the comments above its keys.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim {

/// A line of block YAML: "section.key", what stands behind the colon, and the comment that holds
/// for it: the last one above it in its section.
struct YamlLine {
  std::string path{}, value{}, comment{};
  std::size_t indent = 0;
  int number = 0;
};
[[nodiscard]] std::vector<YamlLine> yaml_lines(std::string_view text);

struct Source {
  std::string comment{};
  std::string place{};  // "ascend910b4.yaml:12"
};
/// By the paths of the lines of the file and of what its `base:` names; the file's own win. The
/// file has been loaded without error.
[[nodiscard]] std::map<std::string, Source> sources_of(const std::string& file);

}  // namespace dvmsim
