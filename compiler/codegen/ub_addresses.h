// Where values are in UB as operands: immediates, or rotating registers for buffers in copies.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <span>
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
  [[nodiscard]] std::span<const UbRange> ranges() const { return {ranges_.data(), ranges_.size()}; }

 private:
  boost::container::small_vector<Val, 24> operand_{};  // by value
  boost::container::small_vector<UbRange, 24> ranges_{};
};

}  // namespace dvmsim
