// What the meaning of one command works with: its operands, bounds-checked storage, and the fault
// it may end in. Owns the checks and the texts of faults; the meanings are one file per unit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

#include "vm/exec/memory.h"
#include "vm/isa/isa.h"
#include "vm/observe/fault.h"

namespace dvmsim::exec {

/// Half-open byte range an operand touches, relative to its address. Wide: no operand overflows it.
struct Extent {
  __int128 low = 0, high = 0;

  /// From one run of `length` bytes, `count` of it `stride` apart; chained for more dimensions.
  static constexpr Extent run(std::int64_t length) { return {0, length}; }
  [[nodiscard]] constexpr Extent times(std::int64_t count, std::int64_t stride) const {
    if (count <= 0) return {};
    const __int128 reach = static_cast<__int128>(count - 1) * stride;
    return reach < 0 ? Extent{low + reach, high} : Extent{low, high + reach};
  }
};

struct Frame {
  const isa::Command& command;
  CoreMemory& core;
  GlobalMemory& global;
  Fault fault{};

  [[nodiscard]] std::int64_t at(int operand) const { return command.at(operand); }
  [[nodiscard]] DType dtype(int operand = 0) const { return command.dtype(operand); }
  template <class Enum>
  [[nodiscard]] Enum pick(int operand) const {
    return static_cast<Enum>(command.at(operand));
  }

  /// Is there anything to do: all counts positive? One outside 0..2^31 is a fault.
  [[nodiscard]] bool any(std::initializer_list<int> counts);
  /// Storage at an operand's address; everything in `extent` around it may be touched. nullptr and
  /// a fault if that leaves its memory.
  [[nodiscard]] std::byte* storage(Space space, int operand, Extent extent);
  /// The same for `rows` runs of `length` bytes, and nullptr and a fault also if the address or the
  /// stride is no multiple of `size`.
  [[nodiscard]] std::byte* rows(Space space, int operand, std::int64_t length, std::int64_t rows,
                                std::int64_t stride, int size = 1);
  /// The command breaks a rule of its row.
  void refuse(const char* rule);
};

}  // namespace dvmsim::exec
