#include <nlohmann/json.hpp>

#include "cli/sweep/report.h"
#include "cli/sweep/sensitivity.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& number) {
  return number ? Json(*number) : Json();
}

Json axes_of(const SweepPlan& plan) {
  Json axes = Json::array();
  for (const SweepAxis& axis : plan.axes) {
    Json values = Json::array();
    for (const auto& value : axis.values) {
      values.push_back({{"text", value.text}, {"number", or_null(value.number)}});
    }
    axes.push_back({{"name", axis.name},
                    {"kind", name_of(axis.kind)},
                    {"unit", axis.unit},
                    {"sampled", axis.sampled},
                    {"values", std::move(values)}});
  }
  return axes;
}

Json cases_of(const SweepPlan& plan) {
  Json cases = Json::array();
  for (const SweepCase& each : plan.cases) {
    const StudyWorkload& work = plan.study.workloads[each.workload];
    Json dims = Json::object();
    for (const auto& [name, size] : each.dims) dims[name] = size;
    cases.push_back({{"workload", work.name}, {"dims", std::move(dims)}, {"weight", work.weight}});
  }
  return cases;
}

Json costs_of(const SweepOutcome& outcome) {
  Json costs = Json::array();
  const SweepForms& forms = *outcome.forms;
  for (std::size_t h = 0; h < forms.costs.size(); ++h) {
    for (const DesignCost& cost : forms.costs[h]) {
      Json terms = Json::array();
      for (const CostTerm& term : cost.terms) {
        terms.push_back(
            {{"name", term.name}, {"value", term.value.text()}, {"source", term.source}});
      }
      costs.push_back({{"name", cost.name},
                       {"unit", cost.unit},
                       {"assumed", cost.assumed()},
                       {"hardware", outcome.plan->study.hardware[h].name},
                       {"terms", std::move(terms)}});
    }
  }
  return costs;
}

Json values_of(const std::vector<int>& values) {
  Json list = Json::array();
  for (const int value : values) list.push_back(value < 0 ? Json() : Json(value));
  return list;
}

/// Numbers by name, or null if there are none.
template <class Names>
Json named(const Numbers& numbers, const Names& names) {
  Json object = Json::object();
  bool any = false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    object[names(i)] = or_null(numbers[i]);
    any = any || numbers[i].has_value();
  }
  return any || numbers.empty() ? object : Json();
}

Json metrics_of(const SweepOutcome& outcome, const Numbers& numbers) {
  return named(numbers, [&](std::size_t i) { return outcome.forms->metrics[i].name; });
}

Json designs_of(const SweepOutcome& outcome) {
  const SweepPlan& plan = *outcome.plan;
  std::vector<bool> on_front(plan.designs.size(), false);
  for (const std::size_t design : outcome.front) on_front[design] = true;
  Json designs = Json::array();
  const std::size_t cases = plan.cases.size();
  for (std::size_t d = 0; d < plan.designs.size(); ++d) {
    Json points = Json::array();
    bool complete = true;
    for (std::size_t c = 0; c < cases; ++c) {
      points.push_back(d * cases + c);
      complete = complete && outcome.results[d * cases + c].status == PointResult::Status::Ok;
    }
    Json costs =
        named(outcome.costs[d], [&](std::size_t i) { return outcome.forms->cost_names[i].first; });
    designs.push_back({{"index", d},
                       {"values", values_of(plan.design_values[d])},
                       {"points", std::move(points)},
                       {"complete", complete},
                       {"metrics", metrics_of(outcome, outcome.means[d])},
                       {"costs", std::move(costs)},
                       {"on_front", static_cast<bool>(on_front[d])}});
  }
  return designs;
}

Json points_of(const SweepOutcome& outcome) {
  const SweepPlan& plan = *outcome.plan;
  Json points = Json::array();
  for (std::size_t p = 0; p < plan.points.size(); ++p) {
    const PointResult& result = outcome.results[p];
    std::vector<int> values;
    for (std::size_t a = 0; a < plan.axes.size(); ++a) {
      values.push_back(plan.value(plan.points[p], a));
    }
    points.push_back({{"index", p},
                      {"design", plan.points[p].design},
                      {"case", plan.points[p].at},
                      {"values", values_of(values)},
                      {"status", name_of(result.status)},
                      {"reason", result.reason.empty() ? Json() : Json(result.reason)},
                      {"metrics", metrics_of(outcome, outcome.metrics[p])}});
  }
  return points;
}

Json effects_of(const SweepOutcome& outcome, const MetricEffects& effects) {
  Json axes = Json::array();
  for (const AxisEffect& effect : effects.axes) {
    Json levels = Json::array();
    for (const auto& level : effect.levels) {
      levels.push_back({{"value", level.value},
                        {"mean", level.mean},
                        {"points", level.points},
                        {"lacking", level.lacking}});
    }
    Json within = Json::array();
    for (const auto& each : effect.within) {
      within.push_back({{"axis", outcome.plan->axes[each.axis].name},
                        {"value", each.value},
                        {"effect", each.effect}});
    }
    axes.push_back({{"axis", outcome.plan->axes[effect.axis].name},
                    {"effect", or_null(effect.effect)},
                    {"elasticity", or_null(effect.elasticity)},
                    {"comparisons", effect.comparisons},
                    {"levels", std::move(levels)},
                    {"within", std::move(within)}});
  }
  return {{"metric", outcome.forms->metrics[effects.metric].name},
          {"method", effects.explained ? "regression of drawn axes" : "main effects"},
          {"explained", or_null(effects.explained)},
          {"axes", std::move(axes)}};
}

}  // namespace

std::string to_json(const SweepOutcome& outcome, const std::vector<std::string>& not_modelled) {
  const SweepPlan& plan = *outcome.plan;
  constexpr const char* kSampling[] = {"grid", "list", "random"};
  Json json = {{"schema", 1},
               {"kind", "sweep"},
               {"study", plan.study.title},
               {"sampling", kSampling[static_cast<std::size_t>(plan.study.sampling.kind)]}};
  json["fixed"] = Json::array();
  for (const auto& [name, text] : plan.fixed) {
    json["fixed"].push_back({{"name", name}, {"text", text}});
  }
  json["axes"] = axes_of(plan);
  json["cases"] = cases_of(plan);
  json["metrics"] = Json::array();
  for (const SweepMetric& metric : outcome.forms->metrics) {
    json["metrics"].push_back(
        {{"name", metric.name}, {"unit", metric.unit}, {"better", metric.more ? "more" : "less"}});
  }
  json["costs"] = costs_of(outcome);
  json["counts"] = {{"points", plan.points.size()}};
  using Status = PointResult::Status;
  for (const Status status :
       {Status::Ok, Status::Refused, Status::Fault, Status::Aborted, Status::Missing}) {
    json["counts"][name_of(status)] = outcome.count(status);
  }
  json["designs"] = designs_of(outcome);
  json["points"] = points_of(outcome);
  json["pareto"] = outcome.forms->objectives.size() < 2
                       ? Json()
                       : Json{{"objectives", outcome.forms->objectives}, {"front", outcome.front}};
  json["sensitivity"] = Json::array();
  for (std::size_t m = 0; m < outcome.forms->metrics.size() && !plan.axes.empty(); ++m) {
    if (const auto effects = effects_on(outcome, m)) {
      json["sensitivity"].push_back(effects_of(outcome, *effects));
    }
  }
  json["not_modelled"] = not_modelled;
  return json.dump(1) + "\n";
}

}  // namespace dvmsim
