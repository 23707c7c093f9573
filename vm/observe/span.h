// What a device says while it runs: "this row, from cycle a to b, for this reason". Everything that
// counts, draws or checks is a listener (Probe); a device keeps no statistics.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vm/base/strong.h"
#include "vm/isa/isa.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// Why a pipe spent a cycle. In this order, so that a maximum of times splits uniquely: each
/// candidate time that exceeds the running maximum claims the difference.
enum class Reason : std::uint8_t {
  Idle,               // outside the launch, or nothing left for this pipe
  EmptyDecode,        // queue empty while the firmware decodes
  EmptyFetch,         // queue empty while the program is fetched
  EmptyIssueBlocked,  // queue empty while the firmware waits (full queue of another pipe, scalar
                      // wait)
  WaitDependency,     // drain: earlier work of the own pipe is not visible yet
  WaitFlag,
  WaitCrossCore,
  WaitBarrier,
  WaitBank,
  WaitMemory,  // the port waits for memory
  WaitResult,  // scalar: waits for a value or for a pipe to drain
  QueueFull,   // scalar: the target queue is full
  Work,
};
inline constexpr int kReasons = 13;

[[nodiscard]] constexpr std::string_view name_of(Reason reason) {
  constexpr std::string_view kNames[kReasons] = {"idle",
                                                 "empty-decode",
                                                 "empty-program-fetch",
                                                 "empty-issue-blocked",
                                                 "wait-dependency",
                                                 "wait-flag",
                                                 "wait-cross-core",
                                                 "wait-barrier",
                                                 "wait-bank",
                                                 "wait-memory",
                                                 "wait-result",
                                                 "queue-full",
                                                 "work"};
  return kNames[static_cast<int>(reason)];
}

/// One queue of one core.
struct RowId {
  CoreId core{};
  Pipe pipe = Pipe::Scalar;
  friend auto operator<=>(const RowId&, const RowId&) = default;
};

/// An interval of one row. Spans of a row come in order, touch, and never overlap.
/// Only Work spans of queues carry a command; it is valid during the call.
struct Span {
  RowId row{};
  Cycles begin{}, end{};
  Reason reason = Reason::Idle;
  const isa::Command* command = nullptr;
  Cycles visible{};   // Work: when its result can be used (latency = visible - begin)
  Cycles hold{};      // Work of a queue: when it is free; after `end` if memory was slower
  Cycles released{};  // Work of a queue: when what it read on the core may be overwritten
};

/// The scalar unit is done with a command at that cycle: it is in the queue of its pipe or, if that
/// is Scalar, performed (flags, reads, drains). The command is valid during the call.
struct Issue {
  CoreId core{};
  const isa::Command* command = nullptr;
  Cycles at{};
};

/// A launch, a tile loop's iteration, or an interval of the host: what the rows are nested in.
struct LaunchMark {
  int launch = 0;            // running number
  std::string_view label{};  // the graph operator(s)
  Cycles submitted{}, begin{}, end{};
  Cycles awaited{};  // end of the last launch whose end held the host up before; 0: none
};
enum class HostThread : std::uint8_t { Front, Queue };
enum class HostWork : std::uint8_t { Capture, Compile, Encode, Relocate, Copy, Launch, Evaluate };
[[nodiscard]] constexpr std::string_view name_of(HostWork work) {
  constexpr std::string_view kNames[] = {"capture", "compile", "encode",  "relocate",
                                         "copy",    "launch",  "evaluate"};
  return kNames[static_cast<int>(work)];
}
struct HostSpan {
  HostThread thread{};
  HostWork work{};
  std::string_view label{};
  std::int64_t begin_ns = 0, end_ns = 0;
};

/// Bytes that crossed a place in the memory system during [begin, end).
enum class Place : std::uint8_t { HbmRead, HbmWrite, L2Hit, L2Miss };
struct Traffic {
  Place place{};
  Bytes bytes{};
  Cycles begin{}, end{};
  int core = 0;  // who asked: cube (or unified) cores first, then vector cores
};

/// A flag token: set by one row, consumed by another (or the same core's scalar).
struct FlagEdge {
  RowId from{}, to{};
  std::uint8_t id = 0;
  Cycles set{}, taken{};
};

class Program;
struct Task;

/// Of a core in a task of the launch: it turns to it, all before it is known to be over, and all
/// the core's work in it is visible. A core's spans and commands in between belong to the task.
struct TaskMark {
  enum class What : std::uint8_t { Begin, Ready, End };
  What what = What::Begin;
  CoreId core{};
  std::uint32_t number = 0;  // in the table
  const Task* task = nullptr;
  Cycles at{};
};

/// A listener. Every function has an empty default; order is guaranteed per row only.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual void on_launch_begin(const LaunchMark&, const Program&) {}
  virtual void on_launch_end(const LaunchMark&) {}
  virtual void on_span(const Span&) {}
  virtual void on_host(const HostSpan&) {}
  virtual void on_traffic(const Traffic&) {}
  virtual void on_flag(const FlagEdge&) {}
  virtual void on_issue(const Issue&) {}
  virtual void on_task(const TaskMark&) {}
};

/// Listeners in order; empty costs one branch.
using Probes = std::vector<Probe*>;

}  // namespace dvmsim
