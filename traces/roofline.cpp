#include "traces/roofline.h"

#include <algorithm>
#include <cmath>

namespace dvmsim {
namespace {

constexpr std::array kOrder = {Pipe::Cube, Pipe::Vector, Pipe::MTE2,
                               Pipe::MTE3, Pipe::MTE1,   Pipe::Fix};
constexpr std::array kKinds = {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified};

std::int64_t divide_up(std::int64_t amount, std::int64_t by) {
  return (amount + by - 1) / by;
}

std::int64_t cycles_for(double bytes, double bytes_per_cycle) {
  if (bytes_per_cycle <= 0) return 0;
  return static_cast<std::int64_t>(std::ceil(bytes / bytes_per_cycle));
}

/// A pipe that both kinds of core have (mte2) is two resources: the slower side bounds.
std::int64_t pipe_cycles(const Stats& stats, const Capacity& capacity, Pipe pipe) {
  std::int64_t slowest = 0;
  for (CoreKind kind : kKinds) {
    const int cores = std::max(1, capacity.cores[static_cast<std::size_t>(kind)]);
    slowest = std::max(slowest, divide_up(stats.work(kind, pipe), cores));
  }
  return slowest;
}

}  // namespace

Roofline roofline(const Stats& stats, const Capacity& capacity) {
  Roofline result;
  const std::int64_t total = stats.cycles().count();
  const auto add = [&](std::string_view name, std::int64_t cycles) {
    if (cycles == 0) return;
    const double busy = total == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(total);
    result.per_pipe.push_back({std::string(name), cycles, busy});
  };
  for (Pipe pipe : kOrder) add(name_of(pipe), pipe_cycles(stats, capacity, pipe));
  const auto bytes = [&](Place place) { return static_cast<double>(stats.bytes(place).count()); };
  add("hbm", cycles_for(bytes(Place::HbmRead) + capacity.hbm_write_cost * bytes(Place::HbmWrite),
                        capacity.hbm_bytes_per_cycle));
  add("l2", cycles_for(bytes(Place::L2Hit) + bytes(Place::L2Miss), capacity.l2_bytes_per_cycle));
  for (const Demand& demand : result.per_pipe) {
    if (demand.cycles <= result.ideal_cycles) continue;
    result.bound = demand.resource;
    result.ideal_cycles = demand.cycles;
    result.fraction = std::min(1.0, demand.busy);
  }
  return result;
}

}  // namespace dvmsim
