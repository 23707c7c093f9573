#include "traces/report.h"

namespace dvmsim {
namespace {

double us_of_ns(std::int64_t ns) {
  return static_cast<double>(ns) / 1000.0;
}

double us_of_cycles(std::int64_t cycles, std::int64_t clock_hz) {
  return static_cast<double>(cycles) * 1e6 / static_cast<double>(clock_hz);
}

}  // namespace

void fill(RunReport& report, const Stats& stats, std::int64_t clock_hz) {
  report.cycles = stats.cycles().count();
  report.clock_mhz = static_cast<double>(clock_hz) / 1e6;
  Cycles tasks;
  for (const LaunchSum& launch : stats.launches()) tasks += launch.end - launch.begin;
  report.task_us = us_of_cycles(tasks.count(), clock_hz);
  report.core_us = us_of_cycles(stats.firmware().longest_core.count(), clock_hz);
  report.host.compile_us = us_of_ns(stats.host_ns(HostWork::Compile));
  report.host.encode_us = us_of_ns(stats.host_ns(HostWork::Encode));
  report.host.launch_us = us_of_ns(stats.host_ns(HostWork::Launch));
  report.host.launches = stats.firmware().launches;
  report.units.clear();
  for (const RowSum& row : stats.rows()) {
    report.units.push_back({name_of(row.row), row.total(), row.cycles});
  }
  report.memory = {stats.bytes(Place::HbmRead).count(), stats.bytes(Place::HbmWrite).count(),
                   stats.bytes(Place::L2Hit).count()};
  report.firmware.instructions = stats.firmware().instructions;
  report.firmware.commands = stats.firmware().commands;
  report.firmware.decode_cycles = stats.firmware().decode.count();
}

void fill(RunReport& report, const Busy& busy, std::int64_t clock_hz) {
  report.profiler.clear();
  for (const CoreKind kind : {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified}) {
    if (busy.took_part(kind)) add_profiler(report, kind, busy.of(kind), clock_hz);
  }
}

void add_profiler(RunReport& report, CoreKind kind, const BusySum& sum, std::int64_t clock_hz) {
  const auto us = [clock_hz](double cycles) {
    return cycles * 1e6 / static_cast<double>(clock_hz);
  };
  const std::string name = busy_name(kind);
  report.profiler.emplace_back(name, us(sum.core));
  report.profiler.emplace_back(name.substr(0, name.size() - 2) + "max_us",
                               us(static_cast<double>(sum.longest_core)));
  for (const Pipe pipe : kAllPipes) {
    if (!has_pipe(kind, pipe)) continue;
    report.profiler.emplace_back(busy_name(kind, pipe),
                                 us(sum.pipes[static_cast<std::size_t>(pipe)]));
  }
}

}  // namespace dvmsim
