// The memory system as one reservation server: L2 and the HBM behind it, as timelines. A request's
// completion is fixed when it arrives and never revised.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mem/cache.h"
#include "sim/mem/request.h"
#include "sim/mem/ticks.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"

namespace dvmsim {

/// Ideal: every access takes the L2 hit latency and nobody is in anybody's way.
enum class MemoryModel : std::uint8_t { Ideal, Detailed };

class MemoryServer {
 public:
  MemoryServer(const Machine& machine, MemoryModel model);

  /// Serves requests in ascending order of their keys.
  Answer request(const Request& request);
  /// As if the bytes had been read before the run: they are in L2, if there is room.
  void touch(std::uint64_t address, std::int64_t bytes);
  /// The request will be served soon: tells the host's own cache.
  void prefetch(const Request& request) const;
  /// Empties L2; dirty lines are forgotten.
  void clear() { cache_.clear(); }
  void listen(const Probes* probes) { probes_ = probes; }

 private:
  /// What the pieces of one request did, for the listeners.
  struct Tally {
    std::int64_t hit = 0, missed = 0, hbm_read = 0, hbm_write = 0;
  };
  Answer serve(const Request& request);
  Ticks read(const Piece& piece, Ticks arrival, Answer& answer, Tally& tally);
  Ticks write(const Piece& piece, Ticks arrival, Tally& tally);
  Ticks begin_on_l2(Ticks arrival, Ticks transfer);
  /// One line from HBM, asked for at `begin`; when it is there.
  Ticks fetch(std::uint64_t line, Ticks begin);
  /// One line (or less) to HBM, posted: only its channel notices.
  void write_back(std::uint64_t line, Ticks begin, std::int64_t bytes, Tally& tally);
  Ticks& channel_of(std::uint64_t line);
  [[nodiscard]] Ticks l2_time(std::int64_t bytes, bool write) const;
  void report(const Request& request, const Answer& answer, const Tally& tally) const;

  const Machine& machine_;
  MemoryModel model_;
  std::int64_t line_bytes_;
  Ticks read_latency_, write_latency_, hbm_latency_, same_line_;
  Ticks line_read_, line_write_, line_fetch_;  // times of a whole line
  Rational write_back_rate_;                   // of one channel
  Cache cache_;
  Ticks l2_free_{};
  std::vector<Ticks> channel_free_;
  RequestKey last_{};
  const Probes* probes_ = nullptr;
};

}  // namespace dvmsim
