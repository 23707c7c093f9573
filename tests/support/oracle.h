// The oracle: the same machine in time, written the slow and obvious way, one SC_THREAD per unit
// that waits for its queue, its flags and its memory, one cycle per sc_time tick. The fast engine
// must report the same spans, cycle for cycle. Timing only: programs must not read device data.
//
// How it reads the timing rules where they leave room:
// - A granule is the smaller of dma.request and l2.line; a request is what a transfer touches of
// one,
//   runs that follow one another without a gap together. It is rounded up to an aligned block of
//   dma.least_request, doubled until it holds it; port and L2 move the block.
// - Runs go in the order of the region's rows, then its outer dimensions, whatever their strides.
// - A port sends as many requests at once as may be under way, at most a chunk; port time is exact
//   to 1/4096 cycle, a cycle at least for a chunk. The window belongs to the port and lasts over
//   commands of a launch.
// - A chunk's last request ends behind the others by their port time; the window lets the chunk go
//   when its first is back.
// - A read of a part of a request that misses leaves nothing in L2, unless the scalar unit asked.
// - A core looks up one page at a time, and its later requests wait for the walk; bandwidth is
// taken
//   on arrival all the same.
// - A flag to a pipe that does not reach GM is set when what the command read on the core is free.
// - One cycle of a port's latency is the way out, the same for all, the rest the way back: what is
// decided
//   at a port when an answer is known then still reaches the memory later than that answer.
// - A miss takes L2's read latency and HBM's on top of the channel's time.
// - A line being filled is open to others when the fill is done less the smaller of L2's two
// latencies,
//   and l2.same_line after every access of it.
// - launch.entry comes before the program's fetch, launch.exit after the last visible result; both
// are
//   Work of the scalar unit. Waiting for that result is WaitResult.
// - Of tasks, an entry of the table is asked for when the one before it begins; code that may be
//   asked for ahead, when the last of the one before is issued.
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
