#include "cli/sweep/plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "cli/machine.h"
#include "cli/strategy_constants.h"
#include "cli/stream/stream.h"
#include "cli/text/files.h"
#include "cli/text/hash.h"
#include "vm/base/error.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

constexpr std::size_t kMostPoints = 1'000'000;

/// The kind of the study's axis, and its values as numbers.
SweepAxis parameter_axis(const Study& study, const std::vector<MachinePoint>& machines,
                         std::size_t index) {
  const StudyAxis& from = study.axes[index];
  SweepAxis axis;
  axis.name = from.name;
  axis.sampled = study.sampling.kind != Sampling::Kind::Grid;
  const bool plain = from.range || (from.keys.size() == 1 && from.keys[0] == from.name &&
                                    !from.values.empty() && !from.values[0].factor);
  if (!plain) axis.kind = SweepAxis::Kind::Choices;
  if (!from.values.empty() && from.values[0].factor) axis.kind = SweepAxis::Kind::Factors;
  const Machine base = machine_from(study.hardware[0].file, study.hardware[0].sets);
  for (const std::string& text : values_of(from, machines, index)) {
    SweepAxis::Value value{text, {}};
    if (plain && is_constant(from.name)) {
      if (const auto number = constant_number(from.name, text)) {
        value.number = number->value;
        axis.unit = number->unit;
      }
    } else if (plain) {
      Machine machine = base;
      apply_set(machine, from.name + "=" + text);
      if (const auto number = number_of(machine, from.name)) {
        value.number = number->value;
        axis.unit = number->unit;
      }
    }
    for (const AxisValue& each : from.values) {
      if (each.text == text && each.factor) value.number = each.factor;
    }
    axis.values.push_back(std::move(value));
  }
  return axis;
}

int index_of(const SweepAxis& axis, const std::string& text) {
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    if (axis.values[i].text == text) return static_cast<int>(i);
  }
  return -1;
}

/// Builds the axes of a plan one by one, each with what designs or cases have of it.
class AxisBuilder {
 public:
  explicit AxisBuilder(SweepPlan& plan) : plan_(plan) {
    plan.design_values.resize(plan.designs.size());
    plan.case_values.resize(plan.cases.size());
  }

  void all() {
    const Study& study = plan_.study;
    add_named(SweepAxis::Kind::Hardware, "hardware", names_of(study.hardware),
              [&](const SweepDesign& d) { return plan_.machines[d.machine].hardware; });
    for (std::size_t i = 0; i < study.axes.size(); ++i) {
      SweepAxis axis = parameter_axis(study, plan_.machines, i);
      add(std::move(axis), [&](const SweepAxis& own, const SweepDesign& d) {
        return index_of(own, plan_.machines[d.machine].axes[i]);
      });
    }
    if (!study.launch_costs.empty()) add_launch_costs();
    add_named(SweepAxis::Kind::Strategy, "strategy", names_of(study.strategies),
              [](const SweepDesign& d) { return static_cast<int>(d.strategy); });
    add_workloads();
    add_dims();
  }

 private:
  template <class Item>
  static std::vector<std::string> names_of(const std::vector<Item>& items) {
    std::vector<std::string> names;
    for (const Item& item : items) names.push_back(item.name);
    return names;
  }

  /// An axis with one value is no axis.
  bool keep(const SweepAxis& axis) {
    if (axis.values.size() > 1) {
      plan_.axes.push_back(axis);
      return true;
    }
    plan_.fixed.emplace_back(axis.name, axis.values[0].text);
    return false;
  }

  template <class Of>
  void add(SweepAxis axis, Of&& of) {
    if (!keep(axis)) return;
    for (std::size_t d = 0; d < plan_.designs.size(); ++d) {
      plan_.design_values[d].push_back(of(axis, plan_.designs[d]));
    }
    for (auto& values : plan_.case_values) values.push_back(-1);
  }
  template <class Of>
  void add_named(SweepAxis::Kind kind, const std::string& name,
                 const std::vector<std::string>& names, Of&& of) {
    SweepAxis axis;
    axis.name = name;
    axis.kind = kind;
    for (const std::string& each : names) axis.values.push_back({each, {}});
    add(std::move(axis), [&](const SweepAxis&, const SweepDesign& design) { return of(design); });
  }
  template <class Of>
  void add_of_cases(const SweepAxis& axis, Of&& of) {
    if (!keep(axis)) return;
    for (std::size_t c = 0; c < plan_.cases.size(); ++c) {
      plan_.case_values[c].push_back(of(plan_.cases[c]));
    }
    for (auto& values : plan_.design_values) values.push_back(-1);
  }

  void add_launch_costs() {
    SweepAxis axis;
    axis.name = "launch_cost";
    axis.kind = SweepAxis::Kind::LaunchCost;
    axis.unit = "s";
    for (const std::string& text : plan_.study.launch_costs) {
      Machine machine = default_machine();
      apply_set(machine, std::string(kLaunchKeys[0]) + "=" + text);
      axis.values.push_back({text, number_of(machine, kLaunchKeys[0])->value});
    }
    add(std::move(axis), [&](const SweepAxis& own, const SweepDesign& design) {
      return index_of(own, plan_.machines[design.machine].launch_cost);
    });
  }

  void add_workloads() {
    SweepAxis axis;
    axis.name = "workload";
    axis.kind = SweepAxis::Kind::Workload;
    for (const StudyWorkload& work : plan_.study.workloads) axis.values.push_back({work.name, {}});
    add_of_cases(axis, [](const SweepCase& each) { return static_cast<int>(each.workload); });
  }

  void add_dims() {
    std::map<std::string, std::vector<std::int64_t>> sizes;
    for (const SweepCase& each : plan_.cases) {
      for (const auto& [name, size] : each.dims) sizes[name].push_back(size);
    }
    for (auto& [name, values] : sizes) {
      std::sort(values.begin(), values.end());
      values.erase(std::unique(values.begin(), values.end()), values.end());
      SweepAxis axis;
      axis.name = "dim." + name;
      axis.kind = SweepAxis::Kind::Dim;
      for (const std::int64_t size : values) {
        axis.values.push_back({std::to_string(size), static_cast<double>(size)});
      }
      add_of_cases(axis, [&, symbol = name](const SweepCase& each) {
        for (const auto& [own, size] : each.dims) {
          if (own == symbol) return index_of(axis, std::to_string(size));
        }
        return -1;
      });
    }
  }

  SweepPlan& plan_;
};

/// Everything about a case that a result depends on, but the machine and the strategy.
std::string text_of(const Study& study, const SweepCase& each, const std::string& model) {
  const StudyWorkload& work = study.workloads[each.workload];
  std::string text = model;
  text += fmt::format(" mode {} seed {} memory {} warm {} repeat {} decode {}",
                      static_cast<int>(work.mode), work.seed, static_cast<int>(study.memory),
                      study.warm_l2, study.repeat, study.decode);
  for (const auto& [name, size] : each.dims) text += fmt::format(" {}={}", name, size);
  if (work.trace.empty()) return text;
  text += fmt::format(" trace {:x}", fnv1a(read_text(work.trace)));
  for (const StreamGroup& group : load_stream(work.trace).groups) {
    for (const auto& [name, path] : group.inputs) {
      text += fmt::format(" {}:{:x}", name, fnv1a(read_text(path)));
    }
  }
  return text;
}

std::string model_text(const StudyWorkload& work) {
  if (!work.model.empty()) {
    const std::string type = work.floats ? std::string(name_of(*work.floats)) : "";
    return fmt::format("model {:x} {}", fnv1a(read_text(work.model)), type);
  }
  std::string text = fmt::format("op {} {} {} {}", work.op.op, name_of(work.op.dtype),
                                 work.op.trans_a, work.op.trans_b);
  for (const auto& [name, value] : work.op.attributes) text += " " + name + ":" + value;
  for (const Dims& shape : work.op_shapes) text += " " + to_text(shape);
  return text;
}

/// With the constants it rests on: others are other points.
std::string text_of(const StudyStrategy& strategy, const ConstantsFile& constants) {
  std::string text = fmt::format("{} {} {}", strategy.strategy, strategy.tiling, strategy.cores);
  for (const auto& [name, on] : strategy.features) text += (on ? " +" : " -") + name;
  for (const StrategyConstant& constant : constants.all) {
    if (rests_on(strategy.strategy, constant.key)) {
      text += " " + constant.key + "=" + constant.value;
    }
  }
  return text;
}

void make_points(SweepPlan& plan, std::uint64_t program) {
  const Study& study = plan.study;
  std::vector<std::uint64_t> machines, cases;
  for (const MachinePoint& point : plan.machines) machines.push_back(hash_of(point.machine));
  std::vector<std::string> models;
  for (const StudyWorkload& work : study.workloads) models.push_back(model_text(work));
  for (const SweepCase& each : plan.cases) {
    cases.push_back(fnv1a(text_of(study, each, models[each.workload])));
  }
  if (plan.designs.size() * plan.cases.size() > kMostPoints) {
    throw Error(study.file + ": more than a million points; take fewer values");
  }
  const bool rests =
      std::any_of(study.strategies.begin(), study.strategies.end(),
                  [](const StudyStrategy& each) { return sets_strategy(each.strategy + "."); });
  const ConstantsFile constants = rests ? constants_from("", {}) : ConstantsFile();
  for (std::size_t d = 0; d < plan.designs.size(); ++d) {
    const SweepDesign& design = plan.designs[d];
    const std::string strategy =
        text_of(study.strategies[design.strategy], constants.with(plan.constants(design)));
    for (std::size_t c = 0; c < plan.cases.size(); ++c) {
      const std::string text =
          fmt::format("{:x} {:x} {} {:x}", program, machines[design.machine], strategy, cases[c]);
      plan.points.push_back({d, c, fnv1a(text)});
    }
  }
}

}  // namespace

const char* name_of(SweepAxis::Kind kind) {
  constexpr const char* kNames[] = {"hardware",    "parameter", "factors",  "choices",
                                    "launch_cost", "strategy",  "workload", "dim"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<std::string> SweepPlan::constants(const SweepDesign& design) const {
  const StudyStrategy& strategy = study.strategies[design.strategy];
  std::vector<std::string> sets = strategy.sets;
  for (const std::string& set : machines[design.machine].constants) {
    if (rests_on(strategy.strategy, set.substr(0, set.find('=')))) sets.push_back(set);
  }
  return sets;
}

SweepPlan plan_sweep(Study study, std::uint64_t program) {
  SweepPlan plan;
  plan.study = std::move(study);
  plan.machines = machine_points(plan.study);
  for (std::size_t m = 0; m < plan.machines.size(); ++m) {
    for (std::size_t s = 0; s < plan.study.strategies.size(); ++s) plan.designs.push_back({m, s});
  }
  for (std::size_t w = 0; w < plan.study.workloads.size(); ++w) {
    const StudyWorkload& work = plan.study.workloads[w];
    // A recorded stream is one case, whatever its sizes.
    const std::vector<DimSizes> sizes =
        work.trace.empty() ? work.sizes : std::vector<DimSizes>{DimSizes()};
    for (const DimSizes& dims : sizes) plan.cases.push_back({w, dims});
  }
  AxisBuilder(plan).all();
  make_points(plan, program);
  return plan;
}

}  // namespace dvmsim
