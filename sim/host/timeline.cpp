#include "sim/host/timeline.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kPicosecondsPerNanosecond = 1000;

}  // namespace

Cycles launch_head(const Machine& machine, const Launch& launch) {
  const auto& cost = machine.launch;
  const Picoseconds fixed = launch.path == CodePath::Native                    ? cost.native
                            : launch.cube_cores > 0 && launch.vector_cores > 0 ? cost.mix
                            : launch.cube_cores > 0                            ? cost.cube
                                                                               : cost.vector;
  return cycles_in(fixed + cost.per_core * (launch.cube_cores + launch.vector_cores),
                   machine.clock.core);
}

HostTimeline::HostTimeline(const Machine& machine, const Probes& probes)
    : machine_(machine), probes_(probes) {}

void HostTimeline::work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                        const std::string& label) {
  // The queue thread works on what the front thread has handed over.
  if (thread == HostThread::Queue) queue_ = std::max(queue_, front_);
  spend(thread, kind, Picoseconds(nanoseconds * kPicosecondsPerNanosecond), label);
}

Cycles HostTimeline::submit(const Launch& launch, bool there) {
  if (launch.follows) return cycles_in(queue_, machine_.clock.core);
  queue_ = std::max(queue_, front_);
  const auto depth = static_cast<std::size_t>(machine_.launch.stream_depth);
  if (ends_.size() >= depth) queue_ = std::max(queue_, time_at(ends_[ends_.size() - depth]));

  const auto words = static_cast<std::int64_t>(launch.arguments.size());
  spend(HostThread::Queue, HostWork::Relocate, scaled(machine_.host.relocate * words),
        launch.label);
  const std::int64_t bytes =
      words * 8 + (launch.path == CodePath::Native || there ? 0 : launch.program->bytes());
  if (bytes > machine_.launch.inline_limit.count()) {
    spend(HostThread::Queue, HostWork::Copy, copy_time(bytes), launch.label);
  }
  spend(HostThread::Queue, HostWork::Launch, scaled(machine_.host.submit), launch.label);
  return cycles_in(queue_, machine_.clock.core);
}

void HostTimeline::ended(Cycles end) {
  stream_free_ = end;
  ends_.push_back(end);
}

void HostTimeline::wait(Ticket ticket) {
  const Cycles end = ends_[static_cast<std::size_t>(ticket - first_)];
  const Picoseconds known = time_at(end) + scaled(machine_.host.synchronize);
  if (known > front_) awaited_ = end;
  front_ = std::max(front_, known);
}

void HostTimeline::forget_before(Ticket ticket) {
  const auto all = static_cast<std::ptrdiff_t>(ends_.size());
  const std::ptrdiff_t past = std::min<std::ptrdiff_t>(ticket - first_, all);
  const std::ptrdiff_t gone = std::min(past, all - machine_.launch.stream_depth);
  if (gone <= 0) return;
  ends_.erase(ends_.begin(), ends_.begin() + gone);
  first_ += static_cast<Ticket>(gone);
}

void HostTimeline::spend(HostThread thread, HostWork kind, Picoseconds time,
                         const std::string& label) {
  DVMSIM_ASSERT(time >= Picoseconds(0), "host work takes no negative time");
  Picoseconds& now = thread == HostThread::Front ? front_ : queue_;
  const HostSpan span{thread, kind, label, now.count() / kPicosecondsPerNanosecond,
                      (now + time).count() / kPicosecondsPerNanosecond};
  now += time;
  if (time == Picoseconds(0)) return;
  for (Probe* probe : probes_) probe->on_host(span);
}

Picoseconds HostTimeline::scaled(Picoseconds time) const {
  return Picoseconds(machine_.host.speed.ceil_of(time.count()));
}

/// Rounded up, so that nothing on the host precedes what it waits for.
Picoseconds HostTimeline::time_at(Cycles cycle) const {
  constexpr std::int64_t kPicosecondsPerSecond = 1'000'000'000'000;
  const std::int64_t hertz = machine_.clock.core.count();
  const __int128 exact = static_cast<__int128>(cycle.count()) * kPicosecondsPerSecond;
  return Picoseconds(static_cast<std::int64_t>((exact + hertz - 1) / hertz));
}

Picoseconds HostTimeline::copy_time(std::int64_t bytes) const {
  const Cycles cycles = machine_.launch.copy_rate.cycles_for(Bytes(bytes));
  return machine_.launch.copy + time_at(cycles);
}

}  // namespace dvmsim
