// What a command costs on an idle machine: the uncontended truth, from the tables of the machine.
// The simulator uses it, and the compiler's estimate sums it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "vm/base/strong.h"
#include "vm/isa/isa.h"
#include "vm/isa/transfer_cost.h"
#include "vm/isa/vector_cost.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// What the machine's tables say, resolved once: rates per opcode and type, no look-up by name
/// later.
class CostModel {
 public:
  explicit CostModel(const Machine& machine);
  [[nodiscard]] Cost of(const isa::Command& command) const;
  [[nodiscard]] const Machine& machine() const { return *machine_; }

 private:
  [[nodiscard]] Cost split(const isa::Command& command) const;
  [[nodiscard]] Cost windows(const isa::Command& command) const;
  [[nodiscard]] Cost retain(const isa::Command& command) const;
  [[nodiscard]] Cost multiply(const isa::Command& command) const;

  const Machine* machine_;
  isa::VectorCost vector_;
  isa::TransferCost transfer_;
};

}  // namespace dvmsim
