#include "sim/core/workers.h"

namespace dvmsim {

WorkerMeaning::WorkerMeaning(FunctionalState& state, int workers) : state_(state) {
  for (int i = 0; i < workers; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    Worker& worker = *workers_.back();
    worker.thread = std::thread([this, &worker] { serve(worker); });
  }
}

WorkerMeaning::~WorkerMeaning() {
  for (const auto& worker : workers_) {
    worker->stop = true;
    worker->given.fetch_add(1);  // wakes it; there is no such job
    worker->given.notify_one();
    worker->thread.join();
  }
}

void WorkerMeaning::serve(Worker& worker) {
  for (std::uint64_t next = 0;; ++next) {
    worker.given.wait(next);
    if (worker.stop) return;
    const Job& job = worker.ring[next % Worker::kRing];
    state_.perform(job.core, job.command, job.issued, job.start);
    worker.done.store(next + 1);
    worker.done.notify_one();
  }
}

void WorkerMeaning::execute(int core, const isa::Command& command, std::uint64_t issued,
                            Cycles start) {
  Worker& worker = worker_of(core);
  const std::uint64_t number = worker.given.load();
  if (number >= Worker::kRing) wait_for(worker, number - Worker::kRing + 1);
  worker.ring[number % Worker::kRing] = {command, core, issued, start};
  worker.given.store(number + 1);
  worker.given.notify_one();
}

Fault WorkerMeaning::read(int core, const isa::Command& command, std::int64_t& value) {
  wait_for(worker_of(core), worker_of(core).given.load());
  return state_.read(core, command, value);
}

void WorkerMeaning::renew(int core) {
  wait_for(worker_of(core), worker_of(core).given.load());
  state_.renew(core);
}

void WorkerMeaning::synchronize() {
  for (const auto& worker : workers_) wait_for(*worker, worker->given.load());
}

void WorkerMeaning::wait_for(const Worker& worker, std::uint64_t done) {
  for (std::uint64_t now = worker.done.load(); now < done; now = worker.done.load()) {
    worker.done.wait(now);
  }
}

}  // namespace dvmsim
