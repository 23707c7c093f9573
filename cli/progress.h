// How far a long run is: a bar on a terminal with the current operator, the share done and an
// estimate of what is left; nothing elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "vm/observe/span.h"

namespace dvmsim {

/// What a bar shows.
struct ProgressState {
  std::string label{};      // the operator being simulated
  std::int64_t done = 0;    // units of work (launches, or steps of a stream)
  std::int64_t total = 0;   // 0: not known
  std::int64_t cycle = 0;   // 0: not shown
  double seconds = 0;       // since the beginning
  std::int64_t before = 0;  // of `done`: what was done before the beginning
};

/// One line of at most `width` columns: "[####......]  40 %  attn.q  cycle 1234  12 s left".
[[nodiscard]] std::string bar_text(const ProgressState& state, std::size_t width);
/// "45 s", "3 min", "2 h 5 min".
[[nodiscard]] std::string duration_text(double seconds);

class Progress final : public Probe {
 public:
  Progress();
  ~Progress() override;

  /// Itself if there is a terminal; else nobody, which costs a run less.
  [[nodiscard]] Probes listeners();
  /// From now on, so many units: launches, or what step() counts; `before` of them are done.
  void expect(std::int64_t units, bool launches, std::int64_t before = 0);
  /// A unit that is no launch is done.
  void step(const std::string& label = "");

  void on_launch_begin(const LaunchMark& mark, const Program& program) override;
  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;

 private:
  void draw();
  using Clock = std::chrono::steady_clock;

  bool terminal_ = false, shown_ = false, launches_ = true;
  std::uint32_t spans_ = 0;
  ProgressState state_{};
  Clock::time_point begin_{}, drawn_{};
};

}  // namespace dvmsim
