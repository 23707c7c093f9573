// A device as the host sees it: buffers, launches on one stream, and the host's own time. Two of
// them: Reference (vm/device/reference.h: meaning, no time) and SimDevice (sim/device.h: the same
// in time).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/base/strong.h"
#include "vm/observe/fault.h"
#include "vm/observe/span.h"
#include "vm/program/program.h"

namespace dvmsim {

struct Launch {
  const Program* program = nullptr;        // outlives the launch
  std::vector<std::uint64_t> arguments{};  // one word per Program::arguments
  CodePath path = CodePath::Bytecode;
  int cube_cores = 0;  // cores 0.. of each kind take part
  int vector_cores = 0;
  std::string label{};
  bool follows = false;  // handed over together with the launch before it: no work of the host
};

/// All cores of a launch.
[[nodiscard]] inline Team whole_team(const Launch& launch) {
  return {{0, launch.cube_cores}, {0, launch.vector_cores}};
}

/// What one launch did. Times are device cycles since the device was made.
struct LaunchReport {
  Fault fault{};
  Cycles begin{};           // the device takes the launch up
  Cycles first_dispatch{};  // first command dispatched on any core
  Cycles end{};             // last core has finished
  std::int64_t instructions = 0, commands = 0;
  Cycles decode{};           // scalar cycles of the firmware, summed over cores
  Cycles longest_core{};     // first dispatch to halt, maximum over cores
  std::int64_t assumed = 0;  // reads of data that the run did not have, over cores
};

using Ticket = int;

/// Integers of at most so many bytes that the host writes may be lists that decide what a program
/// does: a device keeps them in timing mode.
inline constexpr std::int64_t kMostControlBytes = 64 * 1024;

enum class Mode : std::uint8_t { Functional, Timing };  // Timing: no data, no backing memory

class Device {
 public:
  virtual ~Device() = default;

  /// Bytes of device memory, 512-byte aligned. Addresses are deterministic. Throws Error if the
  /// machine's memory is exhausted.
  virtual std::uint64_t allocate(Bytes size) = 0;
  virtual void release(std::uint64_t address) = 0;
  /// Host copies, in stream order and not timed; read waits for everything submitted. In timing
  /// mode write keeps kMostControlBytes at most and read throws Error.
  virtual void write(std::uint64_t address, std::span<const std::byte> data) = 0;
  virtual void read(std::uint64_t address, std::span<std::byte> data) = 0;

  /// The host spends time on one of its threads.
  virtual void host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                         const std::string& label) = 0;
  /// Enqueues a launch: queue thread launches, device runs in order.
  virtual Ticket submit(const Launch& launch) = 0;
  /// The front thread waits until the launch has finished.
  virtual LaunchReport wait(Ticket ticket) = 0;

  /// The code of this program will not be launched again, or may be brought to the device anew.
  virtual void forget(const Program&) {}
  /// Everything submitted has been waited for; its tickets are not used again.
  virtual void forget_launches() {}

  /// Listeners for everything from now on; they outlive the device or are removed.
  virtual void listen(Probes probes) = 0;
};

}  // namespace dvmsim
