// One launch on the reference device: cores as sets of asynchronous queues, and who moves next.
// Used by reference.cpp only.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "vm/device/atomics.h"
#include "vm/device/cross.h"
#include "vm/device/order.h"
#include "vm/exec/memory.h"
#include "vm/firmware/firmware.h"

namespace dvmsim {

class Interleaving {
 public:
  Interleaving(const Machine& machine, const Launch& launch, GlobalMemory& global,
               std::uint64_t seed, OrderListener* order);

  /// Before run(), in order: cube (or unified) cores, then vector cores.
  void add_core(CoreId id, CoreMemory& memory);
  [[nodiscard]] LaunchReport run();

 private:
  struct Entry {
    isa::Command command{};
    std::uint64_t order = 0;
  };
  /// An in-order queue of commands; the first may be running.
  struct Queue {
    std::deque<Entry> entries{};
    bool running = false;
    bool done_early = false;  // the running command's work has been done
    std::size_t depth = 1;
  };
  struct Core {
    CoreId id{};
    int number = 0;
    CoreMemory* memory = nullptr;
    std::vector<std::uint32_t> tasks{};  // those it takes part in
    std::size_t task = 0;                // of them
    std::size_t team = 0;                // whose flags it counts
    int member = 0;                      // its number there
    std::optional<Firmware> firmware{};  // none: its task has not begun
    std::array<Queue, kPipes> queues{};
    std::array<std::uint32_t, kPipes * kPipes * isa::kFlagIds> flags{};  // [from][to][id]
    Step::Kind waiting = Step::Kind::Halt;  // what the scalar unit could not finish, if `held`
    bool held = false, halted = false;
    isa::Command command{};  // of the scalar unit
    std::uint64_t issued = 0;
  };

  bool run_in_order();
  bool run_in_disorder();
  /// Lets one unit (a queue, or the scalar unit as Pipe::Scalar) move; false if it cannot.
  bool move(Core& core, Pipe pipe);
  bool move_scalar(Core& core);
  bool begin_task(Core& core);
  void end_program(Core& core);
  bool finish_step(Core& core);
  bool issue(Core& core);
  bool act_on_scalar(Core& core);
  bool move_queue(Core& core, Pipe pipe);
  void start(Core& core, Queue& queue);
  void finish(Core& core, Queue& queue);
  void perform(Core& core, const Entry& entry);

  [[nodiscard]] bool may_start(const Core& core, const isa::Command& command) const;
  void take_flags(Core& core, const isa::Command& command);
  void set_flags(Core& core, const isa::Command& command);
  [[nodiscard]] static std::size_t flag(Pipe from, Pipe to, int id) {
    return static_cast<std::size_t>(
        (static_cast<int>(from) * kPipes + static_cast<int>(to)) * isa::kFlagIds + id);
  }

  [[nodiscard]] static bool is_drained(const Core& core);
  [[nodiscard]] bool over() const;
  void fail(const Core& core, Fault fault, std::uint32_t pc);
  [[nodiscard]] Fault deadlock() const;
  [[nodiscard]] CoreId member(std::size_t team, int number) const;
  [[nodiscard]] std::string reason(const Core& core, const isa::Command& command) const;
  [[nodiscard]] std::string scalar_reason(const Core& core) const;
  std::uint64_t random();

  const Machine& machine_;
  const Launch& launch_;
  GlobalMemory& global_;
  std::uint64_t seed_, state_;
  OrderListener* order_;
  std::vector<CrossFlags> cross_{};  // by task; of a launch without any: one
  std::vector<int> missing_{};       // by task: cores that have not ended it
  Atomics atomics_{};
  std::vector<Core> cores_{};
  LaunchReport report_{};
};

}  // namespace dvmsim
