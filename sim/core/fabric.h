// What the units of one core share: its queues, flags and rows, and the ways out of it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "sim/core/host_contents.h"
#include "sim/core/ports.h"
#include "sim/core/queue.h"
#include "sim/core/row.h"
#include "sim/core/teams.h"
#include "sim/core/tokens.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// One core's part in a launch.
struct CoreLaunch {
  const Launch* launch = nullptr;
  std::vector<std::uint32_t> tasks{};      // those it takes part in, of a program that has any
  Cycles start{};                          // its scalar unit begins
  std::uint64_t code_address = 0;          // of its kind's code in GM
  bool free_firmware = false;              // decoding costs nothing
  Meaning* meaning = nullptr;              // null: timing mode
  const HostContents* contents = nullptr;  // in timing mode
};

/// What the core did, for the launch's report.
struct CoreReport {
  Cycles first_dispatch{}, end{}, decode{};
  std::int64_t instructions = 0, commands = 0;
  std::int64_t assumed = 0;  // reads
  DatedFault fault{};
};

/// When the flags of a command are set: to pipes that reach GM when everything so far is visible,
/// to others when what it read on the core may be overwritten. With the unit bit, those to the
/// other side of L0C by the tile.
struct Stamps {
  Cycles visible{}, released{};
  isa::Handover tile{};
};

class Fabric {
 public:
  Fabric(const Machine& machine, CoreId id, int number, const Probes& probes, MemoryPort& memory,
         Teams& teams);

  void begin(const CoreLaunch& launch);
  /// Every queue is empty, and the core goes on with this task, at that place of the table.
  void join(std::uint32_t place, const Task& task);
  /// The scalar unit stops here.
  void fail(Fault fault) { report.fault = {row(Pipe::Scalar).end(), number, std::move(fault)}; }

  [[nodiscard]] CommandQueue& queue(Pipe pipe) { return queues_[static_cast<std::size_t>(pipe)]; }
  [[nodiscard]] const CommandQueue& queue(Pipe pipe) const {
    return queues_[static_cast<std::size_t>(pipe)];
  }
  [[nodiscard]] Row& row(Pipe pipe) { return rows_[static_cast<std::size_t>(pipe)]; }

  // -- flags: `pipe` waits for or sets what the command says --------------------------------------
  [[nodiscard]] bool tokens_present(const isa::Command& command, Pipe pipe);
  /// Takes the tokens; the row of `pipe` waits for them. `busy`: of a command with the unit bit.
  void take_tokens(const isa::Command& command, Pipe pipe, Cycles busy = Cycles(0));
  void set_tokens(const isa::Command& command, Pipe pipe, const Stamps& stamps);
  /// "flag mte2->vector 3", of the first token that is missing.
  [[nodiscard]] std::string missing_token(const isa::Command& command, Pipe pipe);

  /// The scalar unit is done with the command now.
  void tell_issue(const isa::Command& command);
  /// The scalar unit has learned that the task is over.
  void tell_over(std::uint32_t task);
  void tell_task(TaskMark::What what, std::uint32_t place, const Task& task);

  // -- whose turn it is ---------------------------------------------------------------------------
  void make_ready(Pipe pipe) { ready_ |= bit(pipe); }
  /// The next pipe that may be able to move, or false.
  bool next_ready(Pipe& pipe);
  /// `pipe` cannot go on without a token of another core.
  void await_cross(Pipe pipe) { awaiting_cross_ |= bit(pipe); }
  void cross_arrived();

  const Machine& machine;
  const CoreId id;
  const int number;  // in the order of the memory system
  MemoryPort& memory;
  Teams& teams;
  Meaning* meaning = nullptr;
  const HostContents* contents = nullptr;
  CoreReport report{};
  Cycles joined = kNever;     // its team
  Cycles fetched = kNever;    // the program is there
  Cycles unblocked = kNever;  // the scalar unit last stopped waiting

 private:
  static unsigned bit(Pipe pipe) { return 1u << static_cast<unsigned>(pipe); }
  void tell(const FlagEdge& edge);

  const Probes& probes_;
  CrossBoard* cross_ = nullptr;  // of the team
  std::vector<CommandQueue> queues_{};
  std::vector<Row> rows_{};
  FlagBoard flags_{};
  unsigned ready_ = 0, awaiting_cross_ = 0;
};

}  // namespace dvmsim
