// The host's two threads and the device stream on one time line, in picoseconds. Plain arithmetic:
// each thread is a point in time that only moves forward.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// From the device taking a launch up to its first core's start.
[[nodiscard]] Cycles launch_head(const Machine& machine, const Launch& launch);

class HostTimeline {
 public:
  HostTimeline(const Machine& machine, const Probes& probes);

  void work(HostWork kind, std::int64_t nanoseconds, HostThread thread, const std::string& label);
  /// The queue thread prepares a launch and hands it over. When the device may take it up, not
  /// counting what it is still busy with. `there`: its code is on the device.
  Cycles submit(const Launch& launch, bool there = false);
  /// The launch submitted last ends then; the stream is free again.
  void ended(Cycles end);
  /// The front thread learns that the launch is over.
  void wait(Ticket ticket);
  /// Nobody waits for earlier launches any more. The stream's depth still counts them.
  void forget_before(Ticket ticket);

  [[nodiscard]] Cycles stream_free() const { return stream_free_; }
  /// End of the last launch that the front thread had to wait for; 0: none.
  [[nodiscard]] Cycles awaited() const { return awaited_; }
  /// When the front thread has done everything so far.
  [[nodiscard]] std::int64_t front_ns() const { return front_.count() / 1000; }

 private:
  void spend(HostThread thread, HostWork kind, Picoseconds time, const std::string& label);
  [[nodiscard]] Picoseconds scaled(Picoseconds time) const;
  [[nodiscard]] Picoseconds time_at(Cycles cycle) const;
  [[nodiscard]] Picoseconds copy_time(std::int64_t bytes) const;

  const Machine& machine_;
  const Probes& probes_;
  Picoseconds front_{}, queue_{};
  Cycles stream_free_{}, awaited_{};
  std::vector<Cycles> ends_{};  // by ticket, from first_ on
  Ticket first_ = 0;
};

}  // namespace dvmsim
