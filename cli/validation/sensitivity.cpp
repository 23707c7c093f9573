#include "cli/validation/sensitivity.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr double kChange = 0.1;

/// The setting, if the machine takes it and it changes anything.
std::optional<std::string> varied(const Machine& machine, const Quantity& parameter, double sign) {
  double value = parameter.legal(parameter.number * (1 + sign * kChange));
  if (value == parameter.number) value += sign * parameter.grain;
  if (parameter.number == 0 || value < 0) return {};
  std::string set = parameter.assignment(value);
  Machine changed = machine;
  try {
    apply_set(changed, set);
    check(changed);
  } catch (const Error&) {
    return {};
  }
  return set;
}

/// The row alone, with one more setting.
Overrides with(const Overrides& overrides, const std::string& set) {
  Overrides changed = overrides;
  changed.sets.push_back(set);
  return changed;
}

}  // namespace

double Effect::size() const {
  return std::max(std::abs(less), std::abs(more));
}

std::vector<Effect> sensitivity(const Table& table, const TableRow& row, const Overrides& overrides,
                                const MachineOf& machine_of, Pool& pool) {
  Table alone;
  alone.path = table.path;
  alone.folder = table.folder;
  alone.rows = {row};
  const Machine machine = machine_of(words_of_case(row, row.command, overrides));
  struct Variation {
    Quantity parameter{};
    std::optional<std::string> less{}, more{};
  };
  std::vector<Variation> variations;
  std::vector<Words> cases = cases_of(alone, overrides);
  for (const Quantity& parameter : quantities_of(machine)) {
    Variation variation{parameter, varied(machine, parameter, -1), varied(machine, parameter, 1)};
    for (const auto& set : {variation.less, variation.more}) {
      if (!set) continue;
      const auto more = cases_of(alone, with(overrides, *set));
      cases.insert(cases.end(), more.begin(), more.end());
    }
    variations.push_back(std::move(variation));
  }
  pool.run(cases);
  const auto value = [&](const Overrides& with_sets) {
    return score(alone, with_sets, pool).rows[0].simulated;
  };
  const auto base = value(overrides);
  if (!base)
    throw Error(row.id +
                ": the case does not run: " + score(alone, overrides, pool).rows[0].failure);
  const auto change = [&](const std::optional<std::string>& set) {
    if (!set) return 0.0;
    return value(with(overrides, *set)).value_or(*base) / *base - 1;
  };
  std::vector<Effect> effects;
  for (const Variation& variation : variations) {
    Effect effect{variation.parameter, change(variation.less), change(variation.more)};
    if (effect.size() > 0) effects.push_back(std::move(effect));
  }
  std::stable_sort(effects.begin(), effects.end(),
                   [](const Effect& a, const Effect& b) { return a.size() > b.size(); });
  return effects;
}

std::string print(const TableRow& row, const std::vector<Effect>& effects, int most) {
  std::string text = fmt::format("{}  {}  {}\n", row.id, row.command, row.metric.text());
  text += fmt::format("  {:28} {:>14} {:>10} {:>10}\n", "parameter", "value", "-10 %", "+10 %");
  for (std::size_t i = 0; i < effects.size() && i < static_cast<std::size_t>(most); ++i) {
    const Effect& effect = effects[i];
    const std::string set = effect.parameter.assignment(effect.parameter.number);
    text += fmt::format("  {:28} {:>14} {:>+8.2f} % {:>+8.2f} %\n", effect.parameter.key,
                        set.substr(set.find('=') + 1), effect.less * 100, effect.more * 100);
  }
  if (effects.empty()) text += "  no parameter changes it\n";
  return text;
}

}  // namespace dvmsim
