// `config show`: a machine for an architect. The peaks that follow from its numbers, then every
// number with its meaning and source, as a hardware file that can be loaded again.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "cli/commands.h"
#include "cli/cost.h"
#include "cli/machine.h"
#include "cli/peaks.h"
#include "cli/text/sources.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

constexpr std::size_t kWidth = 120, kComments = 34;

/// What the sources' short names stand for.
constexpr const char* kLegend[] = {
    "Sources. ini: the chips' platform files. arch: the vendor's architecture and constraint "
    "pages.",
    "perf: its tables of theoretical performance. msprof: published profiler rows. vendor model: "
    "its",
    "open cost model. dvm: source and tests of DVM. inferred: arithmetic from those. assumed: "
    "nothing",
    "published. `Here` tells what a hardware file changes in the built-in machine, and why.",
};

// -- peaks ----------------------------------------------------------------------------------------

std::string number(double value) {
  if (value == 0) return "";
  return value < 10 ? fmt::format("{:.2f}", value) : fmt::format("{:.1f}", value);
}

std::string peaks_text(const Machine& machine) {
  const bool unified = machine.cores.unified;
  std::string text =
      fmt::format("# {}: {} {}cores{}, {:g} MHz\n# What follows from the numbers below:\n",
                  machine.name, machine.cores.cube, unified ? "" : "cube ",
                  unified ? "" : fmt::format(" and {} vector cores", machine.cores.vector),
                  static_cast<double>(machine.clock.core.count()) / 1e6);
  for (const PeakGroup& group : peaks_of(machine)) {
    text += fmt::format("#\n# {:<42}{:>10}{:>12}  {}\n", group.title, "a core", "all cores",
                        group.unit);
    for (const Peak& peak : group.peaks) {
      text +=
          fmt::format("#   {:<40}{:>10}{:>12}\n", peak.what, number(peak.one), number(peak.all));
    }
  }
  text += fmt::format(
      "#\n# Compute and memory balance at {:.0f} f16 operations per byte from HBM, {:.0f} per byte "
      "from L2.\n#\n",
      balance_ops_per_byte(machine), peak_cube_ops(machine, DType::F16) / l2_read(machine));
  for (const char* line : kLegend) text += fmt::format("# {}\n", line);
  return text + "\n";
}

/// What the file says the machine costs; nothing if it says nothing.
struct Costs {
  std::vector<DesignCost> costs{};
  std::vector<CostValue> values{};

  Costs(const Machine& machine, const std::string& file) {
    if (file.empty()) return;
    costs = costs_of_file(file);
    values = dvmsim::values_of(costs, machine);
  }
  [[nodiscard]] std::string text() const {
    std::string text = costs.empty() ? "" : "# Costs, by the file's section `cost`:\n";
    for (std::size_t i = 0; i < costs.size(); ++i) {
      text += fmt::format("#   {:<40}{:>10}{:>12.1f}  {}{}\n", costs[i].name, "", values[i].value,
                          costs[i].unit, costs[i].assumed() ? ", assumed" : "");
      for (std::size_t t = 0; t < costs[i].terms.size(); ++t) {
        text += fmt::format("#     {:<38}{:>10}{:>12.1f}\n", costs[i].terms[t].name, "",
                            values[i].terms[t]);
      }
    }
    return costs.empty() ? "" : text + "\n";
  }
  [[nodiscard]] nlohmann::ordered_json json() const {
    auto list = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < costs.size(); ++i) {
      auto terms = nlohmann::ordered_json::array();
      for (std::size_t t = 0; t < costs[i].terms.size(); ++t) {
        const CostTerm& term = costs[i].terms[t];
        terms.push_back(
            {{"name", term.name}, {"value", values[i].terms[t]}, {"source", term.source}});
      }
      list.push_back({{"name", costs[i].name},
                      {"unit", costs[i].unit},
                      {"value", values[i].value},
                      {"assumed", costs[i].assumed()},
                      {"terms", std::move(terms)}});
    }
    return list;
  }
};

// -- parameters -----------------------------------------------------------------------------------

/// By path, of a machine as YAML with its documentation.
std::map<std::string, std::string> values_of(const Machine& machine) {
  std::map<std::string, std::string> values;
  for (const YamlLine& line : yaml_lines(dump(machine))) values[line.path] = line.value;
  return values;
}

/// The comment of a key in a hardware file, its table's if it has none of its own.
std::optional<Source> source_of(const std::map<std::string, Source>& sources, std::string path) {
  for (;;) {
    const auto found = sources.find(path);
    if (found != sources.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string::npos) return std::nullopt;
    path.resize(dot);
  }
}

void append_comment(std::string& text, std::string line, const std::string& comment) {
  std::istringstream words(comment);
  const std::size_t indent = std::max(kComments, line.size() + 2);
  const auto begin = [&] { line.resize(std::max(line.size(), indent), ' '), line += "#"; };
  begin();
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > indent + 1) {
      text += line + "\n";
      line.clear();
      begin();
    }
    line += " " + word;
  }
  text += line + "\n";
}

class Parameters {
 public:
  Parameters(const Machine& machine, const std::string& file)
      : machine_(machine), built_in_(values_of(default_machine())), in_file_(built_in_) {
    if (file.empty()) return;
    sources_ = sources_of(file);
    in_file_ = values_of(load_machine(file));
  }

  [[nodiscard]] nlohmann::ordered_json json() const {
    auto list = nlohmann::ordered_json::array();
    for (const YamlLine& line : yaml_lines(dump(machine_, true))) {
      if (line.value.empty()) continue;
      list.push_back(
          {{"key", line.path}, {"value", line.value}, {"source", line.comment + changed(line)}});
    }
    return list;
  }

  [[nodiscard]] std::string text() const {
    std::string text;
    for (const YamlLine& line : yaml_lines(dump(machine_, true))) {
      std::string row = std::string(line.indent, ' ') + line.path.substr(last_of(line.path)) + ":";
      if (line.value.empty()) {
        text += row + "\n";
        continue;
      }
      append_comment(text, row + " " + line.value, line.comment + changed(line));
    }
    return text;
  }

 private:
  static std::size_t last_of(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? 0 : dot + 1;
  }
  /// Whose value it is, if not the built-in machine's.
  [[nodiscard]] std::string changed(const YamlLine& line) const {
    if (line.path == "name") return "";
    if (line.value != in_file_.at(line.path)) {
      return " | Set on the command line instead of " + in_file_.at(line.path) + ".";
    }
    if (line.value == built_in_.at(line.path)) return "";
    const auto source = source_of(sources_, line.path);
    const std::string place = source ? source->place : "the file";
    const std::string why = source ? source->comment : "";
    return fmt::format(" | Here ({}; built in {}): {}", place, built_in_.at(line.path), why);
  }

  const Machine& machine_;
  std::map<std::string, std::string> built_in_, in_file_;
  std::map<std::string, Source> sources_{};
};

}  // namespace

int show_config(const std::string& file, const std::vector<std::string>& sets, bool as_json) {
  const Machine machine = machine_from(file, sets);
  const Parameters parameters(machine, file);
  const Costs costs(machine, file);
  if (as_json) {
    nlohmann::ordered_json json = {{"name", machine.name}};
    json["peaks"] = nlohmann::ordered_json::array();
    for (const PeakGroup& group : peaks_of(machine)) {
      for (const Peak& peak : group.peaks) {
        nlohmann::ordered_json row = {
            {"group", group.title}, {"what", peak.what}, {"unit", group.unit}};
        if (peak.one > 0) row["a_core"] = std::round(peak.one * 1e6) / 1e6;
        row["all_cores"] = std::round(peak.all * 1e6) / 1e6;
        json["peaks"].push_back(row);
      }
    }
    if (!costs.costs.empty()) json["costs"] = costs.json();
    json["parameters"] = parameters.json();
    fmt::print("{}\n", json.dump(2));
    return kGood;
  }
  fmt::print("{}{}{}", peaks_text(machine), costs.text(), parameters.text());
  return kGood;
}

}  // namespace dvmsim
