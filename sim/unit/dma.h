// Copies between a core and GM (MTE2, MTE3, FixPipe to GM). A copy is cut into chunks that the port
// sends one after another: it sends as many granules as may be in flight, and each chunk holds the
// port for its bytes.
#pragma once

#include <vector>

#include "sim/core/tokens.h"
#include "sim/mem/request.h"
#include "sim/mem/ticks.h"
#include "sim/unit/port.h"
#include "vm/isa/footprint.h"

namespace dvmsim {

/// Walks the runs of a region and cuts them at granules. Runs that follow one another without a gap
/// share a granule's request.
class PieceCutter {
 public:
  explicit PieceCutter(const Cutting& cutting) : cutting_(cutting) {}
  void begin(const isa::Region& region);
  [[nodiscard]] bool done() const { return left_ == 0; }
  Piece next();

 private:
  void next_run();
  Cutting cutting_;
  isa::Region region_{};
  std::int64_t row_ = 0, outer_[2] = {0, 0};
  std::int64_t address_ = 0, left_ = 0;  // of the current run; left 0: all done
};

class Dma {
 public:
  Dma(const Machine& machine, const PortTable& ports, Pipe pipe);

  /// Forgets what is in flight: a launch begins.
  void reset();
  void begin(const isa::Command& command, Cycles start);
  /// The next chunk, or false when all have been answered. Its pieces stay until it is.
  bool next(Request& request);
  void answered(const Answer& answer);

  /// After the last answer: end of the hold if memory kept up, as it was, when the core's memory
  /// that was read may be overwritten, and the result's time.
  [[nodiscard]] Cycles uncontended_hold() const {
    return start_ + std::max(limits_.issue_gap, cycle_at(port_time_));
  }
  [[nodiscard]] Cycles hold() const {
    return std::max(start_ + limits_.issue_gap, cycle_at(port_free_));
  }
  [[nodiscard]] Cycles visible() const { return std::max(hold(), arrived_); }
  [[nodiscard]] Cycles released() const {
    return pipe_ == Pipe::Fix ? hold() + limits_.release : visible();
  }

 private:
  /// A chunk on its way: it leaves the window when its data are back at the port.
  struct InFlight {
    std::int64_t granules = 0;
    Cycles back{};
  };
  /// Takes from the window what is back when the next chunk is sent; how many granules fit then.
  std::int64_t room();
  void retire();

  const PortTable& ports_;
  Pipe pipe_;
  PortLimits limits_;
  Cutting cutting_;
  PieceCutter cutter_;
  std::vector<Piece> chunk_{};
  Fifo<InFlight> window_{};
  std::int64_t in_flight_ = 0;

  PortRates rates_{};  // of the current command
  std::int64_t outstanding_ = 1;
  bool write_ = false;
  std::int64_t moved_ = 0;  // by the chunk that is being answered
  Cycles start_{};
  Ticks port_time_{};  // of the chunks so far
  Ticks port_free_{};  // the port has sent what it was given
  Ticks sent_{};       // the chunk that is being answered
  Cycles arrived_{};   // data of all chunks so far are back
};

}  // namespace dvmsim
