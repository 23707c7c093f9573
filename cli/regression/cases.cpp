#include "cli/regression/cases.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <map>

#include "cli/text/yaml.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// One entry of the list, before its choices are multiplied out.
struct Entry {
  std::string name{}, model{}, op{}, dtype{};
  Texts shapes{}, strategies{"dvm"}, hardware{""}, options{};
  std::vector<std::pair<std::string, Texts>> dims{};  // and the choices of each
  Pairs shape{}, attributes{}, sets{};
  std::vector<Tolerance> tolerances{};
  std::string place{};
};

/// A value, or a list of them.
Texts texts_of(const YamlEntry& entry) {
  if (!entry.value.is_list()) return {entry.value.text(entry.key)};
  Texts all;
  for (const Yaml& each : entry.value.list(entry.key)) all.push_back(each.text(entry.key));
  return all;
}

std::string place_of(const std::string& file, int line) {
  return file + ":" + std::to_string(line);
}

Tolerance tolerance_of(const YamlEntry& entry) {
  const std::string word = entry.value.text(entry.key);
  Tolerance made{entry.key, 0, place_of(entry.value.file(), entry.line)};
  if (word == "exact") return made;
  if (word == "ignore") {
    made.share = std::numeric_limits<double>::infinity();
    return made;
  }
  const char* end = word.data() + word.size() - 1;
  const auto [at, fault] = std::from_chars(word.data(), end, made.share);
  if (word.back() != '%' || fault != std::errc() || at != end || !(made.share >= 0)) {
    entry.value.fail("tolerance '" + word + "': write a share as 1%, exact, or ignore");
  }
  made.share /= 100;
  return made;
}

void read_key(Entry& entry, const YamlEntry& given) {
  const std::map<std::string, std::string*> plain = {
      {"name", &entry.name}, {"model", &entry.model}, {"op", &entry.op}, {"dtype", &entry.dtype}};
  const std::map<std::string, Texts*> lists = {{"shapes", &entry.shapes},
                                               {"strategies", &entry.strategies},
                                               {"hardware", &entry.hardware},
                                               {"options", &entry.options}};
  const std::map<std::string, Pairs*> maps = {
      {"shape", &entry.shape}, {"attrs", &entry.attributes}, {"set", &entry.sets}};
  if (const auto found = plain.find(given.key); found != plain.end()) {
    *found->second = given.value.text(given.key);
  } else if (const auto list = lists.find(given.key); list != lists.end()) {
    *list->second = texts_of(given);
  } else if (const auto map = maps.find(given.key); map != maps.end()) {
    given.value.each(given.key, [&](const YamlEntry& each) {
      map->second->emplace_back(each.key, each.value.text(each.key));
    });
  } else if (given.key == "dims") {
    given.value.each(given.key, [&](const YamlEntry& each) {
      entry.dims.emplace_back(each.key, texts_of(each));
    });
  } else if (given.key == "tolerance") {
    given.value.each(
        given.key, [&](const YamlEntry& each) { entry.tolerances.push_back(tolerance_of(each)); });
  } else {
    given.unknown("a case",
                  "name, model, op, shapes, dtype, attrs, dims, shape, strategies, hardware, set, "
                  "options and tolerance");
  }
}

Entry read_entry(const Yaml& item) {
  Entry entry;
  entry.place = place_of(item.file(), item.line());
  item.each("a case", [&](const YamlEntry& given) { read_key(entry, given); });
  if (entry.model.empty() == entry.op.empty()) item.fail("a case has a model or an op");
  if (!entry.op.empty() && entry.shapes.empty()) item.fail("an op has shapes: [64x128]");
  if (entry.op.empty() && !(entry.shapes.empty() && entry.attributes.empty())) {
    item.fail("shapes and attrs are of an op; a model has dims and shape");
  }
  if (entry.model.empty() && !(entry.dims.empty() && entry.shape.empty())) {
    item.fail("dims and shape are of a model; an op has shapes");
  }
  return entry;
}

std::string stem(const std::string& path) {
  return fs::path(path).stem().string();
}

/// A case of an entry: a size for every dimension, a strategy and a machine.
RegressionCase make(const Entry& entry, const Pairs& dims, const std::string& strategy,
                    const std::string& hardware) {
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
  std::vector<Pairs> sizes = {{}};
  for (const auto& [dim, choices] : entry.dims) {
    std::vector<Pairs> longer;
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

}  // namespace

std::vector<RegressionCase> parse_cases(const std::string& text, const std::string& path) {
  const Yaml root = parse_yaml(text, path);
  std::vector<RegressionCase> all;
  std::map<std::string, std::string> places;
  root.each("a list of cases", [&](const YamlEntry& given) {
    if (given.key != "cases") given.unknown("the list", "cases");
    for (const Yaml& item : given.value.list("cases")) {
      for (RegressionCase& made : multiply(read_entry(item))) {
        const auto [known, is_new] = places.emplace(made.name, made.place);
        if (!is_new) {
          throw Error(made.place + ": case '" + made.name + "' is also at " + known->second +
                      "; give one of them a name");
        }
        all.push_back(std::move(made));
      }
    }
  });
  if (all.empty()) root.fail("no cases; write cases: [...]");
  return all;
}

}  // namespace dvmsim
