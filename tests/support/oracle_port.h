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

  OracleAnswer access(Time arrival, int core, Pipe queue, bool write,
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
      request.answer = memory_.access(next, request.write, *request.pieces);
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
    OracleAnswer answer{};
  };

  OracleMemory& memory_;
  Waiting& waiting_;
  std::map<std::tuple<Time, int, Pipe>, Request*> pending_{};
  sc_core::sc_event posted_{}, served_{};
};

/// Bytes of GM per cycle through a port, of what L2 held and of what came from HBM.
struct Rates {
  Rational hit{}, miss{};
};

/// A queue's port to memory, and what is under way through it.
struct Port {
  Time request = 1, response = 0, gap = 0;
  std::int64_t limit = 1;  // granules
  struct Flight {
    Time back = 0;
    std::int64_t granules = 0;
  };
  std::deque<Flight> flights{};

  /// The first moment from `time` on when so many more granules may be under way.
  Time room(Time time, std::int64_t granules) {
    const auto under_way = [&] {
      std::int64_t sum = 0;
      for (const Flight& flight : flights) sum += flight.granules;
      return sum;
    };
    while (!flights.empty() && under_way() + granules > limit) {
      time = std::max(time, flights.front().back);
      flights.pop_front();
    }
    return time;
  }
};

using Chunk = std::vector<OraclePiece>;

[[nodiscard]] std::vector<Chunk> chunks_of(const isa::Region& region, const Machine& machine);
[[nodiscard]] Port port_of(const Machine& machine, Pipe pipe);
/// Of a command that moves data to or from GM, and of the program's way into a core.
[[nodiscard]] Rates rates_of(const Machine& machine, const isa::Command& command);
[[nodiscard]] Rates program_rates(const Machine& machine, CoreKind kind);
/// How long the port is busy with what the memory delivered or took.
[[nodiscard]] Time port_time(const Rates& rates, const OracleAnswer& answer);

}  // namespace dvmsim::testing
