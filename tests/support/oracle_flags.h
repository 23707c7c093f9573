// Time in the oracle, and what its units tell each other: flags inside a core and between cores.
#pragma once

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <systemc>
#include <tuple>
#include <vector>

#include "vm/device/device.h"
#include "vm/isa/isa.h"
#include "vm/isa/unit_flag.h"
#include "vm/machine/machine.h"

namespace dvmsim::testing {

using isa::Command;
using isa::CrossMode;
using isa::Op;

using Time = std::int64_t;
constexpr Time kNever = std::numeric_limits<Time>::min() / 4;

inline Time now() {
  return static_cast<Time>(sc_core::sc_time_stamp().value());
}
inline void sleep_until(Time time) {
  if (time <= now()) return;
  sc_core::wait(
      sc_core::sc_time::from_value(static_cast<sc_core::sc_time::value_type>(time - now())));
}
inline void tell(sc_core::sc_event& event) {
  event.notify(sc_core::SC_ZERO_TIME);
}

/// How the processes of a run wait. Those that wait for ever are made to return at its end, without
/// an exception: address sanitizers do not follow one through the stacks of SystemC.
class Waiting {
 public:
  /// False: the run is over, and the event did not come.
  [[nodiscard]] bool until(sc_core::sc_event& event) {
    if (!over_) sc_core::wait(event | end_);
    return !over_;
  }
  [[nodiscard]] bool until(sc_core::sc_event& event, Time distance) {
    const auto ticks = static_cast<sc_core::sc_time::value_type>(distance);
    sc_core::wait(sc_core::sc_time::from_value(ticks), event | end_);
    return !over_;
  }
  [[nodiscard]] bool over() const { return over_; }
  /// Nothing moves any more.
  void end() {
    over_ = true;
    tell(end_);
  }

 private:
  sc_core::sc_event end_{};
  bool over_ = false;
};

struct Tokens {
  /// When the first piece of what a flag stands for is there, and the last.
  struct Range {
    Time first = 0, last = 0;
  };
  std::deque<Range> ranges{};
  sc_core::sc_event added{};

  void put(Time time) { put(Range{time, time}); }
  void put(Range range) {
    ranges.push_back(range);
    tell(added);
  }
  Range take_range(Waiting& waiting) {
    while (ranges.empty()) {
      if (!waiting.until(added)) return {kNever, kNever};
    }
    const Range range = ranges.front();
    ranges.pop_front();
    return range;
  }
  Time take(Waiting& waiting) { return take_range(waiting).last; }
};

/// Who told whom how often, between the cores of a team.
class Cross {
 public:
  Cross(const Machine& machine, const Team& team, Waiting& waiting)
      : machine_(machine), team_(team), waiting_(waiting) {}

  void put(CoreId from, CrossMode mode, std::int64_t id, Time time) {
    sets_[{from, mode, id}].push_back(time);
    tell(changed_);
  }
  Time take(CoreId core, CrossMode mode, std::int64_t id) {
    const std::size_t number = taken_[{core, mode, id}]++;
    while (!complete(core, mode, id, number)) {
      if (!waiting_.until(changed_)) return kNever;
    }
    Time time = kNever;
    for (const CoreId& source : sources(core, mode)) {
      time = std::max(time, sets_[{source, mode, id}][number]);
    }
    return time;
  }

 private:
  using Key = std::tuple<CoreId, CrossMode, std::int64_t>;

  [[nodiscard]] int group_of(CoreId core) const {
    return core.kind == CoreKind::Vector ? core.index / std::max(1, machine_.cores.per_group)
                                         : core.index;
  }
  [[nodiscard]] std::vector<CoreId> sources(CoreId core, CrossMode mode) const {
    const bool vector = core.kind == CoreKind::Vector;
    if (mode == CrossMode::Pair && !vector) return {};
    const CoreKind kind = mode != CrossMode::Group ? core.kind
                          : vector                 ? CoreKind::Cube
                                                   : CoreKind::Vector;
    std::vector<CoreId> found;
    const CoreRange& cores = team_.of(kind);
    for (int i = cores.first; i < cores.first + cores.count; ++i) {
      const CoreId source{kind, i};
      if (mode == CrossMode::All || group_of(source) == group_of(core)) found.push_back(source);
    }
    return found;
  }
  bool complete(CoreId core, CrossMode mode, std::int64_t id, std::size_t number) {
    const std::vector<CoreId> from = sources(core, mode);
    return !from.empty() && std::all_of(from.begin(), from.end(), [&](const CoreId& source) {
      return sets_[{source, mode, id}].size() > number;
    });
  }

  const Machine& machine_;
  const Team team_;
  Waiting& waiting_;
  std::map<Key, std::vector<Time>> sets_{};
  std::map<Key, std::size_t> taken_{};
  sc_core::sc_event changed_{};
};

/// The end of a task: when the last of its cores has told.
struct TaskEnd {
  std::size_t cores = 0;
  std::vector<Time> told{};
  sc_core::sc_event changed{};

  void put(Time time) {
    told.push_back(time);
    tell(changed);
  }
  Time when(Waiting& waiting) {
    while (told.size() < cores) {
      if (!waiting.until(changed)) return kNever;
    }
    return *std::max_element(told.begin(), told.end());
  }
};

/// What the cores of a launch share: flags by task (without any: one), and the ends of tasks.
struct Board {
  Board(const Machine& machine, const Launch& launch, Waiting& waiting) {
    const std::vector<Task>& tasks = launch.program->tasks;
    for (const Task& task : tasks) {
      flags.push_back(std::make_unique<Cross>(machine, task.team, waiting));
      ends.push_back(std::make_unique<TaskEnd>());
      ends.back()->cores = static_cast<std::size_t>(task.team.cores());
    }
    if (tasks.empty()) {
      flags.push_back(std::make_unique<Cross>(machine, whole_team(launch), waiting));
    }
  }
  std::vector<std::unique_ptr<Cross>> flags{};
  std::vector<std::unique_ptr<TaskEnd>> ends{};
};

}  // namespace dvmsim::testing
