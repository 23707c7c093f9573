// Where values are in UB as operands: immediates, or rotating registers for buffers in copies.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/sync.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

/// Every buffer of a schedule, as synchronize() wants them.
[[nodiscard]] std::vector<UbRange> ranges_of(const VectorSchedule& schedule);

class UbAddresses {
 public:
  /// Takes a register, set here, for each buffer in copies. They turn with the innermost loop.
  UbAddresses(Builder& builder, const VectorSchedule& schedule);
  /// Of one turn: immediates.
  UbAddresses(const VectorSchedule& schedule, int turn);

  [[nodiscard]] Val of(int value) const { return operand_[static_cast<std::size_t>(value)]; }
  /// As ranges_of(), with those registers.
  [[nodiscard]] const std::vector<UbRange>& ranges() const { return ranges_; }

 private:
  std::vector<Val> operand_{};  // by value
  std::vector<UbRange> ranges_{};
};

}  // namespace dvmsim
