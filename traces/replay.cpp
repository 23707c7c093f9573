#include "traces/replay.h"

#include <bit>

namespace dvmsim {
namespace {

constexpr std::uint32_t kNotAsked = ~std::uint32_t{0};

/// Cycles that a chunk takes to cross L2 and its channels, about.
constexpr double kCrossing = 64;

std::uint32_t width_of(Cycles cycles) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, cycles.count()));
}

double real(Cycles cycles) {
  return static_cast<double>(cycles.count());
}

}  // namespace

MomentQueue& Replay::Core::flag(Pipe from, Pipe to, int number) {
  return flags[(static_cast<std::size_t>(from) * kPipes + static_cast<std::size_t>(to)) *
                   isa::kFlagIds +
               static_cast<std::size_t>(number)];
}

Replay::Replay(const Machine& machine, const ReplayOptions& options)
    : machine_(machine), options_(options), share_(1.0 / options.faster), stretches_(options.most) {
  intern("");
  const double read = real(machine.l2.read_latency.cycles() + machine.hbm.latency.cycles());
  const double write = real(machine.l2.write_latency.cycles());
  idle_latency_[lane_of(Pipe::MTE2)] = real(machine.mte2.latency) + read;
  idle_latency_[lane_of(Pipe::MTE3)] = real(machine.mte3.latency) + write;
  idle_latency_[lane_of(Pipe::Fix)] = real(machine.fix.latency) + write;
}

// -- launches -------------------------------------------------------------------------------------

void Replay::on_launch_begin(const LaunchMark& mark, const Program& program) {
  launch_ = mark.launch;
  taking_part_.clear();
  maps_ = {CodeMap(program, CoreKind::Cube), CodeMap(program, CoreKind::Vector)};
  labels_.clear();
  if (program.tasks.empty()) {
    labels_.push_back({intern(mark.label.empty() ? program.name : std::string(mark.label))});
  }
  for (const Task& task : program.tasks) labels_.push_back({intern(task.name)});
  for (Label& label : labels_) {
    for (std::size_t i = 0; i < maps_.size(); ++i) {
      label.operators[i].assign(maps_[i].operators().size(), kNotAsked);
    }
  }
  cross_.assign(labels_.size(), CrossMoments(machine_));
  task_ends_.assign(labels_.size(), Moment{});
  Moment begin = submission_of(mark);
  if (!ends_.empty()) {
    begin.after = end_.after;
    begin.reach(end_);
  }
  settle(begin, mark.begin);
  launch_begin_ = begin;
}

/// The host takes the time it took; it is earlier by as much as the launch that it waited for.
Moment Replay::submission_of(const LaunchMark& mark) const {
  Moment submission{mark.submitted, 0, {}};
  submission.lane.fill(real(mark.submitted));
  const auto awaited = std::find_if(ends_.rbegin(), ends_.rend(),
                                    [&](const Moment& end) { return end.at == mark.awaited; });
  if (awaited == ends_.rend()) return submission;
  for (std::size_t i = 0; i < kLanes; ++i) {
    submission.lane[i] -= real(awaited->at) - awaited->lane[i];
  }
  return submission;
}

void Replay::on_launch_end(const LaunchMark& mark) {
  Moment end = launch_begin_;
  for (Core* core : taking_part_) end.reach(finish(*core));
  settle(end, mark.end);
  end_ = end;
  ends_.push_back(end);
}

/// The kernel ends when its program has and every result is visible.
Moment Replay::finish(Core& core) {
  const Cycles exit = cycles_in(machine_.launch.exit, machine_.clock.core);
  core.open -= std::min(core.open, exit.count());  // the last work of the scalar unit
  close_work(core);
  for (Pipe pipe : kAllPipes) {
    if (pipe != Pipe::Scalar) core.scalar.reach(core.queue(pipe).visible);
  }
  spend(core, exit, Cause::Launch, false);
  if (!core.issued) note_dispatch(core);  // a core without commands counts from its end
  return core.scalar;
}

Replay::Core& Replay::core_of(const CoreId& id) {
  auto& cores = cores_[static_cast<std::size_t>(id.kind)];
  const auto index = static_cast<std::size_t>(id.index);
  if (index >= cores.size()) cores.resize(index + 1);
  if (cores[index] == nullptr) {
    auto core = std::make_unique<Core>();
    core->id = id;
    core->flags.resize(kPipes * kPipes * isa::kFlagIds);
    for (Pipe pipe : kAllPipes) {
      Queue& queue = core->queue(pipe);
      queue.depth = pipe == Pipe::Scalar ? 1 : static_cast<std::size_t>(machine_.queue_depth(pipe));
      queue.slots.resize(std::bit_ceil(queue.depth));
    }
    cores[index] = std::move(core);
  }
  return *cores[index];
}

void Replay::begin(Core& core, Cycles start) {
  core.launch = launch_;
  core.task = 0;
  core.issued = false;
  core.open = 0;
  core.entry = cycles_in(machine_.launch.entry, machine_.clock.core).count();
  for (MomentQueue& flag : core.flags) flag.clear();
  for (auto& taken : core.taken) taken.clear();
  const Cycles head = start - launch_begin_.at;
  core.scalar = launch_begin_;
  StretchRecord record;
  record.unit = {core.id.kind, Pipe::Scalar};
  record.place = label_of(core).name << 8;
  record.led = launch_begin_.at > end_.at ? Cause::Host : Cause::Latency;
  record.spent = Cause::Launch;
  record.work = width_of(head);
  core.scalar.after = append(launch_begin_, start, record);
  core.scalar.add(head);
  for (Queue& queue : core.queues) {
    queue.issued = queue.finished = 0;
    queue.free = queue.visible = launch_begin_;
  }
  taking_part_.push_back(&core);
}

// -- the scalar unit ------------------------------------------------------------------------------

void Replay::on_span(const Span& span) {
  Core& core = core_of(span.row.core);
  const bool scalar = span.row.pipe == Pipe::Scalar;
  if (core.launch != launch_) {
    if (!scalar) return;  // its idle time before the launch
    const bool idle = span.reason == Reason::Idle;
    begin(core, idle ? span.end : span.begin);
    if (idle) return;
  }
  if (scalar) {
    on_scalar(core, span);
  } else if (span.reason == Reason::Work && span.command != nullptr) {
    on_command(core, span);
  }
}

/// Its waits end at moments that are known when it goes on: see on_issue.
void Replay::on_scalar(Core& core, const Span& span) {
  const Cycles cycles = span.end - span.begin;
  if (span.reason == Reason::Work && core.entry > 0) {
    core.entry = 0;
    spend(core, cycles, Cause::Launch, false);
  } else if (span.reason == Reason::Work) {
    core.open += cycles.count();
  } else if (span.reason == Reason::EmptyFetch) {
    close_work(core);
    spend(core, cycles, Cause::Fetch, true);
  }
}

void Replay::close_work(Core& core) {
  if (core.open == 0) return;
  const Cycles cycles(core.open);
  StretchRecord record;
  record.unit = {core.id.kind, Pipe::Scalar};
  record.place = label_of(core).name << 8;
  record.work = width_of(cycles);
  Moment& now = core.scalar;
  now.after = append(now, now.at + cycles, record);
  now.add(cycles);
  now.lane[lane_of(Pipe::Scalar)] -= real(cycles) * (1 - share_);
  core.open = 0;
}

void Replay::spend(Core& core, Cycles cycles, Cause cause, bool of_memory) {
  if (cycles <= Cycles(0)) return;
  StretchRecord record;
  record.unit = {core.id.kind, Pipe::Scalar};
  record.place = label_of(core).name << 8;
  record.spent = cause;
  record.work = width_of(cycles);
  Moment& now = core.scalar;
  now.after = append(now, now.at + cycles, record);
  now.add(cycles);
  if (of_memory) now.lane[kMemoryLane] -= real(cycles) * (1 - share_);
}

void Replay::on_issue(const Issue& issue) {
  Core& core = core_of(issue.core);
  const isa::Command& command = *issue.command;
  if (core.launch != launch_) begin(core, issue.at);
  close_work(core);
  if (command.pipe == Pipe::Scalar) {
    perform(core, command);
    if (core.scalar.at < issue.at && command.op != isa::Op::drain) {  // a value from memory
      spend(core, issue.at - core.scalar.at, Cause::Memory, true);
    }
    settle(core.scalar, issue.at);
    set_flags(core, command, Pipe::Scalar, core.scalar);
  } else {
    Queue& queue = core.queue(command.pipe);
    if (queue.issued >= queue.depth) core.scalar.reach(queue.slot(queue.issued - queue.depth));
    settle(core.scalar, issue.at);
    queue.slot(queue.issued++) = core.scalar;
  }
  const bool counts =
      command.op != isa::Op::drain && command.op != isa::Op::ldgm && command.op != isa::Op::ldub;
  if (counts && !core.issued) note_dispatch(core);
}

void Replay::note_dispatch(Core& core) {
  core.issued = true;
  if (!dispatched_) first_dispatch_ = core.scalar;
  dispatched_ = true;
  first_dispatch_.at = std::min(first_dispatch_.at, core.scalar.at);
  for (std::size_t i = 0; i < kLanes; ++i) {
    first_dispatch_.lane[i] = std::min(first_dispatch_.lane[i], core.scalar.lane[i]);
  }
}

/// Flags, reads and drains of the scalar unit itself.
void Replay::perform(Core& core, const isa::Command& command) {
  if (command.op == isa::Op::drain) {
    core.scalar.reach(core.queue(static_cast<Pipe>(command.at(0))).visible);
    return;
  }
  Cause led = Cause::Latency;
  Moment now = core.scalar;
  wait_for_flags(core, command, Pipe::Scalar, now, led);
  if (command.drain && now.reach(core.queue(Pipe::Vector).visible)) led = Cause::Latency;
  if (now.at > core.scalar.at) {
    StretchRecord record;
    record.unit = {core.id.kind, Pipe::Scalar};
    record.place = place_of(core, command);
    record.led = led;
    now.after = append(now, now.at, record);
  }
  core.scalar = now;
}

// -- tasks ----------------------------------------------------------------------------------------

void Replay::on_task(const TaskMark& mark) {
  Core& core = core_of(mark.core);
  if (core.launch != launch_) begin(core, mark.at);
  close_work(core);
  switch (mark.what) {
    case TaskMark::What::Begin:
      core.task = mark.number;
      break;
    case TaskMark::What::Ready:
      await(core, *mark.task, mark.at);
      break;
    case TaskMark::What::End: {
      for (Pipe pipe : kAllPipes) {
        if (pipe != Pipe::Scalar) core.scalar.reach(core.queue(pipe).visible);
      }
      settle(core.scalar, mark.at);
      Moment told = core.scalar;
      told.add(machine_.task.signal.cycles());
      task_ends_[mark.number].reach(told);
      break;
    }
  }
}

/// The readings of counts take what the device saw beyond the moment when the last was full.
void Replay::await(Core& core, const Task& task, Cycles ready) {
  Moment now = core.scalar;
  for (const std::uint32_t before : task.after) now.reach(task_ends_[before]);
  if (now.at > core.scalar.at) {
    StretchRecord record;
    record.unit = {core.id.kind, Pipe::Scalar};
    record.place = label_of(core).name << 8;
    record.led = Cause::Cross;
    now.after = append(now, now.at, record);
  }
  core.scalar = now;
  if (ready > now.at) spend(core, ready - now.at, Cause::Cross, false);
  settle(core.scalar, ready);
}

// -- the queues -----------------------------------------------------------------------------------

void Replay::on_command(Core& core, const Span& span) {
  const isa::Command& command = *span.command;
  const Pipe pipe = span.row.pipe;
  Queue& queue = core.queue(pipe);
  Moment& slot = queue.slot(queue.finished++);
  Moment start = queue.free;
  Cause led = Cause::Latency;
  start.reach(slot);
  if (command.drain) start.reach(queue.visible);
  wait_for_flags(core, command, pipe, start, led);
  if (settle(start, span.begin)) led = Cause::Other;

  const Cycles hold = std::max(span.hold, span.end);
  const Cycles work = span.end - span.begin, wait = hold - span.end;
  const Cycles tail = std::max(Cycles(0), span.visible - hold);
  StretchRecord record;
  record.unit = {core.id.kind, pipe};
  record.place = place_of(core, command);
  record.led = led;
  record.work = width_of(work);
  record.wait = width_of(wait);
  const Stretch stretch = append(start, hold, record);

  start.after = stretch;
  Moment visible = start;
  start.add(work + wait);
  visible.add(work + wait + tail);
  shorten(pipe, {real(work), real(wait), real(tail)}, start.lane, visible.lane);
  queue.free = slot = start;
  queue.visible.reach(visible);
  set_flags(core, command, pipe, queue.visible);
}

/// Lanes at the end of the hold and at the visible result, after the durations as they were. A
/// faster pipe gains nothing while memory is what it waits for: in the hold, if memory was slower
/// than the port, and in the latency, if that is more than an idle memory's. Faster memory
/// gains no more than the port lets through.
void Replay::shorten(Pipe pipe, const Durations& took, Lanes& hold, Lanes& visible) const {
  const double held = took.work + took.wait;
  double& own = hold[lane_of(pipe)];
  const double own_held = std::max(took.work * share_, took.wait > 0 ? held : 0.0);
  own -= held - own_held;
  const double idle = idle_latency_[lane_of(pipe)];
  const bool contended = idle > 0 && took.tail > idle + kCrossing;
  if (!contended) visible[lane_of(pipe)] -= held - own_held;
  if (idle == 0) return;
  const double with_memory = std::max(took.work, held * share_);
  hold[kMemoryLane] -= held - with_memory;
  const double all = held + took.tail;
  visible[kMemoryLane] -=
      all - (contended ? std::max(took.work, all * share_) : with_memory + took.tail * share_);
}

/// Told before the command that takes the flag.
void Replay::on_flag(const FlagEdge& edge) {
  const bool of_task = edge.from.pipe == Pipe::Scalar && edge.to.pipe == Pipe::Scalar;
  if (edge.from.core != edge.to.core || of_task) return;
  core_of(edge.to.core).taken[lane_of(edge.to.pipe)].push_back(edge.set);
}

/// A flag may be set before the result is visible, by what is released or handed over early: then
/// it keeps that distance to it.
void Replay::wait_for_flags(Core& core, const isa::Command& command, Pipe pipe, Moment& moment,
                            Cause& led) {
  std::vector<Cycles>& taken = core.taken[lane_of(pipe)];
  std::size_t number = 0;
  for (const isa::FlagRef& wait : command.wait) {
    if (!wait.valid) continue;
    MomentQueue& flag = core.flag(wait.pipe, pipe, wait.id);
    if (flag.empty() || number >= taken.size()) {
      ++contradictions_;
      continue;
    }
    Moment token = flag.pop();
    token.add(taken[number++] + machine_.flag.hop - token.at);
    if (moment.reach(token)) led = Cause::Flag;
  }
  taken.clear();
  if (command.op == isa::Op::xwait && moment.reach(cross_[core.task].take(core.id, command))) {
    led = Cause::Cross;
  }
}

void Replay::set_flags(Core& core, const isa::Command& command, Pipe pipe, const Moment& visible) {
  for (const isa::FlagRef& set : command.set) {
    if (!set.valid) continue;
    Moment token = visible;
    token.add(machine_.flag.hop);
    core.flag(pipe, set.pipe, set.id).push(token);
  }
  if (command.op != isa::Op::xset) return;
  Moment token = visible;
  token.add(machine_.xflag.latency.cycles());
  cross_[core.task].set(core.id, command, token);
}

/// What the device saw, if it was later than everything known here.
bool Replay::settle(Moment& moment, Cycles seen) {
  if (moment.at == seen) return false;
  if (moment.at > seen) ++contradictions_;
  if (moment.at < seen) unexplained_ += (seen - moment.at).count();
  moment.add(seen - moment.at);
  return true;
}

Stretch Replay::append(const Moment& start, Cycles end, StretchRecord record) {
  record.end = end;
  record.before = start.after;
  const Cycles begun = end - Cycles(std::int64_t{record.work} + std::int64_t{record.wait});
  record.lead = start.after == 0 ? 0 : width_of(begun - stretches_.at(start.after).end);
  return stretches_.add(record);
}

// -- names ----------------------------------------------------------------------------------------

std::uint32_t Replay::intern(const std::string& name) {
  const auto [place, is_new] =
      known_.try_emplace(name, static_cast<std::uint32_t>(operators_.size()));
  if (is_new) operators_.push_back(name);
  return place->second;
}

std::uint32_t Replay::place_of(const Core& core, const isa::Command& command) {
  const std::size_t side = core.id.kind == CoreKind::Vector ? 1 : 0;
  const CodeMap::Place place = maps_[side].at(command.pc);
  const std::int32_t inner = place.part >= 0 ? place.part : place.op;
  const std::uint32_t name =
      inner < 0 ? label_of(core).name : name_of(core, side, static_cast<std::size_t>(inner));
  return name << 8 | static_cast<std::uint32_t>(command.op);
}

/// Programs that serve many operators know only what they do; the launch or task knows for whom.
std::uint32_t Replay::name_of(const Core& core, std::size_t side, std::size_t number) {
  Label& label = label_of(core);
  std::uint32_t& known = label.operators[side][number];
  if (known == kNotAsked) {
    const std::string& name = maps_[side].operators()[number];
    const bool says = operators_[label.name].find(name) != std::string::npos;
    known = says ? intern(name) : label.name;
  }
  return known;
}

const std::string& Replay::operator_of(std::uint32_t place) const {
  return operators_[place >> 8];
}

const isa::Row* Replay::instruction_of(std::uint32_t place) const {
  const auto code = static_cast<std::uint8_t>(place & 0xff);
  return code == static_cast<std::uint8_t>(isa::Op::halt) ? nullptr : isa::find_row(code);
}

}  // namespace dvmsim
