#include "cli/cost.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "vm/base/error.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

constexpr std::string_view kCost = "cost.";

CostTerm read_term(const YamlEntry& entry) {
  CostTerm term;
  term.name = entry.key;
  term.place = entry.value.file() + ":" + std::to_string(entry.line);
  for (const YamlEntry& each : entry.value.map(entry.key)) {
    if (each.key == "value") {
      try {
        term.value = Expression(each.value.text(each.key));
      } catch (const Error& error) {
        each.fail("value: " + std::string(error.what()) +
                  "; write an expression over keys of the machine");
      }
    } else if (each.key == "source") {
      term.source = each.value.text(each.key);
    } else {
      each.unknown("a term of a cost", "value and source");
    }
  }
  if (term.value.text().empty()) entry.fail(entry.key + ": add value: \"an expression\"");
  if (term.source.empty()) {
    entry.fail(entry.key + ": add source: where the numbers are from, or \"assumed: why\"");
  }
  return term;
}

double look_up(std::string_view name, const Machine& machine,
               const std::map<std::string, double, std::less<>>& costs) {
  if (name.starts_with(kCost)) {
    const auto found = costs.find(name.substr(kCost.size()));
    if (found == costs.end()) {
      throw Error("'" + std::string(name) + "': no such cost above this one");
    }
    return found->second;
  }
  const auto number = number_of(machine, name);
  if (!number) throw Error("'" + std::string(name) + "' is no number of the machine");
  return number->value;
}

}  // namespace

bool DesignCost::assumed() const {
  return std::any_of(terms.begin(), terms.end(), [](const CostTerm& t) { return t.assumed(); });
}

std::vector<DesignCost> read_costs(const Yaml& section) {
  std::vector<DesignCost> costs;
  for (const YamlEntry& entry : section.map("cost")) {
    DesignCost cost;
    cost.name = entry.key;
    for (const YamlEntry& each : entry.value.map(entry.key)) {
      if (each.key == "unit") {
        cost.unit = each.value.text(each.key);
      } else {
        cost.terms.push_back(read_term(each));
      }
    }
    if (cost.unit.empty()) entry.fail(entry.key + ": add unit: mm2, W, ...");
    if (cost.terms.empty()) entry.fail(entry.key + ": add a term, NAME: {value: ..., source: ...}");
    costs.push_back(std::move(cost));
  }
  (void)values_of(costs, default_machine());
  return costs;
}

std::vector<DesignCost> costs_of_file(const std::string& hardware) {
  const Yaml root = load_yaml(hardware);
  std::vector<DesignCost> costs;
  if (const Yaml* base = root.find("base")) {
    const auto folder = std::filesystem::path(hardware).parent_path();
    costs = costs_of_file((folder / base->text("base")).string());
  }
  const Yaml* own = root.find("cost");
  if (own == nullptr) return costs;
  for (DesignCost& cost : read_costs(*own)) {
    const auto same = std::find_if(costs.begin(), costs.end(),
                                   [&](const DesignCost& each) { return each.name == cost.name; });
    if (same == costs.end()) {
      costs.push_back(std::move(cost));
    } else {
      *same = std::move(cost);
    }
  }
  return costs;
}

std::vector<CostValue> values_of(const std::vector<DesignCost>& costs, const Machine& machine) {
  std::vector<CostValue> values;
  std::map<std::string, double, std::less<>> known;
  for (const DesignCost& cost : costs) {
    CostValue value;
    for (const CostTerm& term : cost.terms) {
      try {
        value.terms.push_back(
            term.value.value([&](std::string_view name) { return look_up(name, machine, known); }));
      } catch (const Error& error) {
        throw Error(term.place + ": " + cost.name + "." + term.name + ": " + error.what());
      }
      value.value += value.terms.back();
    }
    known[cost.name] = value.value;
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace dvmsim
