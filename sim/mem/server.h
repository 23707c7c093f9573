// The memory system as one reservation server: L2 and the HBM behind it, as timelines. A request's
// completion is fixed when it arrives and never revised.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mem/cache.h"
#include "sim/mem/closed_form.h"
#include "sim/mem/request.h"
#include "sim/mem/ticks.h"
#include "sim/mem/tlb.h"
#include "vm/base/divider.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"

namespace dvmsim {

/// Ideal: every access takes the L2 hit latency and nobody is in anybody's way. ClosedForm: even
/// shares (closed_form.h). Detailed: lines, channels, queues, pages.
enum class MemoryModel : std::uint8_t { Ideal, ClosedForm, Detailed };

class MemoryServer {
 public:
  MemoryServer(const Machine& machine, MemoryModel model);

  /// Serves requests in ascending order of their keys.
  Answer request(const Request& request);
  /// A launch on so many cores begins.
  void begin(int cores) { closed_form_.begin(cores); }
  /// As if every core had read the bytes before the run: they are in L2 and their pages at hand, if
  /// there is room.
  void touch(std::uint64_t address, std::int64_t bytes);
  /// The request will be served soon: tells the host's own cache.
  void prefetch(const Request& request) const;
  /// Empties L2 and the translations; dirty lines are forgotten.
  void clear();
  /// What L2 does not keep: reads of these bytes go to HBM, and writes through.
  void bypass(std::uint64_t address, std::int64_t bytes);
  /// Ends bypass() for every range that touches these bytes: they belong to something else now.
  void end_bypass(std::uint64_t address, std::int64_t bytes);
  void listen(const Probes* probes) { probes_ = probes; }

 private:
  struct Range {
    std::uint64_t begin = 0, end = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };
  [[nodiscard]] Answer ideal(const Request& request, Tally& tally) const;
  Answer read(const Request& request, Tally& tally);
  Answer write(const Request& request, Tally& tally);
  /// When the piece is there. `keeps`: a line that was not there stays.
  Ticks read(const Piece& piece, Ticks arrival, bool keeps, Tally& tally);
  Ticks write(const Piece& piece, Ticks arrival, bool keeps, Tally& tally);
  /// How long a request of the core waits for the translation of the address's page.
  Ticks translate(int core, std::uint64_t address, Ticks arrival);
  [[nodiscard]] std::uint64_t line_of(std::uint64_t address) const { return address >> line_bits_; }
  [[nodiscard]] bool is_bypassed(std::uint64_t address) const;
  Ticks begin_on_l2(Ticks arrival, Ticks transfer);
  /// Of a line that is there: accesses of one line follow one another.
  Ticks begin_on_line(const Cache::Place& place, Ticks begin, bool write);
  /// One line from HBM, asked for at `begin`; when it is there.
  Ticks fetch(std::uint64_t line, Ticks begin);
  /// One line (or less) to HBM, posted: only its channel notices.
  void write_back(std::uint64_t line, Ticks begin, std::int64_t bytes, Tally& tally);
  Ticks& channel_of(std::uint64_t line);
  [[nodiscard]] Ticks l2_time(std::int64_t bytes, bool write) const;
  void report(const Request& request, Cycles completion, const Tally& tally) const;

  const Machine& machine_;
  MemoryModel model_;
  std::int64_t line_bytes_;
  Ticks read_latency_, write_latency_, fill_latency_, least_latency_, same_line_;
  Ticks line_read_, line_write_, line_fetch_;  // times of a whole line
  Rational write_back_rate_;                   // of one channel
  unsigned line_bits_;
  Divider by_interleave_, by_channels_;
  Cache cache_;
  Tlb tlb_;
  ClosedForm closed_form_;
  std::vector<Range> bypassed_{};
  Ticks l2_free_{}, walk_;
  std::vector<Ticks> translated_;  // by core: its last walk is over
  std::vector<Ticks> channel_free_;
  RequestKey last_{};
  const Probes* probes_ = nullptr;
};

}  // namespace dvmsim
