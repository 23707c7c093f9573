// Unit flags: how a tile passes between the cube and FixPipe without either waiting for the whole
// of it. The unit bit of mmad and fix changes only when their flags to one another are seen, never
// what they order: a flag of a command with the bit is a stream of granules that the waiting
// command, if it has the bit too, follows at its own pace.
#pragma once

#include <algorithm>

#include "vm/base/strong.h"
#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// Cycles of a command of `busy` cycles for one granule of its tile in L0C, rounded up. Source: the
/// vendor's guide: the tile is handed over in pieces of 512 B.
[[nodiscard]] Cycles unit_cycles(const Command& command, Cycles busy);

/// Is a flag between these two pipes one of those that the bit concerns?
[[nodiscard]] constexpr bool is_unit_pair(Pipe from, Pipe to) {
  return (from == Pipe::Cube && to == Pipe::Fix) || (from == Pipe::Fix && to == Pipe::Cube);
}

/// When the other side has the first granule, and the last. An ordinary flag has both at once.
struct Handover {
  Cycles first{}, last{};
};

/// The earliest start at which a command that takes `busy` cycles at an even pace never overtakes
/// the stream: it has the first granule, and is at the last one after the other side.
[[nodiscard]] inline Cycles follow(const Handover& stream, const Command& command, Cycles busy) {
  return std::max(stream.first, stream.last + unit_cycles(command, busy) - busy);
}

}  // namespace dvmsim::isa
