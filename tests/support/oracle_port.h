// How a unit of the oracle reaches memory: transfers cut into chunks, the port that sends them, and
// the process that serves all requests of a cycle.
#pragma once

#include <deque>
#include <map>
#include <tuple>
#include <vector>

#include "tests/support/oracle_flags.h"
#include "tests/support/oracle_memory.h"
#include "vm/base/error.h"
#include "vm/isa/footprint.h"
#include "vm/machine/machine.h"

namespace dvmsim::testing {

/// One process: takes all requests of a cycle and serves them in order of core and queue.
class Server {
 public:
  Server(OracleMemory& memory, Waiting& waiting) : memory_(memory), waiting_(waiting) {}

  OracleMemory::Answer access(Time arrival, int core, Pipe queue, bool write,
                              const std::vector<OraclePiece>& pieces) {
    DVMSIM_ASSERT(arrival > now(), "a request arrives after it is sent");
    Request request{write, &pieces};
    pending_[{arrival, core, queue}] = &request;
    tell(posted_);
    while (!request.answered) {
      DVMSIM_ASSERT(waiting_.until(served_), "the memory answers every request");
    }
    return request.answer;
  }

  void run() {
    while (!waiting_.over()) {
      if (pending_.empty()) {
        (void)waiting_.until(posted_);
        continue;
      }
      const Time next = std::get<0>(pending_.begin()->first);
      if (next > now()) {
        (void)waiting_.until(posted_, next - now());
        continue;
      }
      Request& request = *pending_.begin()->second;
      const auto& [arrival, core, queue] = pending_.begin()->first;
      request.answer =
          memory_.access(arrival, core, request.write, queue == Pipe::Scalar, *request.pieces);
      request.answered = true;
      pending_.erase(pending_.begin());
      tell(served_);
    }
  }

 private:
  struct Request {
    bool write = false;
    const std::vector<OraclePiece>* pieces = nullptr;
    bool answered = false;
    OracleMemory::Answer answer{};
  };

  OracleMemory& memory_;
  Waiting& waiting_;
  std::map<std::tuple<Time, int, Pipe>, Request*> pending_{};
  sc_core::sc_event posted_{}, served_{};
};

/// A queue's port to memory, and what is under way through it. Time inside is fixed point, 1/4096
/// cycle.
struct Port {
  static constexpr Time kOne = 4096;
  Time request = 1, response = 0, gap = 0, release = 0;
  std::int64_t chunk = 1;  // granules sent at once, at most
  struct Flight {
    Time back = 0;  // cycles
    std::int64_t granules = 0;
  };
  std::deque<Flight> flights{};

  [[nodiscard]] std::int64_t under_way() const {
    std::int64_t sum = 0;
    for (const Flight& flight : flights) sum += flight.granules;
    return sum;
  }
  /// The first moment from `time` (fixed point) on when one more granule may be under way. What is
  /// back by then has left.
  Time room(Time time, std::int64_t limit) {
    while (under_way() >= limit || (!flights.empty() && flights.front().back * kOne <= time)) {
      time = std::max(time, flights.front().back * kOne);
      flights.pop_front();
    }
    return time;
  }
};

/// The requests of a transfer, in order.
[[nodiscard]] std::vector<OraclePiece> pieces_of(const isa::Region& region, const Machine& machine);
[[nodiscard]] Port port_of(const Machine& machine, Pipe pipe);
/// Bytes of GM per cycle through a port, of what L2 held and of what came from HBM.
struct Rates {
  Rational hit{}, miss{};
};
/// Of a command that moves data to or from GM, and of the program's way into a core.
[[nodiscard]] Rates rates_of(const Machine& machine, const isa::Command& command);
[[nodiscard]] Rational program_rate(const Machine& machine, CoreKind kind);
/// How many granules a command's port may have under way.
[[nodiscard]] std::int64_t limit_of(const Machine& machine, const isa::Command& command);
[[nodiscard]] std::int64_t moved_by(const std::vector<OraclePiece>& pieces);

}  // namespace dvmsim::testing
