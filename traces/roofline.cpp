#include "traces/roofline.h"

#include <algorithm>
#include <cmath>

#include "traces/units.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

constexpr std::array kOrder = {Pipe::Cube, Pipe::Vector, Pipe::MTE2,  Pipe::MTE3,
                               Pipe::MTE1, Pipe::Fix,    Pipe::Scalar};
constexpr std::array kKinds = {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified};
constexpr std::string_view kHbm = "hbm", kL2 = "l2";

std::int64_t whole(double cycles) {
  return static_cast<std::int64_t>(std::ceil(cycles - 1e-6));
}

double share_of(std::int64_t cycles, std::int64_t total) {
  return total == 0 ? 0 : static_cast<double>(cycles) / static_cast<double>(total);
}

int cores_of(const Capacity& capacity, CoreKind kind) {
  return std::max(1, capacity.cores[static_cast<std::size_t>(kind)]);
}

/// Whether the pipe is held for this reason: it works, or its command waits.
bool is_busy(Reason reason) {
  return reason == Reason::Work || reason == Reason::WaitMemory || reason == Reason::WaitBank;
}

/// Cycles by reason of a pipe, over the cores of a kind.
using Reasons = std::array<std::int64_t, kReasons>;
Reasons reasons_of(const std::vector<RowSum>& rows, CoreKind kind, Pipe pipe) {
  Reasons sum{};
  for (const RowSum& row : rows) {
    if (row.row.core.kind != kind || row.row.pipe != pipe) continue;
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row.cycles[i];
  }
  return sum;
}

std::int64_t busy_of(const Reasons& reasons) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (is_busy(static_cast<Reason>(i))) sum += reasons[i];
  }
  return sum;
}

class Judge {
 public:
  Judge(const Stats& stats, const Demands& demands, const Capacity& capacity)
      : stats_(stats), demands_(demands), capacity_(capacity), rows_(stats.rows()) {}

  Roofline verdict() {
    for (Pipe pipe : kOrder) {
      for (CoreKind kind : kKinds) add_pipe(kind, pipe);
      if (pipe != Pipe::Scalar) add_demand(pipe);
    }
    add_memory();
    find_bound();
    find_cause();
    note_gaps();
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::int64_t total() const { return stats_.cycles().count(); }

  /// As before spans had ceilings: work of the slower side.
  void add_demand(Pipe pipe) {
    std::int64_t slowest = 0;
    for (CoreKind kind : kKinds) {
      slowest = std::max(slowest, ceil_div(stats_.work(kind, pipe), cores_of(capacity_, kind)));
    }
    add_demand(name_of(pipe), slowest);
  }
  void add_demand(std::string_view name, std::int64_t cycles) {
    if (cycles == 0) return;
    result_.per_pipe.push_back({std::string(name), cycles, share_of(cycles, total())});
  }

  void add_pipe(CoreKind kind, Pipe pipe) {
    const std::int64_t busy = busy_of(reasons_of(rows_, kind, pipe));
    const double demand = demands_.cycles(kind, pipe);
    if (busy == 0 && demand == 0) return;
    const int cores = cores_of(capacity_, kind);
    const bool computes = pipe == Pipe::Cube || pipe == Pipe::Vector || pipe == Pipe::Scalar;
    Component component;
    component.name = name_of(UnitId{kind, pipe});
    component.side = computes ? Side::Compute : Side::Memory;
    component.ceiling_cycles = whole(demand / cores);
    component.busy_cycles = ceil_div(busy, cores);
    add(std::move(component));
    units_.push_back({kind, pipe});
  }

  void add(Component component) {
    component.reached = std::min(1.0, share_of(component.ceiling_cycles, total()));
    component.busy = std::min(1.0, share_of(component.busy_cycles, total()));
    result_.components.push_back(std::move(component));
  }

  /// Posted writes may still be on their way to HBM when a run is over, so its time is cut at that.
  void add_memory() {
    const auto bytes = [&](Place place) {
      return static_cast<double>(stats_.bytes(place).count());
    };
    const auto add_shared = [&](std::string_view name, double read_bytes, double rate) {
      if (rate <= 0 || read_bytes <= 0) return;
      const std::int64_t cycles = std::min(total(), whole(read_bytes / rate));
      add_demand(name, cycles);
      add({std::string(name), Side::Memory, cycles, cycles});
    };
    add_shared(kHbm, bytes(Place::HbmRead) + capacity_.hbm_write_cost * bytes(Place::HbmWrite),
               capacity_.hbm_bytes_per_cycle);
    const auto written = static_cast<double>(demands_.written());
    const double moved = bytes(Place::L2Hit) + bytes(Place::L2Miss);
    add_shared(kL2, moved + (capacity_.l2_write_cost - 1) * std::min(moved, written),
               capacity_.l2_bytes_per_cycle);
  }

  void find_bound() {
    for (const Component& component : result_.components) {
      if (component.ceiling_cycles <= result_.ideal_cycles) continue;
      result_.bound = component.name;
      result_.ideal_cycles = component.ceiling_cycles;
      result_.fraction = component.reached;
      result_.cause = component.side;
    }
  }

  void find_cause() {
    if (result_.components.empty() || total() == 0) return;
    if (result_.fraction >= kBound) {
      result_.verdict = result_.cause == Side::Compute ? Verdict::Compute : Verdict::Memory;
      result_.limiter = result_.bound;
    }
    if (units_.empty()) return;
    std::size_t busiest = 0;
    for (std::size_t i = 1; i < units_.size(); ++i) {
      if (result_.components[i].busy_cycles > result_.components[busiest].busy_cycles) busiest = i;
    }
    note_waits(units_[busiest]);
    if (result_.verdict != Verdict::None) return;
    const Component& pipe = result_.components[busiest];
    result_.verdict = pipe.busy >= kBound ? Verdict::LowEfficiency : Verdict::Latency;
    result_.limiter = pipe.name;
    result_.cause = pipe.side;
  }

  /// Without launches told of, nothing is known about gaps.
  void note_gaps() {
    if (stats_.launches().empty()) return;
    std::int64_t gaps = total();
    for (const LaunchSum& launch : stats_.launches()) {
      const Cycles begin = std::max(launch.begin, stats_.first_dispatch());
      gaps -= std::max(Cycles(0), std::min(launch.end, stats_.end()) - begin).count();
    }
    result_.between_launches = share_of(std::max<std::int64_t>(0, gaps), total());
  }

  void note_waits(const UnitId& unit) {
    const Reasons reasons = reasons_of(rows_, unit.kind, unit.pipe);
    const std::int64_t all = total() * cores_of(capacity_, unit.kind);
    std::int64_t idle = all;  // cores that no row tells of were idle
    for (std::int64_t cycles : reasons) idle -= cycles;
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const auto reason = static_cast<Reason>(i);
      if (is_busy(reason)) continue;
      const std::int64_t cycles =
          reasons[i] + (reason == Reason::Idle ? std::max<std::int64_t>(0, idle) : 0);
      if (cycles > 0) result_.waits.emplace_back(reason, share_of(cycles, all));
    }
    std::stable_sort(result_.waits.begin(), result_.waits.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
  }

  const Stats& stats_;
  const Demands& demands_;
  const Capacity& capacity_;
  std::vector<RowSum> rows_;
  std::vector<UnitId> units_{};  // of the first components
  Roofline result_{};
};

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::string_view kNames[] = {"", "compute bound", "memory bound", "latency bound",
                                         "low efficiency"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Roofline roofline(const Stats& stats, const Demands& demands, const Capacity& capacity) {
  return Judge(stats, demands, capacity).verdict();
}

MemoryFloors floors_of(const Roofline& roofline) {
  MemoryFloors floors;
  for (const Component& component : roofline.components) {
    if (component.name == kHbm) floors.hbm = component.ceiling_cycles;
    if (component.name == kL2) floors.l2 = component.ceiling_cycles;
  }
  return floors;
}

}  // namespace dvmsim
