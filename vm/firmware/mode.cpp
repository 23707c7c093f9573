#include "vm/firmware/mode.h"

#include <algorithm>

namespace dvmsim {

FirmwareMode firmware_mode(const Machine& machine, const Program& program, CodePath path) {
  const auto& firmware = machine.firmware;
  FirmwareMode mode{firmware.memory, firmware.decode_cache, false};
  if (path == CodePath::Native) mode.decode_cache = 0;
  if (path == CodePath::Kept) {
    if (mode.memory == ProgramMemory::Ub) mode.memory = ProgramMemory::Tcm;
    mode.decode_cache = std::max<std::int64_t>(mode.decode_cache, firmware.kept);
  }
  const auto words =
      static_cast<std::int64_t>(std::max(program.cube.size(), program.vector.size()));
  const bool too_large = 8 * words > firmware.tcm.count();
  if (mode.memory == ProgramMemory::Tcm && too_large) mode.memory = ProgramMemory::Cached;
  mode.prefetch = path == CodePath::Kept && mode.memory == ProgramMemory::Tcm;
  return mode;
}

/// A loop's body is decoded in its first round; the others find it kept.
Machine as_planned(const Machine& machine, CodePath path) {
  Machine planned = machine;
  if (path != CodePath::Kept) return planned;
  if (planned.firmware.memory == ProgramMemory::Ub) planned.firmware.memory = ProgramMemory::Tcm;
  const auto cost = [&](DecodeTerm term) -> Cycles& {
    return planned
        .decode[static_cast<std::size_t>(term)][static_cast<std::size_t>(machine.firmware.profile)];
  };
  cost(DecodeTerm::fetch) = cost(DecodeTerm::operand) = Cycles(0);
  cost(DecodeTerm::dispatch) = std::min(cost(DecodeTerm::dispatch), machine.firmware.decode_hit);
  return planned;
}

}  // namespace dvmsim
