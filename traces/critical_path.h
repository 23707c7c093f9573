// The critical path of a run: the longest chain of work and waits from the first dispatch to the
// last end, cycle by cycle, and what a faster resource would gain. Owns the judgement; the chains
// come from Replay.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "traces/replay.h"
#include "traces/roofline.h"

namespace dvmsim {

/// A piece of the path. `place`: of Replay, 0 if it has no name.
struct PathPiece {
  Cycles begin{}, end{};
  UnitId unit{};
  Cause cause{};
  std::uint32_t place = 0;
};
/// From the end of the run back to its first dispatch; pieces touch. Not if Stretches are full.
void walk_back(const Replay& replay, const Machine& machine,
               const std::function<void(const PathPiece&)>& visit);

/// "work", "wait-memory", "latency", "flag", "cross-core-flag", "program-fetch", "launch", "host",
/// "other".
[[nodiscard]] std::string_view name_of(Cause cause);
/// The two as one: "cube.mte2", "cube.mte2 latency", "flag", "launch", ...
[[nodiscard]] std::string label_of(const UnitId& unit, Cause cause);

/// The path as it is drawn: pieces of one label and place that touch are one.
struct PathSlice {
  Cycles begin{}, end{};
  std::string label{}, operation{}, instruction{};
};
/// Front to back; none if there is no path.
[[nodiscard]] std::vector<PathSlice> path_slices(const Replay& replay, const Machine& machine);

struct CriticalPath {
  std::string missing{};  // why there is none; empty if there is
  std::int64_t cycles = 0;

  /// Their cycles sum to those of the run. Most first.
  struct Part {
    UnitId unit{};
    Cause cause{};
    std::int64_t cycles = 0;
  };
  std::vector<Part> parts{};

  /// Work and waits for memory, by what was worked on. Most first; the first kTop.
  struct Contributor {
    std::string operation{}, instruction{};  // instruction: empty for the firmware
    UnitId unit{};
    std::int64_t cycles = 0, commands = 0;
  };
  static constexpr std::size_t kTop = 10;
  std::vector<Contributor> top{};

  /// A resource `faster` times as fast, everything else as it is: the run would take `cycles`.
  struct Slack {
    std::string resource{};
    double cycles = 0;
    double gain = 0;  // how much faster the run is: 0.06 of 6 %
  };
  double faster = 1;
  std::vector<Slack> slack{};  // in the order scalar, mte1, mte2, mte3, cube, vector, fix, memory
};

/// After the last launch.
[[nodiscard]] CriticalPath critical_path(const Replay& replay, const Machine& machine,
                                         const MemoryFloors& floors);

}  // namespace dvmsim
