#include "cli/study/study.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "cli/machine.h"
#include "cli/strategy_constants.h"
#include "cli/study/parts.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// Reads the top of the file, section by section.
class StudyReader {
 public:
  explicit StudyReader(const std::string& file) {
    study_.file = file;
    study_.title = fs::path(file).stem().string();
    const std::string folder = fs::path(file).parent_path().string();
    folder_ = folder.empty() ? "." : folder;
  }

  Study read(const Yaml& root) {
    using Section = void (StudyReader::*)(const YamlEntry&);
    const std::pair<const char*, Section> sections[] = {{"study", &StudyReader::title},
                                                        {"hardware", &StudyReader::hardware},
                                                        {"sampling", &StudyReader::sampling},
                                                        {"axes", &StudyReader::axes},
                                                        {"derived", &StudyReader::derived},
                                                        {"workloads", &StudyReader::workloads},
                                                        {"strategies", &StudyReader::strategies},
                                                        {"launch_cost", &StudyReader::launch_cost},
                                                        {"view", &StudyReader::view},
                                                        {"options", &StudyReader::options},
                                                        {"metrics", &StudyReader::metrics},
                                                        {"cost", &StudyReader::cost},
                                                        {"pareto", &StudyReader::pareto}};
    std::string known;
    for (const auto& [name, unused] : sections)
      known += (known.empty() ? "" : ", ") + std::string(name);
    if (!root.is_map()) root.fail("is no study; write " + known);
    for (const YamlEntry& entry : root.map("a study")) {
      const bool is_known = std::any_of(std::begin(sections), std::end(sections),
                                        [&](const auto& each) { return entry.key == each.first; });
      if (!is_known) entry.unknown("a study", known);
    }
    // In the order above: how axes are read depends on the sampling.
    for (const auto& [name, section] : sections) {
      for (const YamlEntry& entry : root.map("a study")) {
        if (entry.key == name) (this->*section)(entry);
      }
    }
    if (study_.workloads.empty()) root.fail("has no workloads; add workloads: [{model: FILE}]");
    if (study_.hardware.empty()) study_.hardware.push_back({});
    if (study_.strategies.empty()) study_.strategies.push_back({.name = "dvm"});
    finish(root);
    return std::move(study_);
  }

 private:
  void title(const YamlEntry& entry) { study_.title = entry.value.text(entry.key); }

  void hardware(const YamlEntry& entry) {
    for (const Yaml& item : entry.value.list(entry.key)) {
      StudyHardware hardware;
      hardware.line = item.line();
      for (const YamlEntry& each : item.map("a machine")) {
        if (each.key == "file") {
          const fs::path path = fs::path(folder_) / each.value.text(each.key);
          hardware.file = path.lexically_normal().string();
          if (!fs::is_regular_file(hardware.file)) {
            each.fail("file: '" + hardware.file + "' is no file");
          }
        } else if (each.key == "name") {
          hardware.name = each.value.text(each.key);
        } else if (each.key == "set") {
          for (const YamlEntry& set : each.value.map(each.key)) {
            check_setting(set.value, set.key, set.value.text(set.key));
            hardware.sets.push_back(set.key + "=" + set.value.text(set.key));
          }
        } else {
          each.unknown("a machine", "file, name, set");
        }
      }
      study_.hardware.push_back(std::move(hardware));
    }
  }

  void sampling(const YamlEntry& entry) {
    const Yaml& value = entry.value;
    Sampling& sampling = study_.sampling;
    if (value.is_text()) {
      const std::string& text = value.text(entry.key);
      if (text == "list") sampling.kind = Sampling::Kind::List;
      if (text != "list" && text != "grid") value.fail("sampling: grid, list or {random: COUNT}");
      return;
    }
    sampling.kind = Sampling::Kind::Random;
    for (const YamlEntry& each : value.map("sampling")) {
      if (each.key == "random") {
        sampling.count = each.value.integer(each.key, 1);
      } else if (each.key == "seed") {
        sampling.seed = each.value.integer(each.key);
      } else {
        each.unknown("sampling", "random and seed");
      }
    }
    if (sampling.count == 0) entry.fail("sampling: add random: how many points");
  }

  void axes(const YamlEntry& entry) {
    std::map<std::string, std::string> owner;
    for (const YamlEntry& each : entry.value.map(entry.key)) {
      study_.axes.push_back(read_axis(each, study_.sampling.kind == Sampling::Kind::Random));
      for (const std::string& key : study_.axes.back().keys) {
        const auto [found, is_new] = owner.emplace(key, each.key);
        if (!is_new) each.fail("'" + key + "' is already set by the axis " + found->second);
      }
    }
    if (study_.sampling.kind != Sampling::Kind::List) return;
    for (const StudyAxis& axis : study_.axes) {
      if (axis.values.size() == study_.axes[0].values.size()) continue;
      entry.fail("sampling: list needs as many values of each axis; " + axis.name + " has " +
                 std::to_string(axis.values.size()) + ", " + study_.axes[0].name + " " +
                 std::to_string(study_.axes[0].values.size()));
    }
  }

  void derived(const YamlEntry& entry) {
    for (const YamlEntry& each : entry.value.map(entry.key)) {
      for (const StudyAxis& axis : study_.axes) {
        if (std::find(axis.keys.begin(), axis.keys.end(), each.key) == axis.keys.end()) continue;
        each.fail("'" + each.key + "' is already set by the axis " + axis.name);
      }
      Derived derived{each.key, {}, each.line};
      placed(each.value, [&] {
        derived.value = Expression(each.value.text(each.key));
        (void)number_of(default_machine(), each.key);
        for (const std::string& name : derived.value.names()) {
          if (!number_of(default_machine(), name)) throw Error("'" + name + "' is no number");
        }
        return 0;
      });
      study_.derived.push_back(std::move(derived));
    }
  }

  void workloads(const YamlEntry& entry) {
    std::set<std::string> seen;
    for (const Yaml& item : entry.value.list(entry.key)) {
      study_.workloads.push_back(read_workload(item, folder_));
      const std::string& name = study_.workloads.back().name;
      if (!seen.insert(name).second) {
        item.fail("two workloads are called '" + name + "'; give one another name:");
      }
    }
  }

  void strategies(const YamlEntry& entry) {
    std::set<std::string> seen;
    for (const Yaml& item : entry.value.list(entry.key)) {
      study_.strategies.push_back(strategy(item));
      const std::string& name = study_.strategies.back().name;
      if (!seen.insert(name).second) {
        item.fail("two strategies are called '" + name + "'; give one another name:");
      }
    }
  }

  static StudyStrategy strategy(const Yaml& item) {
    StudyStrategy result;
    result.line = item.line();
    if (item.is_text()) {
      result.strategy = item.text("strategies");
    } else {
      bool named = false;
      for (const YamlEntry& each : item.map("a strategy")) {
        const Yaml& value = each.value;
        if (each.key == "strategy") {
          result.strategy = value.text(each.key);
          named = true;
        } else if (each.key == "name") {
          result.name = value.text(each.key);
        } else if (each.key == "feature") {
          result.features =
              placed(value, [&] { return parse_features(value.text("feature"), "feature"); });
        } else if (each.key == "tiling") {
          result.tiling = value.text(each.key);
          placed(value, [&] { return check_tiling(result.tiling, "tiling"), 0; });
        } else if (each.key == "set") {
          read_constants(value, result);
        } else if (each.key == "cores") {
          result.cores = static_cast<int>(value.integer(each.key, 1));
        } else {
          each.unknown("a strategy", "strategy, name, feature, tiling, cores, set");
        }
      }
      if (!named) item.fail("a strategy: add strategy: eager, dvm, resident, ...");
    }
    placed(item, [&] { return check_strategy(result.strategy, "strategy"), 0; });
    for (const std::string& set : result.sets) {
      const std::string key = set.substr(0, set.find('='));
      if (rests_on(result.strategy, key)) continue;
      item.fail("set: strategy " + result.strategy + " does not depend on " + key);
    }
    if (result.name.empty()) result.name = result.strategy;
    return result;
  }

  static void read_constants(const Yaml& sets, StudyStrategy& strategy) {
    for (const YamlEntry& set : sets.map("set")) {
      const std::string& text = set.value.text(set.key);
      placed(set.value, [&] { return check_constant(set.key, text), 0; });
      strategy.sets.push_back(set.key + "=" + text);
    }
  }

  void launch_cost(const YamlEntry& entry) {
    for (const Yaml& each : entry.value.list(entry.key)) {
      const std::string& text = each.text(entry.key);
      check_setting(each, kLaunchKeys[0], text);
      auto& costs = study_.launch_costs;
      if (std::find(costs.begin(), costs.end(), text) != costs.end()) {
        each.fail("launch_cost: '" + text + "' is there twice");
      }
      costs.push_back(text);
    }
    for (const StudyAxis& axis : study_.axes) {
      for (const char* key : kLaunchKeys) {
        if (std::find(axis.keys.begin(), axis.keys.end(), key) == axis.keys.end()) continue;
        entry.fail(std::string("launch_cost: '") + key + "' is already set by the axis " +
                   axis.name);
      }
    }
  }

  void view(const YamlEntry& entry) {
    const Yaml& value = entry.value;
    study_.view = placed(value, [&] { return parse_view(value.text(entry.key), "view"); });
  }

  void options(const YamlEntry& entry) {
    for (const YamlEntry& each : entry.value.map(entry.key)) {
      const Yaml& value = each.value;
      if (each.key == "memory") {
        study_.memory = placed(value, [&] { return parse_memory(value.text("memory"), "memory"); });
      } else if (each.key == "l2") {
        study_.warm_l2 = placed(value, [&] { return parse_l2(value.text("l2"), "l2"); });
      } else if (each.key == "repeat") {
        study_.repeat = static_cast<int>(std::min<std::int64_t>(1000, value.integer("repeat", 1)));
      } else if (each.key == "decode") {
        study_.decode = value.flag(each.key);
      } else {
        each.unknown("options", "memory, l2, repeat, decode");
      }
    }
  }

  void metrics(const YamlEntry& entry) {
    for (const Yaml& item : entry.value.list(entry.key)) {
      StudyMetric metric = read_metric(item);
      for (const StudyMetric& other : study_.metrics) {
        if (other.name == metric.name) item.fail("'" + metric.name + "' is there twice");
      }
      study_.metrics.push_back(std::move(metric));
    }
  }

  static StudyMetric read_metric(const Yaml& item) {
    StudyMetric metric;
    metric.line = item.line();
    const Yaml *value = &item, *better = nullptr;
    if (item.is_map()) {
      better = item.find("better");
      const auto& entries = item.map("a metric");
      if (entries.size() != (better == nullptr ? 1u : 2u)) {
        item.fail("a metric: write its name, or {NAME: expression}, perhaps with better: more");
      }
      const YamlEntry& named = entries[0].key == "better" ? entries[1] : entries[0];
      metric.name = named.key;
      value = &named.value;
    } else {
      metric.name = item.text("a metric");
    }
    metric.value = placed(*value, [&] { return Expression(value->text("a metric")); });
    metric.more = metric.value.text() == "roofline.fraction";
    if (better != nullptr) {
      metric.more = better->text("better") == "more";
      if (!metric.more && better->text("better") != "less") better->fail("better: less or more");
    }
    return metric;
  }

  void cost(const YamlEntry& entry) { study_.cost = read_costs(entry.value); }

  void pareto(const YamlEntry& entry) {
    for (const Yaml& item : entry.value.list(entry.key)) {
      study_.pareto.emplace_back(item.text("pareto"), item.line());
    }
    if (study_.pareto.size() < 2) entry.fail("pareto: write two metrics or costs, or more");
  }

  /// Names of machines, which need their files, and what is set twice.
  void finish(const Yaml& root) {
    for (const StudyStrategy& strategy : study_.strategies) {
      for (const StudyAxis& axis : study_.axes) check_apart(root, strategy, axis);
    }
    std::set<std::string> seen;
    for (StudyHardware& hardware : study_.hardware) {
      const Machine machine = machine_from(hardware.file, hardware.sets);
      if (hardware.name.empty()) hardware.name = machine.name;
      if (seen.insert(hardware.name).second) continue;
      throw Error(root.file() + ":" + std::to_string(hardware.line) +
                  ": two machines are called '" + hardware.name + "'; give one another name:");
    }
  }

  static void check_apart(const Yaml& root, const StudyStrategy& strategy, const StudyAxis& axis) {
    for (const std::string& set : strategy.sets) {
      const std::string key = set.substr(0, set.find('='));
      if (std::find(axis.keys.begin(), axis.keys.end(), key) == axis.keys.end()) continue;
      throw Error(root.file() + ":" + std::to_string(strategy.line) + ": set: '" + key +
                  "' is already set by the axis " + axis.name);
    }
  }

  Study study_{};
  std::string folder_{};
};

}  // namespace

Study parse_study(const std::string& text, const std::string& file) {
  return StudyReader(file).read(parse_yaml(text, file));
}

Study load_study(const std::string& path) {
  return StudyReader(path).read(load_yaml(path));
}

}  // namespace dvmsim
