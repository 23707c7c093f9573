// The bytecode interpreter of one core: the firmware the paper runs on the NPU, instruction by
// instruction, with its scalar cycles. The reference device and the simulator run this same class.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "vm/base/strong.h"
#include "vm/device/device.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class DecodeCache;
class MatmulMacro;

/// What the firmware reached. `scalar` is what it cost since the previous step, split for the
/// report.
struct Step {
  enum class Kind : std::uint8_t {
    Command,  // `command` goes to the queue command->pipe
    Read,     // ldgm / ldub: perform `command` (pipe Scalar) at this point, then call supply()
    Drain,    // scalar waits until pipe command->operand[0] has made everything visible
    Halt,
    Fault,
  };
  Kind kind = Kind::Halt;
  Cycles scalar{};                        // firmware cycles spent (decode, dispatch, arithmetic)
  int instructions = 0;                   // bytecode instructions interpreted
  const isa::Command* command = nullptr;  // owned by the firmware, valid until the next step
  /// Of a Read: what a run without values may take it to be. None: it has to know.
  std::optional<std::int64_t> assumed{};
};

/// Does the step reach beyond its core: memory, another core, the end? What comes before the first
/// such step of a task needs nothing that another task makes, and may run before those are over.
[[nodiscard]] bool leaves_core(const Step& step);

class Firmware {
 public:
  /// Runs the core kind's part of the launch's program, or of one of its tasks; machine, launch and
  /// program outlive the firmware. Native: the same commands at the scalar cost of compiled code.
  /// `cache`: the core's, which outlives it too; null: one of its own.
  Firmware(const Machine& machine, const Launch& launch, CoreId core, CodePath path,
           const Task* task = nullptr, DecodeCache* cache = nullptr);
  ~Firmware();
  Firmware(Firmware&&) noexcept;

  /// Runs until something outside the scalar unit is needed. Never blocks; flags are the queues'
  /// business.
  Step step();
  /// The value of the pending Read.
  void supply(std::int64_t value);
  /// After Step::Kind::Fault.
  [[nodiscard]] const Fault& fault() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dvmsim
