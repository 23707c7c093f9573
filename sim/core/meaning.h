// What commands do while they are simulated: the functional state of a launch, and who performs the
// commands. Nothing here knows time; `start` only dates faults.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "sim/core/ports.h"
#include "vm/device/atomics.h"
#include "vm/exec/memory.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Memories of all cores and the order of updates: everything commands change. Commands that touch
/// global memory exclude one another, so cores may be performed by different threads.
class FunctionalState {
 public:
  FunctionalState(const Machine& machine, GlobalMemory& global);

  /// A launch on these cores begins: their buffers are poisoned.
  void begin(const std::vector<CoreId>& cores, int cubes_of_machine);
  /// And ends: updates kept back are applied. The fault that came first, if any.
  DatedFault finish();

  /// A core begins another task: its buffers are poisoned.
  void renew(int core) { cores_[static_cast<std::size_t>(core)].memory->poison(); }
  void perform(int core, const isa::Command& command, std::uint64_t issued, Cycles start);
  Fault read(int core, const isa::Command& command, std::int64_t& value);

 private:
  struct CoreState {
    CoreId id{};
    std::unique_ptr<CoreMemory> memory{};
  };
  void remember(int core, const isa::Command& command, Cycles start, Fault fault);

  const Machine& machine_;
  GlobalMemory& global_;
  std::vector<CoreState> cores_{};  // by number
  Atomics atomics_{};
  std::mutex global_turn_{}, fault_turn_{};
  std::vector<bool> touches_global_;  // by opcode
  std::vector<DatedFault> faults_{};
};

/// Performs each command on the spot.
class InlineMeaning : public Meaning {
 public:
  explicit InlineMeaning(FunctionalState& state) : state_(state) {}
  void execute(int core, const isa::Command& command, std::uint64_t issued, Cycles start) override {
    state_.perform(core, command, issued, start);
  }
  Fault read(int core, const isa::Command& command, std::int64_t& value) override {
    return state_.read(core, command, value);
  }
  void renew(int core) override { state_.renew(core); }
  void synchronize() override {}

 private:
  FunctionalState& state_;
};

}  // namespace dvmsim
