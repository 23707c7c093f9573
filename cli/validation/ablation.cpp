#include "cli/validation/ablation.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "cli/text/yaml.h"
#include "vm/base/error.h"
#include "vm/machine/machine.h"

namespace dvmsim {
namespace {

constexpr double kNoticed = 0.005;

constexpr const char* kForm = "; write '- mechanism: NAME' and 'off: [key=value, ...]'";

std::string assignment(const Yaml& node) {
  const std::string& text = node.text("off");
  Machine machine = default_machine();
  try {
    apply_set(machine, text);
    check(machine);
  } catch (const Error& error) {
    node.fail(std::string(error.what()) + kForm);
  }
  return text;
}

Mechanism read(const Yaml& item) {
  Mechanism mechanism;
  for (const YamlEntry& entry : item.map("a mechanism")) {
    if (entry.key == "mechanism") {
      mechanism.name = entry.value.text(entry.key);
    } else if (entry.key == "off") {
      for (const Yaml& set : entry.value.list(entry.key)) mechanism.off.push_back(assignment(set));
    } else {
      entry.unknown("a mechanism", std::string("a name and what switches it off") + kForm);
    }
  }
  if (mechanism.name.empty() || mechanism.off.empty()) {
    item.fail(std::string("a mechanism needs a name and what switches it off") + kForm);
  }
  return mechanism;
}

Overrides without(const Overrides& overrides, const Mechanism& mechanism) {
  Overrides changed = overrides;
  changed.sets.insert(changed.sets.end(), mechanism.off.begin(), mechanism.off.end());
  return changed;
}

Ablation ablation_of(const Score& score, const Score& all_on, const std::string& name) {
  Ablation result;
  result.name = name;
  for (const GroupScore& group : score.groups) {
    if (group.gated) result.groups.push_back(group);
  }
  for (std::size_t i = 0; i < score.rows.size(); ++i) {
    const RowScore &now = score.rows[i], &before = all_on.rows[i];
    if (!now.row->gated || !now.simulated || !before.simulated) continue;
    const double change = std::abs(now.error) - std::abs(before.error);
    result.worse += change > kNoticed ? 1 : 0;
    result.better += change < -kNoticed ? 1 : 0;
  }
  return result;
}

}  // namespace

std::vector<Mechanism> parse_mechanisms(const std::string& text, const std::string& path) {
  std::vector<Mechanism> mechanisms;
  const Yaml root = parse_yaml(text, path);
  for (const Yaml& item : root.list("mechanisms")) mechanisms.push_back(read(item));
  return mechanisms;
}

std::vector<Ablation> ablate(const Table& table, const Overrides& overrides,
                             const std::vector<Mechanism>& mechanisms, Pool& pool) {
  std::vector<Words> cases = cases_of(table, overrides);
  for (const Mechanism& mechanism : mechanisms) {
    const auto more = cases_of(table, without(overrides, mechanism));
    cases.insert(cases.end(), more.begin(), more.end());
  }
  pool.run(cases);
  const Score all_on = score(table, overrides, pool);
  std::vector<Ablation> result = {ablation_of(all_on, all_on, "")};
  for (const Mechanism& mechanism : mechanisms) {
    result.push_back(
        ablation_of(score(table, without(overrides, mechanism), pool), all_on, mechanism.name));
  }
  return result;
}

std::string print(const std::vector<Ablation>& ablations) {
  constexpr const char* kAllOn = "(everything on)";
  std::size_t width = std::string(kAllOn).size();
  for (const Ablation& each : ablations) width = std::max(width, each.name.size());
  std::string text = fmt::format("{:{}}", "without", width);
  for (const GroupScore& group : ablations.front().groups) {
    text += fmt::format("  {:>17}", group.group.substr(0, 17));
  }
  text += "   rows worse, better\n";
  for (const Ablation& each : ablations) {
    text += fmt::format("{:{}}", each.name.empty() ? kAllOn : each.name, width);
    for (const GroupScore& group : ablations.front().groups) {
      const auto same = std::find_if(each.groups.begin(), each.groups.end(),
                                     [&](const GroupScore& g) { return g.group == group.group; });
      text += same == each.groups.end()
                  ? fmt::format("  {:>17}", "-")
                  : fmt::format("  {:>6.1f} / {:>6.1f} %", same->median * 100, same->worst * 100);
    }
    text += each.name.empty() ? "\n" : fmt::format("  {:>6} {:>6}\n", each.worse, each.better);
  }
  return text + "median / worst error of each group\n";
}

}  // namespace dvmsim
