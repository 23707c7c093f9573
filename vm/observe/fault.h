// What can go wrong inside the simulated machine. A fault is a result, never an exception.
#pragma once

#include <cstdint>
#include <string>

#include "vm/base/space.h"

namespace dvmsim {

struct CoreId {
  CoreKind kind = CoreKind::Cube;
  int index = 0;  // among the machine's cores of this kind
  friend auto operator<=>(const CoreId&, const CoreId&) = default;
};

enum class FaultKind : std::uint8_t {
  None,
  BadInstruction,  // undecodable word, or an operand outside its row's rules
  OutOfBounds,     // a memory operand leaves its memory
  Misaligned,
  DivideByZero,
  DataInTimingMode,  // control or an address depends on device data, and there is none
  Deadlock,
};

struct Fault {
  FaultKind kind = FaultKind::None;
  CoreId core{};
  std::uint32_t pc = 0;  // word offset in that core kind's code
  std::string text{};    // one sentence: what, where, and for a deadlock who waits for what
  explicit operator bool() const { return kind != FaultKind::None; }
};

}  // namespace dvmsim
