#include <fmt/core.h>

#include "cli/sweep/report.h"
#include "cli/text/csv_field.h"

namespace dvmsim {
namespace {

std::string field(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "";
}

}  // namespace

std::string to_csv(const SweepOutcome& outcome) {
  const SweepPlan& plan = *outcome.plan;
  const SweepForms& forms = *outcome.forms;
  std::string text = "index,status";
  for (const SweepAxis& axis : plan.axes) text += "," + csv_field(axis.name);
  for (const auto& [name, unit] : forms.cost_names) text += "," + csv_field(name);
  for (const SweepMetric& metric : forms.metrics) text += "," + csv_field(metric.name);
  if (forms.objectives.size() >= 2) text += ",on_front";
  text += ",reason\n";
  std::vector<bool> on_front(plan.designs.size(), false);
  for (const std::size_t design : outcome.front) on_front[design] = true;
  for (std::size_t p = 0; p < plan.points.size(); ++p) {
    const SweepPoint& point = plan.points[p];
    const PointResult& result = outcome.results[p];
    text += fmt::format("{},{}", p, name_of(result.status));
    for (std::size_t a = 0; a < plan.axes.size(); ++a) {
      const int value = plan.value(point, a);
      text += ",";
      if (value >= 0) text += csv_field(plan.axes[a].values[static_cast<std::size_t>(value)].text);
    }
    for (const auto& cost : outcome.costs[point.design]) text += "," + field(cost);
    for (const auto& metric : outcome.metrics[p]) text += "," + field(metric);
    if (forms.objectives.size() >= 2) text += on_front[point.design] ? ",yes" : ",no";
    text += "," + csv_field(result.reason) + "\n";
  }
  return text;
}

}  // namespace dvmsim
