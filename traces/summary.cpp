// The page for people: one screen, aligned, most important first.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "traces/report.h"

namespace dvmsim {
namespace {

/// 1234567 -> "1,234,567".
std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > sign && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

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

std::string busy_text(const Roofline& roofline) {
  std::string text;
  for (const Demand& demand : roofline.per_pipe) {
    text += fmt::format("{}{} {}", text.empty() ? "" : "  ", demand.resource, percent(demand.busy));
  }
  return text;
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
  page.line("firmware",
            fmt::format("{} instructions, {} commands", grouped(report.firmware.instructions),
                        grouped(report.firmware.commands)));
  const std::string decode = decode_text(report.firmware);
  if (!decode.empty()) page.line("decode", decode);
  page.line("memory", fmt::format("HBM read {}, write {}; L2 hits {}",
                                  bytes_text(report.memory.hbm_read_bytes),
                                  bytes_text(report.memory.hbm_write_bytes),
                                  bytes_text(report.memory.l2_hit_bytes)));
  const auto& device = report.device_memory;
  if (device.peak_bytes() > 0) {
    page.line(
        "", fmt::format("in use {}: weights {}, inputs and outputs {}, intermediates {}, "
                        "programs {}",
                        bytes_text(device.peak_bytes()), bytes_text(device.weights_bytes),
                        bytes_text(device.inputs_outputs_bytes),
                        bytes_text(device.intermediates_bytes), bytes_text(device.programs_bytes)));
  }
  if (!report.roofline.bound.empty()) {
    page.line("bound", fmt::format("{}: at best {} cycles, {} of what was taken",
                                   report.roofline.bound, grouped(report.roofline.ideal_cycles),
                                   percent(report.roofline.fraction)));
    page.line("busy", busy_text(report.roofline));
  }
  if (report.check) page.line("check", check_text(*report.check));
  for (const auto& [what, name] : files) page.line(what, name);
  for (std::size_t i = 0; i < report.not_modelled.size(); ++i) {
    page.line(i == 0 ? "not modelled" : "", report.not_modelled[i]);
  }
  return page.take();
}

}  // namespace dvmsim
