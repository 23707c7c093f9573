#include "cli/comparison/timed_device.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

TimedDevice::TimedDevice(const std::vector<Machine>& machines, const SimOptions& options)
    : machine_(machines.front()), simulator_(machines.front(), options) {
  for (Lines& lines : lines_) {
    for (const Machine& machine : machines) {
      for (int free = 0; free < kFree; ++free) {
        lines.push_back(std::make_unique<Line>(
            Line{&machine, static_cast<Free>(free), HostTimeline(machine, nobody_), {}}));
      }
    }
  }
}

void TimedDevice::simulate() {
  plays_ = false;
  noted_.clear();
}

void TimedDevice::play(const LaunchBodies& bodies) {
  plays_ = true;
  bodies_ = bodies;
  next_ = 0;
}

TimeSpent TimedDevice::spent(std::size_t cost, Free free) const {
  const Lines& lines = lines_[static_cast<std::size_t>(account_)];
  const Line& line = *lines[cost * kFree + static_cast<std::size_t>(free)];
  TimeSpent spent = line.spent;
  spent.host_ns = line.host.front_ns();
  return spent;
}

void TimedDevice::write(std::uint64_t address, std::span<const std::byte> data) {
  simulator_.write(address, data);
}

void TimedDevice::read(std::uint64_t address, std::span<std::byte> data) {
  simulator_.read(address, data);
}

void TimedDevice::host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                            const std::string& label) {
  for (const auto& line : lines()) {
    const bool free = (kind == HostWork::Compile && line->free >= Free::Compiling) ||
                      (kind == HostWork::Encode && line->free >= Free::Encoding);
    if (!free) line->host.work(kind, nanoseconds, thread, label);
  }
}

Ticket TimedDevice::submit(const Launch& launch) {
  LaunchReport report;
  const bool there = simulator_.holds(*launch.program);
  if (plays_) {
    DVMSIM_ASSERT(next_ < bodies_.size(), "the launches that were noted are played again");
    report.end = bodies_[next_++] + launch_head(machine_, launch);
  } else {
    report = simulator_.wait(simulator_.submit(launch));
    simulator_.forget_launches();
    noted_.push_back(report.end - report.begin - launch_head(machine_, launch));
  }
  const Cycles body = report.end - report.begin - launch_head(machine_, launch);
  for (const auto& line : lines()) {
    const Cycles head = launch_head(*line->machine, launch);
    const Cycles begin = std::max(line->host.submit(launch, there), line->host.stream_free());
    line->host.ended(begin + head + body);
    line->spent.head += head;
    line->spent.body += body;
  }
  ++launches_;
  reports_.push_back(report);
  return first_[static_cast<std::size_t>(account_)] + static_cast<Ticket>(reports_.size()) - 1;
}

LaunchReport TimedDevice::wait(Ticket ticket) {
  for (const auto& line : lines()) line->host.wait(ticket);
  const Ticket first = first_[static_cast<std::size_t>(account_)];
  return reports_[static_cast<std::size_t>(ticket - first)];
}

void TimedDevice::forget_launches() {
  Ticket& first = first_[static_cast<std::size_t>(account_)];
  first += static_cast<Ticket>(reports_.size());
  reports_.clear();
  for (const auto& line : lines()) line->host.forget_before(first);
}

}  // namespace dvmsim
