#include "cli/text/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "cli/text/files.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr int kMostNesting = 32;

[[noreturn]] void fail_at(const std::string& file, int line, const std::string& why) {
  throw Error(file + ":" + std::to_string(line) + ": " + why);
}

}  // namespace

class YamlBuilder {
 public:
  explicit YamlBuilder(std::string file) : file_(std::move(file)) {}

  Yaml build(const YAML::Node& node, int depth = 0) const {
    Yaml result;
    result.file_ = file_;
    result.line_ = line_of(node);
    if (depth > kMostNesting) result.fail("nested too deeply; is an alias inside its own anchor?");
    if (node.IsScalar()) {
      result.kind_ = Yaml::Kind::Text;
      result.text_ = node.Scalar();
    } else if (node.IsSequence()) {
      result.kind_ = Yaml::Kind::List;
      for (const YAML::Node& item : node) result.items_.push_back(build(item, depth + 1));
    } else if (node.IsMap()) {
      result.kind_ = Yaml::Kind::Map;
      build_entries(result, node, depth);
    }
    return result;
  }

 private:
  static int line_of(const YAML::Node& node) { return std::max(node.Mark().line, 0) + 1; }

  void build_entries(Yaml& result, const YAML::Node& node, int depth) const {
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const YAML::Node& key = entry.first;
      if (!key.IsScalar()) fail_at(file_, line_of(key), "a key must be a plain name");
      const std::string name = key.Scalar();
      if (!seen.insert(name).second) fail_at(file_, line_of(key), "'" + name + "' is given twice");
      result.entries_.push_back({name, line_of(key), build(entry.second, depth + 1)});
    }
  }

  std::string file_;
};

void Yaml::fail(const std::string& why) const {
  fail_at(file_, line_, why);
}

const std::string& Yaml::text(const std::string& what) const& {
  if (kind_ != Kind::Text) fail(what + ": write one plain value");
  return text_;
}

std::int64_t Yaml::integer(const std::string& what) const {
  const std::string& digits = text(what);
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size()) {
    fail(what + ": '" + digits + "' is not a whole number");
  }
  return value;
}

std::int64_t Yaml::integer(const std::string& what, std::int64_t least) const {
  const std::int64_t value = integer(what);
  if (value < least) fail(what + ": write at least " + std::to_string(least));
  return value;
}

double Yaml::number(const std::string& what) const {
  const std::string& digits = text(what);
  double value = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size() ||
      !std::isfinite(value)) {
    fail(what + ": '" + digits + "' is not a number");
  }
  return value;
}

bool Yaml::flag(const std::string& what) const {
  if (text(what) != "true" && text_ != "false") fail(what + ": write true or false");
  return text_ == "true";
}

const std::vector<Yaml>& Yaml::list(const std::string& what) const& {
  if (kind_ != Kind::List || items_.empty()) fail(what + ": write a list, [one, two]");
  return items_;
}

const std::vector<YamlEntry>& Yaml::map(const std::string& what) const& {
  if (kind_ != Kind::Map) fail(what + ": write names and values, {name: value}");
  return entries_;
}

void Yaml::each(const std::string& what, const std::function<void(const YamlEntry&)>& use) const {
  for (const YamlEntry& entry : map(what)) use(entry);
}

const Yaml* Yaml::find(const std::string& key) const {
  for (const YamlEntry& entry : entries_) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void YamlEntry::fail(const std::string& why) const {
  fail_at(value.file(), line, why);
}

void YamlEntry::unknown(const std::string& owner, const std::string& known) const {
  fail("'" + key + "': unknown; " + owner + " has " + known);
}

Yaml parse_yaml(const std::string& text, const std::string& file) {
  try {
    return YamlBuilder(file).build(YAML::Load(text));
  } catch (const YAML::Exception& fault) {
    fail_at(file, std::max(fault.mark.line, 0) + 1, "not YAML: " + fault.msg);
  }
}

Yaml load_yaml(const std::string& path) {
  return parse_yaml(read_text(path), path);
}

}  // namespace dvmsim
