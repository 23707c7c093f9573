// Sums what a device said during a run: cycles per row and reason, bytes per place, host time per
// kind of work, launches. A listener; owns no judgement (roofline.h) and no form (report.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/device/device.h"
#include "vm/observe/span.h"

namespace dvmsim {

inline constexpr int kPlaces = 4;
inline constexpr int kHostWorks = 7;
inline constexpr int kHostThreads = 2;

/// "cube0.mte2": how reports and traces name a row.
[[nodiscard]] std::string name_of(const CoreId& core);
[[nodiscard]] std::string name_of(const RowId& row);

/// Which pipes a kind of core has.
[[nodiscard]] bool has_pipe(CoreKind kind, Pipe pipe);

/// One queue (or the scalar unit) of one core over the whole run. After Stats::close the reasons
/// sum to the run's cycles.
struct RowSum {
  RowId row{};
  std::array<std::int64_t, kReasons> cycles{};  // by Reason
  std::int64_t commands = 0;

  [[nodiscard]] std::int64_t of(Reason reason) const {
    return cycles[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::int64_t total() const;
};

struct LaunchSum {
  int launch = 0;
  std::string label{};
  Cycles submitted{}, begin{}, end{};
};

class Stats final : public Probe {
 public:
  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;
  void on_host(const HostSpan& span) override;
  void on_traffic(const Traffic& traffic) override;

  /// What the device returned for a launch: the counts that are not spans.
  void add(const LaunchReport& report);

  /// Ends the run [first dispatch, end of the last core): cuts what lies outside and fills every
  /// row with Idle up to the total. Without arguments the launches added say when. Call once.
  void close(Cycles first_dispatch, Cycles end);
  void close();

  [[nodiscard]] Cycles first_dispatch() const { return first_dispatch_; }
  [[nodiscard]] Cycles end() const { return end_; }
  [[nodiscard]] Cycles cycles() const { return end_ - first_dispatch_; }
  /// Rows that were heard of, cube cores first, then by core and pipe.
  [[nodiscard]] std::vector<RowSum> rows() const;
  /// Work cycles of a pipe summed over the cores of a kind.
  [[nodiscard]] std::int64_t work(CoreKind kind, Pipe pipe) const;
  [[nodiscard]] const std::vector<LaunchSum>& launches() const { return launches_; }
  [[nodiscard]] Bytes bytes(Place place) const { return bytes_[static_cast<std::size_t>(place)]; }
  [[nodiscard]] std::int64_t host_ns(HostThread thread, HostWork work) const {
    return host_ns_[static_cast<std::size_t>(thread)][static_cast<std::size_t>(work)];
  }
  /// Both threads together.
  [[nodiscard]] std::int64_t host_ns(HostWork work) const;
  /// When the last host interval ended.
  [[nodiscard]] std::int64_t host_end_ns() const { return host_end_ns_; }

  struct Firmware {
    std::int64_t instructions = 0, commands = 0;
    Cycles decode{};
    Cycles longest_core{};  // sum over launches of each one's longest core
    std::int64_t launches = 0;
  };
  [[nodiscard]] const Firmware& firmware() const { return firmware_; }

 private:
  struct Early {
    Cycles begin{}, end{};
    Reason reason{};
  };
  struct RowState {
    bool seen = false;
    RowSum sum{};
    Cycles last_end{};
    std::vector<Early> early{};  // spans that may begin before the first dispatch
  };
  struct CoreState {
    std::array<RowState, kPipes> rows{};
    bool working = false;  // a queue of this core has worked: later spans are inside the run
    Cycles first_work{};
  };

  CoreState& state_of(const CoreId& core);
  void cut(RowState& row) const;

  std::array<std::vector<CoreState>, 3> cores_{};  // by CoreKind, then index
  std::vector<LaunchSum> launches_{};
  std::array<Bytes, kPlaces> bytes_{};
  std::array<std::array<std::int64_t, kHostWorks>, kHostThreads> host_ns_{};
  std::int64_t host_end_ns_ = 0;
  Firmware firmware_{};
  Cycles first_dispatch_{}, end_{};
  bool closed_ = false;
};

}  // namespace dvmsim
