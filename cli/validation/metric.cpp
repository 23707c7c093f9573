#include "cli/validation/metric.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

Figures figures_of(const RunReport& report) {
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  Figures figures = {{"cycles", number(report.cycles)},
                     {"clock_mhz", report.clock_mhz},
                     {"e2e_us", report.e2e_us},
                     {"task_us", report.task_us},
                     {"core_us", report.core_us},
                     {"host.compile_us", report.host.compile_us},
                     {"host.encode_us", report.host.encode_us},
                     {"host.launch_us", report.host.launch_us},
                     {"host.launches", number(report.host.launches)},
                     {"host.program_bytes", number(report.host.program_bytes)},
                     {"memory.hbm_read_bytes", number(report.memory.hbm_read_bytes)},
                     {"memory.hbm_write_bytes", number(report.memory.hbm_write_bytes)},
                     {"memory.l2_hit_bytes", number(report.memory.l2_hit_bytes)},
                     {"firmware.instructions", number(report.firmware.instructions)},
                     {"firmware.commands", number(report.firmware.commands)},
                     {"firmware.decode_cycles", number(report.firmware.decode_cycles)},
                     {"device_memory.peak_bytes", number(report.device_memory.peak_bytes())},
                     {"roofline.ideal_cycles", number(report.roofline.ideal_cycles)},
                     {"roofline.fraction", report.roofline.fraction}};
  if (report.firmware.exposed_cycles) {
    figures["firmware.exposed_cycles"] = number(*report.firmware.exposed_cycles);
  }
  for (const auto& [name, us] : report.profiler) figures[name] = us;
  return figures;
}

namespace {

/// All names of figures, those that not every run has among them.
const Figures& all_figures() {
  static const Figures kAll = [] {
    RunReport report;
    report.firmware.exposed_cycles = 0;
    for (const CoreKind kind : {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified}) {
      add_profiler(report, kind, {}, 1);
    }
    return figures_of(report);
  }();
  return kAll;
}

}  // namespace

bool is_figure(std::string_view name) {
  return all_figures().contains(name);
}

std::string figure_list() {
  std::string known;
  for (const auto& [each, value] : all_figures()) known += (known.empty() ? "" : " ") + each;
  return known;
}

Metric::Metric(std::string_view text, const std::string& where) : where_(where) {
  try {
    expression_ = Expression(text);
  } catch (const Error& error) {
    throw Error(where + ": metric: " + error.what() +
                "; write an expression over figures of the report");
  }
}

bool Metric::needs_reference() const {
  const auto names = expression_.names();
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.starts_with("ref."); });
}

namespace {

double find_figure(const Figures& figures, std::string_view name) {
  const auto found = figures.find(name);
  if (found != figures.end()) return found->second;
  std::string known;
  for (const auto& [each, value] : figures) known += (known.empty() ? "" : " ") + each;
  throw Error("the run has no figure '" + std::string(name) + "'; it has " + known);
}

}  // namespace

double Metric::value(const Figures& figures, const Figures* reference) const {
  try {
    return expression_.value([&](std::string_view name) {
      if (!name.starts_with("ref.")) return find_figure(figures, name);
      if (reference == nullptr) throw Error("the row has no reference");
      return find_figure(*reference, name.substr(4));
    });
  } catch (const Error& error) {
    throw Error(where_ + ": metric: " + error.what());
  }
}

}  // namespace dvmsim
