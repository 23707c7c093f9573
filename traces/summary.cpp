// The page for people: one screen, aligned, most important first.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "traces/numbers.h"
#include "traces/report.h"

namespace dvmsim {
namespace {

std::string bytes_text(std::int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.2f} {}", value, kUnits[unit]);
}

std::string time_text(double us) {
  if (us >= 1e6) return fmt::format("{:.3f} s", us / 1e6);
  if (us >= 1e4) return fmt::format("{:.3f} ms", us / 1e3);
  return fmt::format("{:.2f} us", us);
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100 * share);
}

class Page {
 public:
  void line(std::string_view label, const std::string& text) {
    text_ += fmt::format("  {:<14}{}\n", label, text);
  }
  void title(const std::string& text) { text_ += text + "\n"; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_{};
};

std::string title(const RunReport& report) {
  std::string text = report.model;
  for (const auto& [name, size] : report.dims) text += fmt::format(" {}={}", name, size);
  return fmt::format("{}  ({} on {})", text, report.strategy, report.hardware);
}

/// Empty if it was not measured.
std::string decode_text(const RunReport::Firmware& firmware) {
  const auto share = [&](const RunReport::Decode& decode) {
    return decode.cycles == 0
               ? 0.0
               : static_cast<double>(decode.exposed_cycles) / static_cast<double>(decode.cycles);
  };
  const auto& [low, nominal, high] = firmware.by_profile;
  if (low && nominal && high) {
    return fmt::format("exposes {} / {} / {} cycles ({} / {} / {}) at low / nominal / high cost",
                       grouped(low->exposed_cycles), grouped(nominal->exposed_cycles),
                       grouped(high->exposed_cycles), percent(share(*low)),
                       percent(share(*nominal)), percent(share(*high)));
  }
  if (!firmware.exposed_cycles) return "";
  return fmt::format("exposes {} cycles", grouped(*firmware.exposed_cycles));
}

/// "memory bound: cube.mte2 reaches 96.4 % of its ceiling".
std::string verdict_text(const Roofline& roofline) {
  const auto named = [&](const std::string& name) -> const Component& {
    return *std::find_if(roofline.components.begin(), roofline.components.end(),
                         [&](const Component& component) { return component.name == name; });
  };
  const Component& limiter = named(roofline.limiter);
  std::string text(name_of(roofline.verdict));
  if (roofline.verdict == Verdict::LowEfficiency) {
    return text + fmt::format(" of {} ({}): busy {}, but at {} of its ceiling", limiter.name,
                              name_of(roofline.cause), percent(limiter.busy),
                              percent(limiter.reached));
  }
  if (roofline.verdict != Verdict::Latency) {
    return text +
           fmt::format(": {} reaches {} of its ceiling", limiter.name, percent(limiter.reached));
  }
  text += fmt::format(": no pipe is busy for 80 %; the busiest, {}, for {}", limiter.name,
                      percent(limiter.busy));
  if (roofline.between_launches >= 0.5) {
    return text + fmt::format("; {} lies between launches", percent(roofline.between_launches));
  }
  constexpr std::size_t kShown = 2;
  for (std::size_t i = 0; i < std::min(kShown, roofline.waits.size()); ++i) {
    const auto& [reason, share] = roofline.waits[i];
    if (share < 0.01) break;
    text += fmt::format("{}{} {}", i == 0 ? ", then " : ", ", name_of(reason), percent(share));
  }
  return text;
}

/// Two lines in columns: what each component reached of its ceiling, and how long it was held.
std::pair<std::string, std::string> component_texts(const Roofline& roofline) {
  constexpr double kLeast = 0.01;
  std::string reached, busy;
  for (const Component& component : roofline.components) {
    if (std::max(component.reached, component.busy) < kLeast) continue;
    const bool shared = component.name == "hbm" || component.name == "l2";
    const std::string gap = reached.empty() ? "" : "  ";
    reached += fmt::format("{}{} {:4.1f} %", gap, component.name, 100 * component.reached);
    if (!shared) busy += fmt::format("{}{} {:4.1f} %", gap, component.name, 100 * component.busy);
  }
  return {reached, busy};
}

void add_roofline(Page& page, const Roofline& roofline) {
  if (roofline.verdict == Verdict::None) return;
  page.line("bound", verdict_text(roofline));
  const auto [reached, busy] = component_texts(roofline);
  if (!reached.empty()) page.line("ceiling", reached);
  if (!busy.empty()) page.line("busy", busy);
  page.line("ideal",
            fmt::format("{} cycles ({}), {} of what was taken", grouped(roofline.ideal_cycles),
                        roofline.bound, percent(roofline.fraction)));
}

/// Labels with their shares, the largest first, as many as have half a percent.
std::string path_text(const CriticalPath& path) {
  std::vector<std::pair<std::string, std::int64_t>> sums;
  for (const CriticalPath::Part& part : path.parts) {
    const std::string label = label_of(part.unit, part.cause);
    const auto known =
        std::find_if(sums.begin(), sums.end(), [&](const auto& sum) { return sum.first == label; });
    if (known == sums.end()) {
      sums.emplace_back(label, part.cycles);
    } else {
      known->second += part.cycles;
    }
  }
  std::stable_sort(sums.begin(), sums.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  constexpr std::size_t kShown = 6;
  for (std::size_t i = 0; i < std::min(kShown, sums.size()); ++i) {
    const double share = static_cast<double>(sums[i].second) / static_cast<double>(path.cycles);
    if (i > 0 && share < 0.005) break;
    text += fmt::format("{}{} {}", i == 0 ? "" : "  ", sums[i].first, percent(share));
  }
  return text;
}

std::string top_text(const CriticalPath& path) {
  std::string text;
  constexpr std::size_t kShown = 3;
  for (std::size_t i = 0; i < std::min(kShown, path.top.size()); ++i) {
    const CriticalPath::Contributor& item = path.top[i];
    const double share = static_cast<double>(item.cycles) / static_cast<double>(path.cycles);
    text += fmt::format("{}{} of '{}' {}", i == 0 ? "" : ", ",
                        item.instruction.empty() ? name_of(item.unit) : item.instruction,
                        item.operation, percent(share));
  }
  return text;
}

/// "mte2 => 5.9 %  cube => 1.2 %"; what gains less than a tenth of a percent is left out.
std::string slack_text(const CriticalPath& path) {
  std::vector<CriticalPath::Slack> slack = path.slack;
  std::stable_sort(slack.begin(), slack.end(),
                   [](const auto& a, const auto& b) { return a.gain > b.gain; });
  std::string text;
  for (const CriticalPath::Slack& item : slack) {
    if (item.gain < 0.0005) break;
    text += fmt::format("{}{} => {}", text.empty() ? "" : "  ", item.resource, percent(item.gain));
  }
  return text.empty() ? "nothing gains 0.1 %" : text;
}

void add_path(Page& page, const CriticalPath& path) {
  if (path.missing.empty()) {
    page.line("critical path", path_text(path));
    if (!path.top.empty()) page.line("", top_text(path));
  } else {
    page.line("critical path", "not computed: " + path.missing);
  }
  if (path.slack.empty()) return;
  page.line(fmt::format("{:.0f} % faster", 100 * (path.faster - 1)), slack_text(path));
}

/// Empty if the host waited for nothing.
std::string waits_text(const RunReport::Host& host) {
  if (host.synchronisations == 0 && host.iterations == 0) return "";
  std::string text = fmt::format(
      "waits {} times for values ({}), drives {} iterations:", grouped(host.synchronisations),
      bytes_text(host.bytes_read), grouped(host.iterations));
  constexpr std::size_t kMostNamed = 4;
  for (std::size_t i = 0; i < std::min(host.nodes.size(), kMostNamed); ++i) {
    text += (i == 0 ? " " : ", ") + host.nodes[i];
  }
  if (host.nodes.size() > kMostNamed) {
    text += fmt::format(" and {} more", host.nodes.size() - kMostNamed);
  }
  return text;
}

/// "30 of the framework, written as 42: layer_norm 2, softmax 1".
std::string operators_text(const RunReport::Host::Operators& operators) {
  std::string text = grouped(operators.framework) + " of the framework";
  if (operators.rerolled.empty()) return text;
  text += ", written as " + grouped(operators.written) + ":";
  const char* before = " ";
  for (const auto& [kind, count] : operators.rerolled) {
    text += before + kind + " " + grouped(count);
    before = ", ";
  }
  return text;
}

void add_device_memory(Page& page, const RunReport::DeviceMemory& device) {
  if (device.peak_bytes() == 0) return;
  page.line("",
            fmt::format("in use {}: weights {}, inputs and outputs {}, intermediates {}, "
                        "programs {}",
                        bytes_text(device.peak_bytes()), bytes_text(device.weights_bytes),
                        bytes_text(device.inputs_outputs_bytes),
                        bytes_text(device.intermediates_bytes), bytes_text(device.programs_bytes)));
}

std::string check_text(const RunReport::Check& check) {
  return fmt::format("{} (max abs err {:.3g}, max rel err {:.3g})", check.pass ? "pass" : "FAIL",
                     check.max_abs_err, check.max_rel_err);
}

}  // namespace

std::string summary(const RunReport& report,
                    const std::vector<std::pair<std::string, std::string>>& files) {
  Page page;
  page.title(title(report));
  page.line("cycles", fmt::format("{}  ({} at {:g} MHz)", grouped(report.cycles),
                                  time_text(static_cast<double>(report.cycles) / report.clock_mhz),
                                  report.clock_mhz));
  page.line("end to end",
            fmt::format("{}; launches {}, their longest cores {}", time_text(report.e2e_us),
                        time_text(report.task_us), time_text(report.core_us)));
  page.line("host", fmt::format("compile {}, encode {}, launch {}; {} launch{}, programs {}",
                                time_text(report.host.compile_us), time_text(report.host.encode_us),
                                time_text(report.host.launch_us), grouped(report.host.launches),
                                report.host.launches == 1 ? "" : "es",
                                bytes_text(report.host.program_bytes)));
  const std::string waits = waits_text(report.host);
  if (!waits.empty()) page.line("", waits);
  if (report.host.operators) page.line("operators", operators_text(*report.host.operators));
  page.line("firmware",
            fmt::format("{} instructions, {} commands", grouped(report.firmware.instructions),
                        grouped(report.firmware.commands)));
  const std::string decode = decode_text(report.firmware);
  if (!decode.empty()) page.line("decode", decode);
  page.line("memory", fmt::format("HBM read {}, write {}; L2 hits {}",
                                  bytes_text(report.memory.hbm_read_bytes),
                                  bytes_text(report.memory.hbm_write_bytes),
                                  bytes_text(report.memory.l2_hit_bytes)));
  add_device_memory(page, report.device_memory);
  add_roofline(page, report.roofline);
  if (report.critical_path) add_path(page, *report.critical_path);
  if (report.check) page.line("check", check_text(*report.check));
  for (const auto& [what, name] : files) page.line(what, name);
  for (std::size_t i = 0; i < report.not_modelled.size(); ++i) {
    page.line(i == 0 ? "not modelled" : "", report.not_modelled[i]);
  }
  return page.take();
}

}  // namespace dvmsim
