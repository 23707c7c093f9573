// A device whose launches are simulated once and timed many times. The host of a session spends
// its time on several time lines at once: one for each launch cost, each also with compiling and
// with encoding free. A launch takes as long as the simulator says, or as it said when the same
// launches were simulated before. Exact where a launch's own cycles do not depend on when it
// begins, which is so but for rounding: one launch at a time is on the device.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/device/device.h"
#include "sim/host/timeline.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Cycles of launches one after another, without what comes before their cores start.
using LaunchBodies = std::vector<Cycles>;

/// What the host and the device have spent on one time line so far.
struct TimeSpent {
  std::int64_t host_ns = 0;  // until the host knew the last result it waited for
  Cycles head{}, body{};     // of launches
};

class TimedDevice final : public Device {
 public:
  /// What is free on a time line; each of them frees what those before it do.
  enum class Free : std::uint8_t { Nothing, Compiling, Encoding };
  static constexpr int kFree = 3;
  /// Two accounts: what really happens, and what would if it happened once more.
  enum class Account : std::uint8_t { Stream, Again };

  /// `machines`: the same one at each launch cost; it outlives the device.
  TimedDevice(const std::vector<Machine>& machines, const SimOptions& options);

  void use(Account account) { account_ = account; }
  /// From now on launches are simulated and noted; or they take what was noted, in order. Played
  /// launches have no values: for timing mode.
  void simulate();
  void play(const LaunchBodies& bodies);
  /// Noted since simulate().
  [[nodiscard]] const LaunchBodies& noted() const { return noted_; }

  /// On the account in use, at the launch cost of machines[cost].
  [[nodiscard]] TimeSpent spent(std::size_t cost, Free free = Free::Nothing) const;
  [[nodiscard]] std::int64_t launches() const { return launches_; }
  [[nodiscard]] SimDevice& simulator() { return simulator_; }

  std::uint64_t allocate(Bytes size) override { return simulator_.allocate(size); }
  void release(std::uint64_t address) override { simulator_.release(address); }
  void write(std::uint64_t address, std::span<const std::byte> data) override;
  void read(std::uint64_t address, std::span<std::byte> data) override;
  void host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                 const std::string& label) override;
  Ticket submit(const Launch& launch) override;
  LaunchReport wait(Ticket ticket) override;
  void forget(const Program& program) override { simulator_.forget(program); }
  void forget_launches() override;
  void listen(Probes probes) override { simulator_.listen(std::move(probes)); }

 private:
  struct Line {
    const Machine* machine = nullptr;
    Free free = Free::Nothing;
    HostTimeline host;
    TimeSpent spent{};
  };
  using Lines = std::vector<std::unique_ptr<Line>>;  // by launch cost, then what is free
  [[nodiscard]] Lines& lines() { return lines_[static_cast<std::size_t>(account_)]; }

  const Machine& machine_;
  SimDevice simulator_;
  Probes nobody_{};
  Lines lines_[2]{};
  Account account_ = Account::Stream;
  bool plays_ = false;
  LaunchBodies noted_{}, bodies_{};
  std::size_t next_ = 0;  // of bodies_
  std::vector<LaunchReport> reports_{};
  Ticket first_[2] = {0, 0};  // of the reports, on each account
  std::int64_t launches_ = 0;
};

}  // namespace dvmsim
