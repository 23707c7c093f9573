// Copies between a core and GM (MTE2, MTE3, FixPipe to GM). A copy is cut into chunks that the port
// sends one after another: it may send while few enough granules are in flight, and each chunk
// holds the port for its bytes at the rate at which the memory system delivered them.
#pragma once

#include <vector>

#include "sim/core/tokens.h"
#include "sim/mem/request.h"
#include "sim/unit/port.h"
#include "vm/isa/footprint.h"

namespace dvmsim {

/// Walks the runs of a region and cuts them at granules.
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

/// The time a port is held by bytes that came from L2 and from HBM.
[[nodiscard]] Cycles port_time(const PortRates& rates, std::int64_t hit, std::int64_t missed);

class Dma {
 public:
  Dma(const Machine& machine, const PortTable& ports, Pipe pipe);

  /// Forgets what is in flight: a launch begins.
  void reset();
  void begin(const isa::Command& command, Cycles start);
  /// The next chunk, or false when all have been answered. Its pieces stay until it is.
  bool next(Request& request);
  void answered(const Answer& answer);

  /// After the last answer: end of the hold if memory kept up, as it was, and the result's time.
  [[nodiscard]] Cycles uncontended_hold() const { return start_ + std::max(gap_, port_time_); }
  [[nodiscard]] Cycles hold() const { return std::max(start_ + gap_, port_free_); }
  [[nodiscard]] Cycles visible() const { return std::max(hold(), arrived_); }

 private:
  /// A chunk on its way: it leaves the window when its data are back at the port.
  struct InFlight {
    std::int64_t granules = 0;
    Cycles back{};
  };
  void wait_for_window(std::int64_t granules);

  const PortTable& ports_;
  PortLimits limits_;
  Cutting cutting_;
  PieceCutter cutter_;
  std::vector<Piece> chunk_{};
  Fifo<InFlight> window_{};
  std::int64_t in_flight_ = 0;

  PortRates rates_{};  // of the current command
  bool write_ = false;
  Cycles start_{}, gap_{}, port_time_{};
  Cycles port_free_{};  // the port has sent what it was given
  Cycles sent_{};       // the chunk that is being answered
  Cycles arrived_{};    // data of all chunks so far are back
};

}  // namespace dvmsim
