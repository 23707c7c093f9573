#include "vm/firmware/mode.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// The tasks of a table are fetched one by one.
std::int64_t most_words(const std::vector<Task>& tasks) {
  std::uint32_t most = 0;
  for (const Task& task : tasks) most = std::max({most, task.cube.words, task.vector.words});
  return most;
}

}  // namespace

FirmwareMode firmware_mode(const Machine& machine, const Program& program, CodePath path) {
  const auto& firmware = machine.firmware;
  FirmwareMode mode{firmware.memory, firmware.decode_cache, false};
  if (path == CodePath::Native) mode.decode_cache = 0;
  if (path == CodePath::Kept) {
    if (mode.memory == ProgramMemory::Ub) mode.memory = ProgramMemory::Tcm;
    mode.decode_cache = std::max<std::int64_t>(mode.decode_cache, firmware.kept);
  }
  auto words = static_cast<std::int64_t>(std::max(program.cube.size(), program.vector.size()));
  if (!program.tasks.empty()) words = most_words(program.tasks);
  const bool too_large = 8 * words > firmware.tcm.count();
  if (mode.memory == ProgramMemory::Tcm && too_large) mode.memory = ProgramMemory::Cached;
  mode.prefetch = path == CodePath::Kept && mode.memory == ProgramMemory::Tcm;
  return mode;
}

Machine as_planned(const Machine& machine, CodePath path) {
  Machine planned = machine;
  const bool moves = path == CodePath::Kept && machine.firmware.memory == ProgramMemory::Ub;
  if (moves) planned.firmware.memory = ProgramMemory::Tcm;
  return planned;
}

}  // namespace dvmsim
