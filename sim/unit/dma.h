// Copies between a core and GM (MTE2, MTE3, FixPipe to GM). A copy is cut into chunks that the port
// sends one after another: it sends as many granules as may be in flight, and each chunk holds the
// port for its bytes.
#pragma once

#include <span>
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
  [[nodiscard]] bool done() const { return at_.left == 0; }
  struct Cut {
    std::span<const Piece> pieces{};
    std::int64_t moved = 0;  // bytes of their requests
  };
  /// The next pieces, as many as there is room for.
  Cut cut(std::span<Piece> room);

 private:
  /// Where it stands: in a run that begins at `run`, one of `rows` still to come in this dimension.
  struct Cursor {
    std::int64_t address = 0, left = 0;  // of the run; left 0: all done
    std::int64_t run = 0, rows = 0;
    /// To the next run; false if that is not in this dimension.
    bool next(const isa::Region& region) {
      if (--rows <= 0) return false;
      address = run += region.stride;
      left = region.length;
      return true;
    }
  };
  [[nodiscard]] bool at_whole() const {
    return cutting_.offset_of(at_.address) == 0 && at_.left >= cutting_.granule;
  }
  /// Whole granules as long as they follow one another in this dimension; how many.
  std::size_t cut_whole(std::span<Piece> room);
  Piece cut_part();
  void next_rows();
  Cutting cutting_;
  isa::Region region_{};
  std::int64_t outer_[2] = {0, 0};
  Cursor at_{};
};

/// Time for bytes at a rate; most chunks of a copy are alike.
class Pace {
 public:
  void rate(Rational rate) {
    if (rate == rate_) return;
    rate_ = rate;
    bytes_ = 0;
    time_ = Ticks(0);
  }
  [[nodiscard]] Ticks time(std::int64_t bytes) {
    if (bytes != bytes_) {
      bytes_ = bytes;
      time_ = ticks_for(bytes, rate_);
    }
    return time_;
  }

 private:
  Rational rate_{};
  std::int64_t bytes_ = 0;
  Ticks time_{};
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
  PieceCutter::Cut sending_{};  // the chunk that is being answered
  Fifo<InFlight> window_{};
  std::int64_t in_flight_ = 0;

  Pace hit_{}, miss_{};  // of the current command
  std::int64_t outstanding_ = 1;
  bool write_ = false;
  Cycles start_{};
  Ticks port_time_{};  // of the chunks so far
  Ticks port_free_{};  // the port has sent what it was given
  Ticks sent_{};       // the chunk that is being answered
  Cycles arrived_{};   // data of all chunks so far are back
};

}  // namespace dvmsim
