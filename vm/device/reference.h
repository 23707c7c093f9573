// The device without time: what programs mean. Each core's scalar unit and each of its pipes is an
// asynchronous queue; the seed chooses one of the legal interleavings. Race-free programs leave the
// same bytes for every seed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/device/device.h"
#include "vm/device/order.h"
#include "vm/exec/memory.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Launches run inside submit(); reports hold the fault, the instructions and the commands, and no
/// times. Host work is free. Floating-point updates of global memory: see vm/device/atomics.h.
class Reference : public Device {
 public:
  /// Seed 0: every core in turn as far as it gets, every command as soon as it may. Other seeds: a
  /// pseudo-random choice among everything that can move; a command's work is done when it starts
  /// or when it ends.
  explicit Reference(const Machine& machine, std::uint64_t seed = 0);
  ~Reference() override;

  std::uint64_t allocate(Bytes size) override;
  void release(std::uint64_t address) override;
  void write(std::uint64_t address, std::span<const std::byte> data) override;
  void read(std::uint64_t address, std::span<std::byte> data) override;
  void host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                 const std::string& label) override;
  Ticket submit(const Launch& launch) override;
  LaunchReport wait(Ticket ticket) override;
  void forget_launches() override;
  void listen(Probes probes) override;

  /// Hears the order of everything from now on; nullptr: nobody does.
  void listen_order(OrderListener* listener) { order_ = listener; }

 private:
  [[nodiscard]] CoreMemory& memory_of(CoreId core);

  Machine machine_;
  std::uint64_t seed_;
  GlobalMemory global_;
  std::map<CoreId, std::unique_ptr<CoreMemory>> memories_{};
  std::vector<LaunchReport> reports_{};
  Ticket first_ticket_ = 0;  // of the reports that are kept
  Probes probes_{};
  OrderListener* order_ = nullptr;
};

}  // namespace dvmsim
