#include "traces/stream_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;
using Step = StreamReport::Step;

double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

std::string hex(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

struct Column {
  const char* name;
  double (*value)(const Step& step);
};
constexpr Column kMeasures[] = {
    {"cycles", [](const Step& step) { return static_cast<double>(step.cycles); }},
    {"task_us", [](const Step& step) { return step.task_us; }},
    {"e2e_us", [](const Step& step) { return step.e2e_us; }},
    {"encode_us", [](const Step& step) { return step.encode_us; }},
    {"launches", [](const Step& step) { return static_cast<double>(step.launches); }},
};
constexpr std::pair<const char*, double> kShares[] = {
    {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}};

std::vector<double> column(const StreamReport& report, const Column& measure) {
  std::vector<double> values;
  for (const Step& step : report.steps) values.push_back(measure.value(step));
  return values;
}

std::int64_t misses(const StreamReport& report) {
  return std::count_if(report.steps.begin(), report.steps.end(),
                       [](const Step& step) { return !step.cached; });
}

template <class Member>
auto total(const StreamReport& report, Member member) {
  auto sum = Step{}.*member;
  for (const Step& step : report.steps) sum += step.*member;
  return sum;
}

std::int64_t peak(const StreamReport& report) {
  std::int64_t bytes = 0;
  for (const Step& step : report.steps) bytes = std::max(bytes, step.memory_bytes);
  return bytes;
}

Json row(const Step& step) {
  Json dims = Json::object();
  for (const auto& [name, size] : step.dims) dims[name] = size;
  Json json = {{"dims", dims},
               {"compile_us", rounded(step.compile_us)},
               {"encode_us", rounded(step.encode_us)},
               {"cached", step.cached},
               {"launches", step.launches},
               {"synchronisations", step.synchronisations},
               {"iterations", step.iterations},
               {"cycles", step.cycles},
               {"task_us", rounded(step.task_us)},
               {"e2e_us", rounded(step.e2e_us)},
               {"memory_bytes", step.memory_bytes}};
  json["outputs"] = step.digest ? Json(hex(*step.digest)) : Json();
  if (step.check) {
    json["check"] = {{"max_abs_err", step.check->max_abs_err},
                     {"max_rel_err", step.check->max_rel_err},
                     {"pass", step.check->pass}};
  }
  return json;
}

std::string step_line(const StreamReport& report, std::size_t index) {
  const Step& step = report.steps[index];
  std::string dims;
  for (const auto& [name, size] : step.dims) {
    dims += fmt::format("{}{}={}", dims.empty() ? "" : " ", name, size);
  }
  return fmt::format("{:>8}  {:<26} {:>8} {:>10.2f} {:>9} {:>14} {:>12.2f} {:>12.2f}\n", index,
                     dims, step.cached ? "hit" : "miss", step.compile_us + step.encode_us,
                     step.launches, step.cycles, step.task_us, step.e2e_us);
}

}  // namespace

bool StreamReport::pass() const {
  return std::all_of(steps.begin(), steps.end(),
                     [](const Step& step) { return !step.check || step.check->pass; });
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  const auto rank = static_cast<std::size_t>(std::max(1.0, std::ceil(share * count - 1e-9)));
  return values[std::min(rank, values.size()) - 1];
}

std::string to_json(const StreamReport& report) {
  Json json;
  json["schema"] = StreamReport::kSchema;
  json["model"] = report.model;
  json["stream"] = report.stream;
  json["strategy"] = report.strategy;
  json["hardware"] = report.hardware;
  json["clock_mhz"] = report.clock_mhz;
  json["totals"] = {{"steps", report.steps.size()},
                    {"misses", misses(report)},
                    {"launches", total(report, &Step::launches)},
                    {"cycles", total(report, &Step::cycles)},
                    {"task_us", rounded(total(report, &Step::task_us))},
                    {"e2e_us", rounded(total(report, &Step::e2e_us))},
                    {"compile_us", rounded(total(report, &Step::compile_us))},
                    {"encode_us", rounded(total(report, &Step::encode_us))},
                    {"peak_memory_bytes", peak(report)}};
  Json measures = Json::object();
  for (const Column& measure : kMeasures) {
    for (const auto& [name, share] : kShares) {
      measures[measure.name][name] = rounded(percentile(column(report, measure), share));
    }
  }
  json["percentiles"] = measures;
  json["steps"] = Json::array();
  for (const Step& step : report.steps) json["steps"].push_back(row(step));
  json["not_modelled"] = report.not_modelled;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string to_csv(const StreamReport& report) {
  std::vector<std::string> names;
  for (const Step& step : report.steps) {
    for (const auto& [name, size] : step.dims) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  std::string text = "step";
  for (const std::string& name : names) text += "," + name;
  text +=
      ",compile_us,encode_us,cached,launches,synchronisations,iterations,cycles,task_us,e2e_us,"
      "memory_bytes,outputs\n";
  for (std::size_t i = 0; i < report.steps.size(); ++i) {
    const Step& step = report.steps[i];
    text += std::to_string(i);
    for (const std::string& name : names) {
      const auto found = std::find_if(step.dims.begin(), step.dims.end(),
                                      [&](const auto& dim) { return dim.first == name; });
      text += "," + (found == step.dims.end() ? std::string() : std::to_string(found->second));
    }
    text += fmt::format(",{},{},{},{},{},{},{},{},{},{},{}\n", rounded(step.compile_us),
                        rounded(step.encode_us), step.cached ? 1 : 0, step.launches,
                        step.synchronisations, step.iterations, step.cycles, rounded(step.task_us),
                        rounded(step.e2e_us), step.memory_bytes,
                        step.digest ? hex(*step.digest) : std::string());
  }
  return text;
}

std::string summary(const StreamReport& report,
                    const std::vector<std::pair<std::string, std::string>>& files) {
  constexpr std::size_t kShown = 20, kFirst = 10;
  constexpr double kMebibyte = 1024.0 * 1024.0;
  const std::size_t count = report.steps.size();
  std::string text = fmt::format("{} over {}: {} steps  ({} on {})\n", report.model, report.stream,
                                 count, report.strategy, report.hardware);
  text += fmt::format("{:>8}  {:<26} {:>8} {:>10} {:>9} {:>14} {:>12} {:>12}\n", "step", "dims",
                      "module", "compile us", "launches", "cycles", "task us", "e2e us");
  for (std::size_t i = 0; i < count; ++i) {
    if (count > kShown && i == kFirst) text += fmt::format("{:>8}\n", "...");
    if (count > kShown && i >= kFirst && i + kFirst < count) continue;
    text += step_line(report, i);
  }
  text += fmt::format("  {:<14}{} launches, {} cycles, {:.2f} us of launches, {:.2f} us in all\n",
                      "total", total(report, &Step::launches), total(report, &Step::cycles),
                      total(report, &Step::task_us), total(report, &Step::e2e_us));
  text += fmt::format("  {:<14}compile {:.2f} us, encode {:.2f} us; {} of {} steps made a module\n",
                      "host", total(report, &Step::compile_us), total(report, &Step::encode_us),
                      misses(report), count);
  for (const Column& measure : kMeasures) {
    const std::vector<double> values = column(report, measure);
    text += fmt::format("  {:<14}", measure.name);
    for (const auto& [name, share] : kShares) {
      text += fmt::format("{} {:.2f}  ", name, percentile(values, share));
    }
    text.erase(text.size() - 2);
    text += "\n";
  }
  text += fmt::format("  {:<14}{:.2f} MiB at most\n", "device memory",
                      static_cast<double>(peak(report)) / kMebibyte);
  const auto checked = std::any_of(report.steps.begin(), report.steps.end(),
                                   [](const Step& step) { return step.check.has_value(); });
  if (checked) {
    double worst = 0;
    for (const Step& step : report.steps) {
      if (step.check) worst = std::max(worst, step.check->max_rel_err);
    }
    text += fmt::format("  {:<14}{} (max rel err {:.3g})\n", "check",
                        report.pass() ? "pass" : "FAIL", worst);
  }
  for (const auto& [what, name] : files) text += fmt::format("  {:<14}{}\n", what, name);
  return text;
}

}  // namespace dvmsim
