// What every queue of every core and every thread of the host did over time, for the HTML report:
// pieces that touch, in bounded number. Where a row has more, pieces of stretches no longer than
// its resolution are gathered: there the cycles of each kind are exact, their order is not kept. A
// listener; owns neither sums (stats.h) nor the form (report_json.cpp).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "vm/observe/span.h"

namespace dvmsim {

/// The result. Cycles count from the first dispatch; the host works before it.
struct TimelineReport {
  struct Kind {
    std::string reason{};  // as in the units of the report; "host" for work of a host thread
    std::string label{};   // the instruction or the kind of host work; may be empty
  };
  struct Piece {
    std::int64_t cycles = 0;
    int kind = 0;  // index of a Kind
  };
  struct Row {
    std::string name{};           // "host.front", "cube0.mte2"
    std::int64_t resolution = 1;  // in cycles
    std::vector<Piece> pieces{};  // from `begin` on; what follows the last is idle
  };
  struct Launch {
    std::string label{};
    std::int64_t submitted = 0, begin = 0, end = 0;
  };

  std::int64_t begin = 0, end = 0;  // of all rows
  std::vector<Kind> kinds{};        // the first is idle
  std::vector<Launch> launches{};
  std::vector<Row> rows{};  // host first, then as in the units of the report
};

class Timeline final : public Probe {
 public:
  /// `clock_hz`: of the cores, to place the host's nanoseconds. `budget`: pieces of all rows
  /// together, about; the first core of each kind has most of them.
  explicit Timeline(std::int64_t clock_hz, std::size_t budget = 400'000)
      : clock_hz_(clock_hz), budget_(budget) {}

  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;
  void on_host(const HostSpan& span) override;

  /// The run went from the first dispatch to the end of the last core. Call once.
  [[nodiscard]] TimelineReport close(Cycles first_dispatch, Cycles end);

 private:
  struct Piece {
    std::uint64_t cycles : 48, kind : 16;
  };
  struct Row {
    bool seen = false;
    std::int64_t begin = 0, end = 0;
    std::int64_t limit = 1, resolution = 1;  // gathered are pieces below it; the longest stretch
    std::vector<Piece> pieces{};
  };
  using Core = std::array<Row, kPipes>;
  using Named = std::pair<std::string, Row*>;

  static void append(Row& row, std::int64_t begin, std::int64_t end, int kind);
  static void gather(Row& row, bool keep_idle);
  /// Gathers until no more than `most` pieces are left; within launches first, so that their
  /// places are kept.
  static void coarsen(Row& row, std::size_t most);
  /// Within the budget: rows of host and first cores first, the others share what they leave.
  void fit(const std::vector<Named>& rows) const;

  std::int64_t clock_hz_;
  std::size_t budget_;
  std::array<Row, 2> host_{};                 // by HostThread
  std::array<std::vector<Core>, 3> cores_{};  // by CoreKind, then index
  std::vector<TimelineReport::Launch> launches_{};
};

}  // namespace dvmsim
