// The oracle: the same machine in time, written the slow and obvious way, one SC_THREAD per unit
// that waits for its queue, its flags and its memory, one cycle per sc_time tick. The fast engine
// must report the same spans, cycle for cycle. Timing only: programs must not read device data.
//
// How it reads the timing rules where they leave room:
// - A piece is a run's part inside one granule (dma.request bytes, aligned). Each counts one
// granule
//   in a chunk and in the window of outstanding ones, also if two runs touch the same granule.
// - The window belongs to the port and lasts over commands.
// - Idle is before the first and after the last thing a unit does; it is not listed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/oracle_memory.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"

namespace dvmsim::testing {

/// What one row did from begin to end. Neighbours of one reason other than Work are joined on
/// queues, and all of them on Scalar.
struct OracleSpan {
  std::int64_t begin = 0, end = 0;
  Reason reason = Reason::Idle;
  std::int64_t visible = 0;  // of Work on queues
  friend bool operator==(const OracleSpan&, const OracleSpan&) = default;
};
using OracleRows = std::map<RowId, std::vector<OracleSpan>>;

/// Appends a span by the rules of OracleSpan; empty ones and Idle are left out.
void append(OracleRows& rows, const RowId& row, const OracleSpan& span);

struct OracleResult {
  OracleRows rows{};
  std::int64_t first_dispatch = 0;  // of any core's first command
  std::int64_t commands = 0, decode = 0;
  std::int64_t end = 0;   // of the launch
  std::string blocked{};  // deadlock or fault: which rows did not finish
};

class Oracle {
 public:
  explicit Oracle(const Machine& machine, bool ideal_memory = false)
      : machine_(machine), memory_(machine_, ideal_memory) {}
  /// The device takes the launch up at `begin`; the code of a kind of core lies at its address in
  /// GM.
  OracleResult run(const Launch& launch, std::int64_t begin, std::int64_t cube_code,
                   std::int64_t vector_code);

 private:
  Machine machine_;
  OracleMemory memory_;  // lasts over launches
};

}  // namespace dvmsim::testing
