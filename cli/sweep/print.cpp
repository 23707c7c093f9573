#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "cli/study/standings.h"
#include "cli/sweep/report.h"
#include "cli/sweep/sensitivity.h"
#include "cli/text/text_table.h"
#include "cli/validation/print.h"

namespace dvmsim {
namespace {

constexpr std::size_t kBest = 5, kMostOfFront = 25, kMostReasons = 6, kMostLevels = 8;

class Summary {
 public:
  explicit Summary(const SweepOutcome& outcome)
      : outcome_(outcome), plan_(*outcome.plan), forms_(*outcome.forms) {}

  std::string text() {
    head();
    best();
    front();
    effects();
    standings();
    reasons();
    return std::move(text_);
  }

 private:
  [[nodiscard]] std::string unit(const std::string& name) const {
    for (const SweepMetric& metric : forms_.metrics) {
      if (metric.name == name) return metric.unit;
    }
    for (const auto& [cost, unit] : forms_.cost_names) {
      if (cost == name) return unit;
    }
    return "";
  }
  [[nodiscard]] std::string titled(const std::string& name) const {
    const std::string in = unit(name);
    return in.empty() || in == "B" || name.ends_with(in) ? name : name + " " + in;
  }
  [[nodiscard]] bool assumed(const std::string& name) const {
    for (const auto& costs : forms_.costs) {
      for (const DesignCost& cost : costs) {
        if (cost.name == name && cost.assumed()) return true;
      }
    }
    return false;
  }
  static std::string number(const std::optional<double>& value) {
    return value ? short_number(*value) : "-";
  }

  void head() {
    using Status = PointResult::Status;
    text_ += fmt::format("{}: {} points", plan_.study.title, plan_.points.size());
    for (const Status status :
         {Status::Ok, Status::Refused, Status::Fault, Status::Aborted, Status::Missing}) {
      if (const std::size_t count = outcome_.count(status); count > 0) {
        text_ += fmt::format(", {} {}", count, name_of(status));
      }
    }
    text_ += "\n";
    for (const SweepAxis& axis : plan_.axes) {
      text_ += fmt::format("  {:<22} {}\n", axis.name, values_text(axis));
    }
    std::string fixed;
    for (const auto& [name, text] : plan_.fixed) fixed += " " + name + "=" + text;
    if (!fixed.empty()) text_ += " " + fixed + "\n";
  }

  static std::string values_text(const SweepAxis& axis) {
    const auto& values = axis.values;
    if (values.size() > kMostLevels) {
      return fmt::format("{} values, {} to {}", values.size(), values.front().text,
                         values.back().text);
    }
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ", ") + value.text;
    return text;
  }

  /// A design's axes, and what a table says of them.
  void head_designs(TextTable& table, const std::vector<std::string>& names) const {
    std::vector<std::string> row;
    for (const std::string& name : names) row.push_back(titled(name));
    for (std::size_t a = 0; a < plan_.axes.size(); ++a) {
      if (of_design(a)) row.push_back(plan_.axes[a].name);
    }
    table.add(std::move(row));
  }
  void add_design(TextTable& table, const std::vector<std::string>& names,
                  std::size_t design) const {
    std::vector<std::string> row;
    for (const std::string& name : names) row.push_back(number(outcome_.objective(design, name)));
    for (std::size_t a = 0; a < plan_.axes.size(); ++a) {
      if (!of_design(a)) continue;
      const int value = plan_.design_values[design][a];
      row.push_back(value < 0 ? "-" : plan_.axes[a].values[static_cast<std::size_t>(value)].text);
    }
    table.add(std::move(row));
  }
  [[nodiscard]] bool of_design(std::size_t axis) const {
    return plan_.axes[axis].kind != SweepAxis::Kind::Workload &&
           plan_.axes[axis].kind != SweepAxis::Kind::Dim;
  }
  [[nodiscard]] std::string mean_note() const {
    return plan_.cases.size() > 1 ? fmt::format(", mean of {} cases", plan_.cases.size()) : "";
  }

  [[nodiscard]] bool differs(const std::string& objective) const {
    std::set<std::optional<double>> values;
    for (std::size_t d = 0; d < plan_.designs.size(); ++d) {
      values.insert(outcome_.objective(d, objective));
    }
    return values.size() > 1;
  }

  void best() {
    std::vector<std::size_t> designs;
    for (std::size_t d = 0; d < plan_.designs.size(); ++d) {
      if (outcome_.means[d][0]) designs.push_back(d);
    }
    const bool more = forms_.metrics[0].more;
    std::stable_sort(designs.begin(), designs.end(), [&](std::size_t a, std::size_t b) {
      const double left = *outcome_.means[a][0], right = *outcome_.means[b][0];
      return more ? left > right : left < right;
    });
    if (designs.empty()) return;
    std::vector<std::string> names;
    for (const SweepMetric& metric : forms_.metrics) names.push_back(metric.name);
    for (const auto& [name, unit] : forms_.cost_names) {
      if (differs(name)) names.push_back(name);
    }
    text_ +=
        fmt::format("\n{} {}{}\n", more ? "most" : "least", forms_.metrics[0].name, mean_note());
    TextTable table;
    head_designs(table, names);
    for (std::size_t i = 0; i < std::min(kBest, designs.size()); ++i) {
      add_design(table, names, designs[i]);
    }
    text_ += table.text();
  }

  void front() {
    const auto& objectives = forms_.objectives;
    if (objectives.size() < 2) return;
    std::string against;
    for (const std::string& name : objectives) {
      against += (against.empty() ? "" : " against ") + name + (assumed(name) ? " (assumed)" : "");
    }
    text_ += fmt::format("\nPareto front: {}, {} of {} designs{}\n", against, outcome_.front.size(),
                         plan_.designs.size(), mean_note());
    TextTable table;
    head_designs(table, objectives);
    const std::size_t shown = std::min(kMostOfFront, outcome_.front.size());
    for (std::size_t i = 0; i < shown; ++i) add_design(table, objectives, outcome_.front[i]);
    text_ += table.text();
    if (shown < outcome_.front.size()) {
      text_ += fmt::format("  and {} more\n", outcome_.front.size() - shown);
    }
  }

  void effects() {
    const auto effects = effects_on(outcome_, 0);
    if (!effects || effects->axes.empty()) return;
    text_ += fmt::format("\nwhat moves {}", forms_.metrics[0].name);
    if (effects->explained) {
      text_ += fmt::format(" (a fit to the drawn axes explains {:.0f} % of its variance)",
                           *effects->explained * 100);
    }
    text_ += "\n";
    TextTable table({true, false, false, true, true});
    table.add({"axis", "effect", "elasticity", "least and most where", "means"});
    std::string unknown;
    for (const AxisEffect& effect : effects->axes) {
      if (!effect.effect) {
        unknown += (unknown.empty() ? "" : ", ") + plan_.axes[effect.axis].name;
        continue;
      }
      table.add({plan_.axes[effect.axis].name, fmt::format("{:.1f} %", *effect.effect * 100),
                 effect.elasticity ? fmt::format("{:+.2f}", *effect.elasticity) : "-",
                 within_text(effect), means_text(effect)});
    }
    text_ += table.text();
    if (!unknown.empty()) {
      text_ += "  not to be told, for want of points that differ in it alone: " + unknown + "\n";
    }
  }

  /// Where the axis matters least and most.
  [[nodiscard]] std::string within_text(const AxisEffect& effect) const {
    if (effect.within.empty()) return "-";
    const auto smaller = [](const auto& a, const auto& b) { return a.effect < b.effect; };
    const auto [least, most] =
        std::minmax_element(effect.within.begin(), effect.within.end(), smaller);
    const auto text = [&](const AxisEffect::Within& at) {
      const SweepAxis& axis = plan_.axes[at.axis];
      return fmt::format("{:.1f} % at {}={}", at.effect * 100, axis.name,
                         axis.values[static_cast<std::size_t>(at.value)].text);
    };
    return text(*least) + ", " + text(*most);
  }
  [[nodiscard]] std::string means_text(const AxisEffect& effect) const {
    const auto& levels = effect.levels;
    std::string text;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (levels.size() > kMostLevels && i != 0 && i + 1 != levels.size()) continue;
      const auto& value = plan_.axes[effect.axis].values[static_cast<std::size_t>(levels[i].value)];
      text += (i == 0 ? "" : "  ") + value.text + ": " + short_number(levels[i].mean);
      if (levels[i].lacking > 0) text += fmt::format(" ({} lack)", levels[i].lacking);
    }
    return text;
  }

  /// Which strategy is the best at each machine and case, if several are swept.
  void standings() {
    const auto is_strategy = [](const SweepAxis& axis) {
      return axis.kind == SweepAxis::Kind::Strategy;
    };
    const auto strategy = std::find_if(plan_.axes.begin(), plan_.axes.end(), is_strategy);
    if (strategy == plan_.axes.end()) return;
    const bool more = forms_.metrics[0].more;
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> best;  // by machine and case
    for (std::size_t p = 0; p < plan_.points.size(); ++p) {
      const auto& value = outcome_.metrics[p][0];
      if (!value) continue;
      const SweepPoint& point = plan_.points[p];
      const auto [known, is_new] =
          best.emplace(std::pair(plan_.designs[point.design].machine, point.at), p);
      const double now = *outcome_.metrics[known->second][0];
      if (!is_new && (more ? *value > now : *value < now)) known->second = p;
    }
    std::vector<StandingsAxis> axes;
    std::vector<StandingsPoint> points(best.size());
    for (std::size_t a = 0; a < plan_.axes.size(); ++a) {
      if (is_strategy(plan_.axes[a])) continue;
      axes.push_back({plan_.axes[a].name, {}});
      for (const auto& value : plan_.axes[a].values) axes.back().values.push_back(value.text);
      std::size_t next = 0;
      for (const auto& [at, p] : best) {
        points[next++].values.push_back(plan_.value(plan_.points[p], a));
      }
    }
    std::size_t next = 0;
    for (const auto& [at, p] : best) {
      const std::size_t won = plan_.designs[plan_.points[p].design].strategy;
      points[next++].winner = plan_.study.strategies[won].name;
    }
    const bool random = plan_.study.sampling.kind == Sampling::Kind::Random;
    std::set<std::vector<std::string>> draws;
    for (const MachinePoint& machine : plan_.machines) draws.insert(machine.axes);
    const std::size_t drawn = random ? draws.size() : 0;
    const std::string of = (more ? "most " : "least ") + forms_.metrics[0].name;
    text_ += to_text(standings_of(axes, points, drawn), of);
  }

  void reasons() {
    std::map<std::string, std::vector<std::size_t>> by_reason;
    for (std::size_t p = 0; p < plan_.points.size(); ++p) {
      const PointResult& result = outcome_.results[p];
      if (result.status == PointResult::Status::Ok) continue;
      by_reason[std::string(name_of(result.status)) + ": " + result.reason].push_back(p);
    }
    if (by_reason.empty()) return;
    text_ += "\nwithout a result\n";
    std::size_t shown = 0;
    for (const auto& [reason, points] : by_reason) {
      if (++shown > kMostReasons) {
        text_ += fmt::format("  and {} more reasons\n", by_reason.size() - kMostReasons);
        break;
      }
      text_ += fmt::format("  {} x {}\n      first: point {},{}\n", points.size(), reason,
                           points[0], axes_text(plan_.points[points[0]]));
    }
  }
  [[nodiscard]] std::string axes_text(const SweepPoint& point) const {
    std::string text;
    for (std::size_t a = 0; a < plan_.axes.size(); ++a) {
      const int value = plan_.value(point, a);
      if (value < 0) continue;
      text += " " + plan_.axes[a].name + "=" +
              plan_.axes[a].values[static_cast<std::size_t>(value)].text;
    }
    return text;
  }

  const SweepOutcome& outcome_;
  const SweepPlan& plan_;
  const SweepForms& forms_;
  std::string text_{};
};

}  // namespace

std::string summary(const SweepOutcome& outcome) {
  return Summary(outcome).text();
}

}  // namespace dvmsim
