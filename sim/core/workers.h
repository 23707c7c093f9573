// Commands performed by other threads while the simulation goes on: a core's commands always by the
// same thread, in order. Bytes, spans and reports are those of InlineMeaning.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "sim/core/meaning.h"

namespace dvmsim {

class WorkerMeaning : public Meaning {
 public:
  WorkerMeaning(FunctionalState& state, int workers);
  ~WorkerMeaning() override;

  void execute(int core, const isa::Command& command, std::uint64_t issued, Cycles start) override;
  Fault read(int core, const isa::Command& command, std::int64_t& value) override;
  void renew(int core) override;
  /// Waits until nothing is left to perform.
  void synchronize() override;

 private:
  struct Job {
    isa::Command command{};
    int core = 0;
    std::uint64_t issued = 0;
    Cycles start{};
  };
  /// One producer (the simulation), one consumer (the thread).
  struct Worker {
    static constexpr std::size_t kRing = 1024;
    std::array<Job, kRing> ring{};
    std::atomic<std::uint64_t> given{0}, done{0};
    std::atomic<bool> stop{false};
    std::thread thread{};
  };
  void serve(Worker& worker);
  [[nodiscard]] Worker& worker_of(int core) {
    return *workers_[static_cast<std::size_t>(core) % workers_.size()];
  }
  static void wait_for(const Worker& worker, std::uint64_t done);

  FunctionalState& state_;
  std::vector<std::unique_ptr<Worker>> workers_{};
};

}  // namespace dvmsim
