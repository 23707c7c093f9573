#include "cli/sweep/outcome.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "vm/base/error.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

constexpr const char* kDefaultMetrics[] = {"task_us", "cycles", "e2e_us", "host.launches",
                                           "memory.hbm_read_bytes"};

[[noreturn]] void fail(const Study& study, int line, const std::string& why) {
  throw Error(study.file + ":" + std::to_string(line) + ": " + why);
}

std::string unit_of(const std::string& figure) {
  if (figure.ends_with("_us")) return "us";
  if (figure.ends_with("bytes")) return "B";
  if (figure.ends_with("cycles")) return "cycles";
  return "";
}

bool is_dim(const SweepPlan& plan, std::string_view name) {
  for (const SweepCase& each : plan.cases) {
    for (const auto& [dim, size] : each.dims) {
      if (name == "dim." + dim) return true;
    }
  }
  return false;
}

void check_metric(const SweepPlan& plan, const SweepForms& forms, const StudyMetric& metric) {
  for (const std::string& name : metric.value.names()) {
    if (name == "firmware.exposed_cycles" && !plan.study.decode) {
      fail(plan.study, metric.line, "metrics: " + name + " needs options: {decode: true}");
    }
    if (is_figure(name) || is_dim(plan, name)) continue;
    const bool cost = std::any_of(forms.cost_names.begin(), forms.cost_names.end(),
                                  [&](const auto& each) { return name == "cost." + each.first; });
    if (cost) continue;
    const auto all = parameters();
    const bool key = std::any_of(all.begin(), all.end(), [&](const Parameter& parameter) {
      return parameter.key == name && number_of(default_machine(), name).has_value();
    });
    if (key) continue;
    fail(plan.study, metric.line,
         "metrics: '" + name +
             "' is no figure of a report, dim.SYMBOL, cost.NAME or number of a "
             "machine; figures are " +
             figure_list());
  }
}

void add_costs(const SweepPlan& plan, SweepForms& forms) {
  const Study& study = plan.study;
  for (const StudyHardware& hardware : study.hardware) {
    forms.costs.push_back(study.cost              ? *study.cost
                          : hardware.file.empty() ? std::vector<DesignCost>{}
                                                  : costs_of_file(hardware.file));
    for (const DesignCost& cost : forms.costs.back()) {
      const std::pair named(cost.name, cost.unit);
      auto& names = forms.cost_names;
      if (std::find(names.begin(), names.end(), named) != names.end()) continue;
      for (const auto& [name, unit] : names) {
        if (name != cost.name) continue;
        fail(study, hardware.line,
             "the cost " + name + " is in " + unit + " and in " + cost.unit +
                 "; give every machine the same unit");
      }
      names.push_back(named);
    }
  }
}

Numbers costs_of(const SweepPlan& plan, const SweepForms& forms, const SweepDesign& design) {
  Numbers numbers(forms.cost_names.size());
  const MachinePoint& machine = plan.machines[design.machine];
  if (!machine.refused.empty()) return numbers;
  const auto& costs = forms.costs[static_cast<std::size_t>(machine.hardware)];
  const auto values = values_of(costs, machine.machine);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    for (std::size_t c = 0; c < costs.size(); ++c) {
      if (costs[c].name == forms.cost_names[i].first) numbers[i] = values[c].value;
    }
  }
  return numbers;
}

/// Does a cost tell designs apart?
bool varies(const SweepPlan& plan, const SweepForms& forms, std::size_t cost) {
  std::optional<double> first;
  for (const SweepDesign& design : plan.designs) {
    const auto value = costs_of(plan, forms, design)[cost];
    if (value && first && *value != *first) return true;
    if (!first) first = value;
  }
  return false;
}

void add_objectives(const SweepPlan& plan, SweepForms& forms) {
  std::set<std::string> known;
  for (const SweepMetric& metric : forms.metrics) known.insert(metric.name);
  for (const auto& [name, unit] : forms.cost_names) known.insert(name);
  for (const auto& [name, line] : plan.study.pareto) {
    if (!known.contains(name)) {
      std::string list;
      for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
      fail(plan.study, line, "pareto: '" + name + "' is no metric and no cost; there are " + list);
    }
    forms.objectives.push_back(name);
  }
  for (std::size_t c = 0; c < forms.cost_names.size() && forms.objectives.empty(); ++c) {
    if (!varies(plan, forms, c)) continue;
    forms.objectives = {forms.metrics[0].name, forms.cost_names[c].first};
  }
}

/// What the names in a metric stand for at one point.
class PointNames {
 public:
  PointNames(const SweepPlan& plan, const SweepForms& forms, const SweepPoint& point,
             const Figures& figures, const Numbers& costs)
      : plan_(plan), forms_(forms), point_(point), figures_(figures), costs_(costs) {}

  double operator()(std::string_view name) const {
    if (const auto found = figures_.find(name); found != figures_.end()) return found->second;
    for (const auto& [dim, size] : plan_.cases[point_.at].dims) {
      if (name == "dim." + dim) return static_cast<double>(size);
    }
    for (std::size_t i = 0; i < costs_.size(); ++i) {
      if (costs_[i] && name == "cost." + forms_.cost_names[i].first) return *costs_[i];
    }
    if (is_figure(name)) throw Error("the run has no " + std::string(name));
    const auto number = number_of(plan_.machine(plan_.designs[point_.design]), name);
    if (!number) throw Error("no number");
    return number->value;
  }

 private:
  const SweepPlan& plan_;
  const SweepForms& forms_;
  const SweepPoint& point_;
  const Figures& figures_;
  const Numbers& costs_;
};

void add_means(SweepOutcome& outcome) {
  const SweepPlan& plan = *outcome.plan;
  const std::size_t count = outcome.forms->metrics.size();
  std::vector<bool> positive(count, true);
  for (const Numbers& numbers : outcome.metrics) {
    for (std::size_t m = 0; m < count; ++m) {
      if (numbers[m] && *numbers[m] <= 0) positive[m] = false;
    }
  }
  const std::size_t cases = plan.cases.size();
  for (std::size_t d = 0; d < plan.designs.size(); ++d) {
    Numbers means(count);
    for (std::size_t m = 0; m < count; ++m) {
      double sum = 0, weights = 0;
      bool complete = true;
      for (std::size_t c = 0; c < cases; ++c) {
        const auto& value = outcome.metrics[d * cases + c][m];
        complete = complete && value.has_value();
        if (!complete) break;
        const double weight = plan.study.workloads[plan.cases[c].workload].weight;
        sum += weight * (positive[m] ? std::log(*value) : *value);
        weights += weight;
      }
      if (!complete) continue;
      // One case's mean is its value, to the last digit.
      means[m] = cases == 1    ? *outcome.metrics[d][m]
                 : positive[m] ? std::exp(sum / weights)
                               : sum / weights;
    }
    outcome.means.push_back(std::move(means));
  }
}

void add_front(SweepOutcome& outcome) {
  const auto& objectives = outcome.forms->objectives;
  if (objectives.size() < 2) return;
  std::vector<std::vector<double>> rows;
  std::vector<std::size_t> designs;
  for (std::size_t d = 0; d < outcome.plan->designs.size(); ++d) {
    std::vector<double> row;
    for (const std::string& name : objectives) {
      const double sign = outcome.forms->more_is_better(name) ? -1 : 1;
      if (const auto value = outcome.objective(d, name)) row.push_back(sign * *value);
    }
    if (row.size() < objectives.size()) continue;
    rows.push_back(std::move(row));
    designs.push_back(d);
  }
  for (const std::size_t row : pareto_front(rows)) outcome.front.push_back(designs[row]);
}

}  // namespace

SweepForms sweep_forms(const SweepPlan& plan) {
  SweepForms forms;
  add_costs(plan, forms);
  for (const StudyMetric& metric : plan.study.metrics) {
    check_metric(plan, forms, metric);
    const bool plain = metric.value.text() == metric.name;
    forms.metrics.push_back(
        {metric.name, plain ? unit_of(metric.name) : "", metric.value, metric.line, metric.more});
  }
  if (forms.metrics.empty()) {
    for (const char* name : kDefaultMetrics) {
      forms.metrics.push_back({name, unit_of(name), Expression(name), 0, false});
    }
  }
  add_objectives(plan, forms);
  return forms;
}

bool SweepForms::more_is_better(const std::string& objective) const {
  return std::any_of(metrics.begin(), metrics.end(), [&](const SweepMetric& metric) {
    return metric.more && metric.name == objective;
  });
}

std::size_t SweepOutcome::count(PointResult::Status status) const {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(),
                    [&](const PointResult& result) { return result.status == status; }));
}

std::optional<double> SweepOutcome::objective(std::size_t design, const std::string& name) const {
  for (std::size_t m = 0; m < forms->metrics.size(); ++m) {
    if (forms->metrics[m].name == name) return means[design][m];
  }
  for (std::size_t c = 0; c < forms->cost_names.size(); ++c) {
    if (forms->cost_names[c].first == name) return costs[design][c];
  }
  return std::nullopt;
}

SweepOutcome outcome_of(const SweepPlan& plan, const SweepForms& forms,
                        const PointResults& results) {
  SweepOutcome outcome;
  outcome.plan = &plan;
  outcome.forms = &forms;
  for (const SweepDesign& design : plan.designs) {
    outcome.costs.push_back(costs_of(plan, forms, design));
  }
  for (const SweepPoint& point : plan.points) {
    PointResult result;
    const MachinePoint& machine = plan.machines[plan.designs[point.design].machine];
    if (!machine.refused.empty()) {
      result = {PointResult::Status::Refused, machine.refused, {}};
    } else if (const auto found = results.find(point.key); found != results.end()) {
      result = found->second;
    } else {
      result.reason = "has not been run";
    }
    Numbers numbers(forms.metrics.size());
    for (std::size_t m = 0; result.status == PointResult::Status::Ok && m < numbers.size(); ++m) {
      try {
        numbers[m] = forms.metrics[m].value.value(
            PointNames(plan, forms, point, result.figures, outcome.costs[point.design]));
      } catch (const Error&) {
        // This run has no such figure, or the expression no value here: an empty field.
      }
    }
    outcome.metrics.push_back(std::move(numbers));
    outcome.results.push_back(std::move(result));
  }
  add_means(outcome);
  add_front(outcome);
  return outcome;
}

std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Whoever beats a row stands before it.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows[a] < rows[b]; });
  std::vector<std::size_t> front;
  for (const std::size_t row : order) {
    const bool beaten = std::any_of(front.begin(), front.end(), [&](std::size_t other) {
      if (rows[other] == rows[row]) return false;
      for (std::size_t i = 0; i < rows[row].size(); ++i) {
        if (rows[other][i] > rows[row][i]) return false;
      }
      return true;
    });
    if (!beaten) front.push_back(row);
  }
  return front;
}

}  // namespace dvmsim
