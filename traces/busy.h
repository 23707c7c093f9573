// How long each pipe was busy the way a hardware profiler counts: from the start of a command until
// its result is visible (FixPipe: until the accumulators are free), overlapping commands once;
// averaged over the cores of a kind that took part in a launch and summed over launches. Stats
// counts what holds a queue instead.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "traces/stats.h"

namespace dvmsim {

/// Cycles of the cores of one kind. Scalar: the scalar unit works; it has no latency of its own.
struct BusySum {
  double core = 0;                     // launch entry to exit
  std::int64_t longest_core = 0;       // sum over launches of each one's longest
  std::array<double, kPipes> pipes{};  // by Pipe
};

class Busy final : public Probe {
 public:
  void on_span(const Span& span) override;
  void on_launch_end(const LaunchMark& mark) override;

  [[nodiscard]] bool took_part(CoreKind kind) const;
  [[nodiscard]] const BusySum& of(CoreKind kind) const {
    return sums_[static_cast<std::size_t>(kind)];
  }

 private:
  struct Core {
    std::array<std::int64_t, kPipes> busy{};
    std::array<Cycles, kPipes> until{};  // everything so far is visible
    std::int64_t taken = 0;              // from entry to exit
  };

  std::array<std::vector<Core>, 3> cores_{};  // of the launch that runs, by CoreKind, then index
  std::array<BusySum, 3> sums_{};
};

/// "aic_mte2_us" and so on: the field of a report for a pipe of a kind of core, "aic_us" without
/// one. Cube cores are aic, vector cores aiv, unified ones ai.
[[nodiscard]] std::string busy_name(CoreKind kind);
[[nodiscard]] std::string busy_name(CoreKind kind, Pipe pipe);

}  // namespace dvmsim
