// What a command costs on an idle machine: the uncontended truth, from the tables of the machine.
// The simulator uses it, and the compiler's estimate sums it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vm/base/strong.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// A pipe starting the command at s, with h = head if the pipe was drained at s (nothing in flight:
/// s >= the visible time of everything before it, and s > the end of its hold) and 0 otherwise, is held until
/// s + h + busy; the result is visible at s + h + busy + tail. For commands that move data to or
/// from GM, busy is the port's hold if memory answers at full rate and tail the uncontended latency;
/// their contended times come from the memory system.
struct Cost {
  Cycles head{}, busy{}, tail{};
};

/// What the machine's tables say, resolved once: rates per opcode and type, no look-up by name later.
class CostModel {
 public:
  explicit CostModel(const Machine& machine);
  [[nodiscard]] Cost of(const isa::Command& command) const;
  [[nodiscard]] const Machine& machine() const { return *machine_; }

 private:
  const Machine* machine_;
};

}  // namespace dvmsim
