#include "cli/regression/cases.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <set>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;
using Named = std::vector<std::pair<std::string, Texts>>;  // a key and its choices

/// One entry of the list, before its choices are multiplied out.
struct Entry {
  std::string name{}, model{}, op{}, dtype{};
  Texts shapes{}, strategies{"dvm"}, hardware{""}, options{};
  Named dims{};
  std::vector<std::pair<std::string, std::string>> shape{}, attributes{}, sets{};
  std::vector<Tolerance> tolerances{};
  std::string place{};
};

class Reader {
 public:
  explicit Reader(std::string path) : path_(std::move(path)) {}

  std::string place(const YAML::Node& node) const {
    return path_ + ":" + std::to_string(std::max(node.Mark().line, 0) + 1);
  }
  [[noreturn]] void fail(const YAML::Node& node, const std::string& what) const {
    throw Error(place(node) + ": " + what);
  }
  std::string text(const YAML::Node& node) const {
    if (!node.IsScalar() || node.Scalar().empty()) fail(node, "a plain value is missing");
    return node.Scalar();
  }
  /// A value, or a list of them.
  Texts texts(const YAML::Node& node) const {
    if (!node.IsSequence()) return {text(node)};
    if (node.size() == 0) fail(node, "an empty list");
    Texts all;
    for (const YAML::Node& each : node) all.push_back(text(each));
    return all;
  }
  Named choices(const YAML::Node& node) const {
    if (!node.IsMap()) fail(node, "write {name: value}");
    Named all;
    for (const auto& entry : node) all.emplace_back(text(entry.first), texts(entry.second));
    return all;
  }
  std::vector<std::pair<std::string, std::string>> values(const YAML::Node& node) const {
    if (!node.IsMap()) fail(node, "write {name: value}");
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& entry : node) all.emplace_back(text(entry.first), text(entry.second));
    return all;
  }
  Tolerance tolerance(const std::string& figure, const YAML::Node& node) const {
    const std::string word = text(node);
    Tolerance made{figure, std::numeric_limits<double>::infinity(), place(node)};
    if (word == "ignore") return made;
    made.share = 0;
    if (word == "exact") return made;
    std::size_t used = 0;
    try {
      made.share = std::stod(word, &used) / 100;
    } catch (const std::exception&) {
      used = 0;
    }
    if (used == 0 || word.substr(used) != "%" || !(made.share >= 0)) {
      fail(node, "tolerance '" + word + "': write a share as 1%, exact, or ignore");
    }
    return made;
  }

 private:
  std::string path_;
};

void read_key(Entry& entry, const std::string& key, const YAML::Node& name, const YAML::Node& value,
              const Reader& reader) {
  const std::map<std::string, std::string*> plain = {
      {"name", &entry.name}, {"model", &entry.model}, {"op", &entry.op}, {"dtype", &entry.dtype}};
  const std::map<std::string, Texts*> lists = {{"shapes", &entry.shapes},
                                               {"strategies", &entry.strategies},
                                               {"hardware", &entry.hardware},
                                               {"options", &entry.options}};
  const std::map<std::string, std::vector<std::pair<std::string, std::string>>*> maps = {
      {"shape", &entry.shape}, {"attrs", &entry.attributes}, {"set", &entry.sets}};
  if (const auto found = plain.find(key); found != plain.end()) {
    *found->second = reader.text(value);
  } else if (const auto list = lists.find(key); list != lists.end()) {
    *list->second = reader.texts(value);
  } else if (const auto map = maps.find(key); map != maps.end()) {
    *map->second = reader.values(value);
  } else if (key == "dims") {
    entry.dims = reader.choices(value);
  } else if (key == "tolerance" && value.IsMap()) {
    for (const auto& each : value) {
      entry.tolerances.push_back(reader.tolerance(reader.text(each.first), each.second));
    }
  } else {
    reader.fail(name,
                "'" + key +
                    "' is no part of a case; use name, model, op, shapes, dtype, attrs, dims, "
                    "shape, strategies, hardware, set, options, tolerance: {figure: 1%}");
  }
}

Entry read_entry(const YAML::Node& item, const Reader& reader) {
  if (!item.IsMap()) reader.fail(item, "no case; write model: FILE or op: NAME");
  Entry entry;
  entry.place = reader.place(item);
  std::set<std::string> seen;
  for (const auto& each : item) {
    const std::string key = reader.text(each.first);
    if (!seen.insert(key).second) reader.fail(each.first, "'" + key + "' stands here twice");
    read_key(entry, key, each.first, each.second, reader);
  }
  if (entry.model.empty() == entry.op.empty()) reader.fail(item, "a case has a model or an op");
  if (!entry.op.empty() && entry.shapes.empty()) reader.fail(item, "an op has shapes: [64x128]");
  if (entry.op.empty() && !(entry.shapes.empty() && entry.attributes.empty())) {
    reader.fail(item, "shapes and attrs are of an op; a model has dims and shape");
  }
  if (entry.model.empty() && !(entry.dims.empty() && entry.shape.empty())) {
    reader.fail(item, "dims and shape are of a model; an op has shapes");
  }
  return entry;
}

std::string stem(const std::string& path) {
  return fs::path(path).stem().string();
}

/// A case of an entry: a size for every dimension, a strategy and a machine.
RegressionCase make(const Entry& entry,
                    const std::vector<std::pair<std::string, std::string>>& dims,
                    const std::string& strategy, const std::string& hardware) {
  RegressionCase made;
  made.place = entry.place;
  made.tolerances = entry.tolerances;
  made.words = entry.op.empty() ? Words{"run", entry.model} : Words{"op", entry.op};
  made.name = !entry.name.empty() ? entry.name : entry.op.empty() ? stem(entry.model) : entry.op;
  const auto add = [&](const std::string& option, const std::string& value) {
    made.words.insert(made.words.end(), {option, value});
  };
  for (const std::string& shape : entry.shapes) {
    made.words.push_back(shape);
    if (entry.name.empty()) made.name += " " + shape;
  }
  for (const auto& [input, shape] : entry.shape) {
    add("--shape", input + "=" + shape);
    if (entry.name.empty()) made.name += " " + shape;
  }
  for (const auto& [dim, size] : dims) {
    add("--dim", dim + "=" + size);
    made.name += " " + dim + "=" + size;
  }
  if (!entry.dtype.empty()) {
    add("--dtype", entry.dtype);
    made.name += " " + entry.dtype;
  }
  for (const auto& [key, value] : entry.attributes) add("--attr", key + "=" + value);
  add("--strategy", strategy);
  made.name += " " + strategy;
  if (!hardware.empty()) {
    add("--hw", hardware);
    made.name += " " + stem(hardware);
  }
  for (const auto& [key, value] : entry.sets) add("--set", key + "=" + value);
  for (const std::string& words : entry.options) {
    for (std::size_t at = 0; at < words.size();) {
      const std::size_t end = std::min(words.find(' ', at), words.size());
      if (end > at) made.words.push_back(words.substr(at, end - at));
      at = end + 1;
    }
  }
  return made;
}

std::vector<RegressionCase> multiply(const Entry& entry) {
  std::vector<std::vector<std::pair<std::string, std::string>>> sizes = {{}};
  for (const auto& [dim, choices] : entry.dims) {
    std::vector<std::vector<std::pair<std::string, std::string>>> longer;
    for (const auto& so_far : sizes) {
      for (const std::string& size : choices) {
        longer.push_back(so_far);
        longer.back().emplace_back(dim, size);
      }
    }
    sizes = std::move(longer);
  }
  std::vector<RegressionCase> all;
  for (const std::string& hardware : entry.hardware) {
    for (const auto& dims : sizes) {
      for (const std::string& strategy : entry.strategies) {
        all.push_back(make(entry, dims, strategy, hardware));
      }
    }
  }
  return all;
}

YAML::Node load(const std::string& text, const std::string& path) {
  try {
    return YAML::Load(text);
  } catch (const YAML::ParserException& error) {
    throw Error(path + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace

std::vector<RegressionCase> parse_cases(const std::string& text, const std::string& path) {
  const YAML::Node root = load(text, path);
  const Reader reader(path);
  if (!root.IsMap() || root.size() != 1 || !root["cases"] || !root["cases"].IsSequence()) {
    reader.fail(root, "no list of cases; write 'cases:' and below it '- model: FILE' ...");
  }
  std::vector<RegressionCase> all;
  std::map<std::string, std::string> places;
  for (const YAML::Node& item : root["cases"]) {
    for (RegressionCase& made : multiply(read_entry(item, reader))) {
      const auto [known, is_new] = places.emplace(made.name, made.place);
      if (!is_new) {
        throw Error(made.place + ": case '" + made.name + "' is also at " + known->second +
                    "; give one of them a name");
      }
      all.push_back(std::move(made));
    }
  }
  if (all.empty()) reader.fail(root, "no case");
  return all;
}

}  // namespace dvmsim
