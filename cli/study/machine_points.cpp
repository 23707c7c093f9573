#include "cli/study/machine_points.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "cli/machine.h"
#include "cli/random.h"
#include "cli/strategy_constants.h"
#include "cli/text/hash.h"
#include "cli/validation/parameter.h"
#include "vm/base/error.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

constexpr std::size_t kMostPoints = 1'000'000;
using Values = std::vector<AxisValue>;  // one of each axis

std::vector<Values> grid_of(const Study& study) {
  std::vector<Values> points = {{}};
  for (const StudyAxis& axis : study.axes) {
    std::vector<Values> longer;
    if (points.size() * axis.values.size() > kMostPoints) {
      throw Error(study.file + ": more than a million machines; take fewer values");
    }
    for (const Values& point : points) {
      for (const AxisValue& value : axis.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    }
    points = std::move(longer);
  }
  return points;
}

std::vector<Values> list_of(const Study& study) {
  std::vector<Values> points(study.axes.empty() ? 1 : study.axes[0].values.size());
  for (const StudyAxis& axis : study.axes) {
    for (std::size_t i = 0; i < points.size(); ++i) points[i].push_back(axis.values[i]);
  }
  return points;
}

bool is_whole(const std::string& key) {
  if (is_constant(key)) return is_whole_constant(key);
  for (const Parameter& parameter : parameters()) {
    if (parameter.key == key) {
      return parameter.type == "Int" || parameter.type == "Bytes" || parameter.type == "Cycles";
    }
  }
  return false;
}

AxisValue drawn(const StudyAxis& axis, double share) {
  if (!axis.range) {
    const auto count = static_cast<double>(axis.values.size());
    return axis.values[static_cast<std::size_t>(share * count)];
  }
  const StudyAxis::Range& range = *axis.range;
  double value = range.log ? range.from * std::pow(range.to / range.from, share)
                           : range.from + (range.to - range.from) * share;
  // Steps begin at `from`; each is as likely as another on a linear scale.
  if (range.by > 0 && !range.log) {
    const double count = std::floor((range.to - range.from) / range.by + 1e-9) + 1;
    value = range.from + range.by * std::floor(share * count);
  } else if (range.by > 0) {
    value = std::clamp(std::round(value / range.by) * range.by, range.from, range.to);
  } else if (is_whole(axis.name)) {
    value = std::round(value);
  }
  const std::string text = fmt::format("{:.6g}{}", value, range.unit);
  return {text, {{axis.name, text}}, {}};
}

std::vector<Values> random_of(const Study& study) {
  std::vector<Random> sources;  // one of each axis, so that axes do not depend on one another
  for (const StudyAxis& axis : study.axes) {
    sources.emplace_back(study.sampling.seed + static_cast<std::int64_t>(fnv1a(axis.name) >> 2));
  }
  std::vector<Values> points;
  std::set<std::vector<std::string>> seen;
  for (std::int64_t i = 0; i < study.sampling.count; ++i) {
    Values point;
    std::vector<std::string> texts;
    for (std::size_t a = 0; a < study.axes.size(); ++a) {
      point.push_back(drawn(study.axes[a], sources[a].share()));
      texts.push_back(point.back().text);
    }
    if (seen.insert(std::move(texts)).second) points.push_back(std::move(point));
  }
  return points;
}

/// The parameter's number as --set reads it, which is in at most twelve digits.
std::string text_of(double value, const std::string& unit) {
  constexpr double kFew = 1e9;
  if (unit.empty()) return fmt::format("{:.9g}", value);
  if (unit == "s") {
    return value < 1e-3 ? fmt::format("{:.0f}ps", value * 1e12)
                        : fmt::format("{:.0f}ns", value * 1e9);
  }
  if (value < kFew) return fmt::format("{:.0f}{}", value, unit);
  if (unit == "B") return fmt::format("{:.0f}KiB", value / 1024);
  return fmt::format("{:.9g}G{}", value / 1e9, unit);  // Hz and B/s
}

void apply(MachinePoint& point, const StudyAxis& axis, const AxisValue& value) {
  Machine& machine = point.machine;
  for (const auto& [key, text] : value.sets) {
    if (is_constant(key)) {
      check_constant(key, text);
      point.constants.push_back(key + "=" + text);
    } else {
      apply_set(machine, key + "=" + text);
    }
  }
  if (!value.factor) return;
  const Machine before = machine;
  for (const std::string& key : axis.keys) {
    const auto quantity = quantity_of(before, key);
    if (!quantity) throw Error(key + ": is no number on machine '" + machine.name + "'");
    apply_set(machine, quantity->assignment(quantity->number * *value.factor));
  }
}

void build(MachinePoint& point, const Study& study, const Values& values, const Machine& base) {
  try {
    point.machine = base;
    for (std::size_t i = 0; i < values.size(); ++i) {
      apply(point, study.axes[i], values[i]);
    }
    if (!point.launch_cost.empty()) {
      for (const char* key : kLaunchKeys) {
        apply_set(point.machine, std::string(key) + "=" + point.launch_cost);
      }
    }
    for (const Derived& derived : study.derived) {
      const double value = derived.value.value([&](std::string_view name) {
        return number_of(point.machine, name)->value;  // the reader knows that it is one
      });
      const auto now = number_of(point.machine, derived.key);
      apply_set(point.machine, derived.key + "=" + text_of(value, now ? now->unit : ""));
    }
    check(point.machine);
  } catch (const Error& error) {
    point.refused = error.what();
  }
}

}  // namespace

std::vector<MachinePoint> machine_points(const Study& study) {
  const auto kind = study.sampling.kind;
  const std::vector<Values> samples = kind == Sampling::Kind::Grid   ? grid_of(study)
                                      : kind == Sampling::Kind::List ? list_of(study)
                                                                     : random_of(study);
  std::vector<std::string> launch_costs = study.launch_costs;
  if (launch_costs.empty()) launch_costs = {""};
  if (samples.size() * study.hardware.size() * launch_costs.size() > kMostPoints) {
    throw Error(study.file + ": more than a million machines; take fewer values");
  }
  std::vector<MachinePoint> points;
  for (std::size_t h = 0; h < study.hardware.size(); ++h) {
    const Machine base = machine_from(study.hardware[h].file, study.hardware[h].sets);
    for (const Values& values : samples) {
      for (const std::string& launch_cost : launch_costs) {
        MachinePoint point;
        point.hardware = static_cast<int>(h);
        for (const AxisValue& value : values) point.axes.push_back(value.text);
        point.launch_cost = launch_cost;
        build(point, study, values, base);
        points.push_back(std::move(point));
      }
    }
  }
  return points;
}

std::vector<std::string> values_of(const StudyAxis& axis, const std::vector<MachinePoint>& points,
                                   std::size_t index) {
  std::vector<std::string> texts;
  for (const AxisValue& value : axis.values) texts.push_back(value.text);
  if (!axis.range) return texts;
  std::set<std::string> drawn;
  for (const MachinePoint& point : points) drawn.insert(point.axes[index]);
  texts.assign(drawn.begin(), drawn.end());
  std::stable_sort(texts.begin(), texts.end(), [](const std::string& a, const std::string& b) {
    return std::strtod(a.c_str(), nullptr) < std::strtod(b.c_str(), nullptr);
  });
  return texts;
}

}  // namespace dvmsim
