// The simulator as a device: what programs mean, and when. SystemC stays behind this header.
#pragma once

#include <memory>

#include "sim/mem/server.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct SimOptions {
  Mode mode = Mode::Functional;
  MemoryModel memory = MemoryModel::Detailed;
  int workers = 0;             // threads that perform commands: 0 (none), 1 or 2
  bool free_firmware = false;  // decoding and scalar work take no time
  bool reverse_build = false;  // modules are made in the opposite order; for tests
};

/// Launches are simulated inside submit(). Several devices may exist and take turns on one thread.
class SimDevice : public Device {
 public:
  explicit SimDevice(const Machine& machine, const SimOptions& options = {});
  ~SimDevice() override;

  std::uint64_t allocate(Bytes size) override;
  void release(std::uint64_t address) override;
  void write(std::uint64_t address, std::span<const std::byte> data) override;
  void read(std::uint64_t address, std::span<std::byte> data) override;
  void host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                 const std::string& label) override;
  Ticket submit(const Launch& launch) override;
  /// Is it a task table that has been launched, so that its code is on the device?
  [[nodiscard]] bool holds(const Program& program) const;
  LaunchReport wait(Ticket ticket) override;
  void forget(const Program& program) override;
  void forget_launches() override;
  void listen(Probes probes) override;

  /// These bytes have been used lately: they are in L2 as far as it holds them.
  void warm(std::uint64_t address, Bytes size);
  /// L2 does not keep these bytes from now on.
  void bypass(std::uint64_t address, Bytes size);
  /// L2 is empty again.
  void flush();
  /// When the front thread of the host has done everything so far.
  [[nodiscard]] std::int64_t host_ns() const;
  /// Highest use of device memory so far, programs included.
  [[nodiscard]] Bytes peak_memory() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What the simulator leaves out on this machine, one line each, for reports.
[[nodiscard]] std::vector<std::string> not_modelled();

}  // namespace dvmsim
