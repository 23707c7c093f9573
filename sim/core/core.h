// One core as plain C++: its scalar unit, its queues and its ports. It runs ahead of the rest of
// the machine as far as anything is known, and stops at what only somebody else can tell: an answer
// of the memory system or a flag of another core. No SystemC here, and no global time.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "sim/core/fabric.h"
#include "sim/unit/dma.h"
#include "sim/unit/scalar.h"
#include "vm/isa/cost.h"

namespace dvmsim {

class Core {
 public:
  /// `number`: among all cores, cube cores first. Everything given outlives the core.
  Core(const CostModel& costs, const PortTable& ports, CoreId id, int number, const Probes& probes,
       MemoryPort& memory, Teams& teams);
  Core(const Core&) = delete;

  /// Takes part in a launch; call advance() afterwards.
  void begin(const CoreLaunch& launch);
  /// Moves everything that can move.
  void advance();
  /// The memory system has answered the request of a queue; call advance() afterwards.
  void answer(Pipe queue, const Answer& answer);
  /// A token of another core has come; call advance() afterwards.
  void wake() { fabric_.cross_arrived(); }

  /// The program has halted and every queue is empty.
  [[nodiscard]] bool finished() const;
  /// Closes the rows of a finished core. Its report is complete afterwards.
  const CoreReport& finish();
  /// One line for each unit that cannot move: command and what it waits for.
  [[nodiscard]] std::string blocked();
  /// Word offset of the first of those commands.
  [[nodiscard]] std::uint32_t blocked_at() const;
  [[nodiscard]] CoreId id() const { return fabric_.id; }

 private:
  void run_queue(Pipe pipe);
  /// Builds the front command's start; false if a flag it waits for is not there.
  bool start(Pipe pipe);
  void compute(Pipe pipe);
  void transfer(Pipe pipe);
  bool post_next_chunk(Pipe pipe);
  void complete(Pipe pipe, Cycles hold, const Stamps& stamps);
  [[nodiscard]] Dma& dma(Pipe pipe);
  void mean(const QueuedCommand& queued, Cycles start);

  const CostModel& costs_;
  const PortTable& ports_;
  Fabric fabric_;
  Scalar scalar_;
  std::array<std::optional<Dma>, 3> dmas_{};  // MTE2, MTE3, Fix
  std::array<bool, kPipes> transferring_{};   // the front command is in the memory system
};

}  // namespace dvmsim
