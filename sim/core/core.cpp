#include "sim/core/core.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr std::array kTransferPipes = {Pipe::MTE2, Pipe::MTE3, Pipe::Fix};

bool is_flag_only(const isa::Command& command) {
  using isa::Op;
  return command.op == Op::set || command.op == Op::wait || command.op == Op::xset ||
         command.op == Op::xwait;
}

std::string place_of(const isa::Command& command) {
  return std::string(isa::row_of(command.op).mnemonic) + " at word " + std::to_string(command.pc);
}

}  // namespace

Core::Core(const CostModel& costs, const PortTable& ports, CoreId id, int number,
           const Probes& probes, MemoryPort& memory, Teams& teams)
    : costs_(costs),
      ports_(ports),
      fabric_(costs.machine(), id, number, probes, memory, teams),
      scalar_(fabric_, ports) {
  for (std::size_t i = 0; i < dmas_.size(); ++i) {
    dmas_[i].emplace(costs.machine(), ports, kTransferPipes[i]);
  }
}

void Core::begin(const CoreLaunch& launch) {
  fabric_.begin(launch);
  for (auto& dma : dmas_) dma->reset();
  transferring_.fill(false);
  scalar_.begin(launch);
}

void Core::advance() {
  for (Pipe pipe; fabric_.next_ready(pipe);) {
    if (pipe == Pipe::Scalar) {
      if (!scalar_.halted()) scalar_.run();
    } else {
      run_queue(pipe);
    }
  }
}

/// Commands start in order, each as soon as everything its start depends on is known.
void Core::run_queue(Pipe pipe) {
  CommandQueue& queue = fabric_.queue(pipe);
  while (!queue.empty() && !transferring_[static_cast<std::size_t>(pipe)]) {
    if (!start(pipe)) return;
    if (ports_.is_transfer(queue.front().command.op)) {
      transfer(pipe);
    } else {
      compute(pipe);
    }
  }
}

/// The row's end is the running maximum: whatever exceeds it is the reason for the difference.
bool Core::start(Pipe pipe) {
  const QueuedCommand& front = fabric_.queue(pipe).front();
  if (!fabric_.tokens_present(front.command, pipe)) return false;
  Row& row = fabric_.row(pipe);
  row.reach(Reason::EmptyIssueBlocked, fabric_.joined);
  row.reach(Reason::EmptyFetch, front.fetched);
  row.reach(Reason::EmptyIssueBlocked, front.unblocked);
  row.reach(Reason::EmptyDecode, front.arrival);
  if (front.command.drain) row.reach(Reason::WaitDependency, fabric_.queue(pipe).visible());
  const bool unit = front.command.unit;
  fabric_.take_tokens(front.command, pipe, unit ? costs_.of(front.command).busy : Cycles(0));
  mean(front, row.end());
  return true;
}

/// Cube, vector, MTE1 and flags: the cost is the whole truth.
void Core::compute(Pipe pipe) {
  CommandQueue& queue = fabric_.queue(pipe);
  const isa::Command& command = queue.front().command;
  const Cycles start = fabric_.row(pipe).end();
  const Cost cost = costs_.of(command);
  const Cycles hold = start + (queue.drained(start) ? cost.head : Cycles(0)) + cost.busy;
  const Cycles visible = hold + cost.tail;
  Stamps stamps{visible, pipe == Pipe::Cube ? hold : visible, {}};  // operands are free, once read
  fabric_.row(pipe).work(hold, command, {hold, visible, stamps.released});
  if (command.unit) {
    const Cycles first = hold - cost.busy + isa::unit_cycles(command, cost.busy) + cost.tail;
    stamps.tile = {first, visible};
  }
  complete(pipe, hold, stamps);
}

/// Copies from and to GM: the memory system says how long.
void Core::transfer(Pipe pipe) {
  dma(pipe).begin(fabric_.queue(pipe).front().command, fabric_.row(pipe).end());
  transferring_[static_cast<std::size_t>(pipe)] = true;
  post_next_chunk(pipe);
}

bool Core::post_next_chunk(Pipe pipe) {
  Request request{{{}, static_cast<std::uint16_t>(fabric_.number), pipe}};
  if (dma(pipe).next(request)) {
    fabric_.memory.post(request);
    return true;
  }
  transferring_[static_cast<std::size_t>(pipe)] = false;
  const Dma& done = dma(pipe);
  Row& row = fabric_.row(pipe);
  const isa::Command& command = fabric_.queue(pipe).front().command;
  isa::Handover tile{};
  if (command.unit) {  // L0C is free as it is read, not as the result arrives
    const Cycles tail = done.released() - done.hold();
    tile = {row.end() + isa::unit_cycles(command, costs_.of(command).busy) + tail, done.released()};
  }
  row.work(std::min(done.uncontended_hold(), done.hold()), command,
           {done.hold(), done.visible(), done.released()});
  row.reach(Reason::WaitMemory, done.hold());
  complete(pipe, done.hold(), {done.visible(), done.released(), tile});
  return false;
}

void Core::answer(Pipe queue, const Answer& answer) {
  if (queue == Pipe::Scalar) {
    scalar_.answered(answer);
    return;
  }
  dma(queue).answered(answer);
  if (!post_next_chunk(queue)) fabric_.make_ready(queue);
}

void Core::complete(Pipe pipe, Cycles hold, const Stamps& stamps) {
  CommandQueue& queue = fabric_.queue(pipe);
  // The slot keeps its command until the next one is issued into it.
  const isa::Command& command = queue.front().command;
  queue.finish(hold, stamps.visible, stamps.released);
  fabric_.set_tokens(command, pipe, {queue.visible(), queue.released(), stamps.tile});
  fabric_.make_ready(Pipe::Scalar);
}

void Core::mean(const QueuedCommand& queued, Cycles start) {
  if (fabric_.meaning == nullptr || is_flag_only(queued.command)) return;
  fabric_.meaning->execute(fabric_.number, queued.command, queued.number, start);
}

Dma& Core::dma(Pipe pipe) {
  return *dmas_[pipe == Pipe::MTE2 ? 0 : pipe == Pipe::MTE3 ? 1 : 2];
}

bool Core::finished() const {
  if (!scalar_.halted()) return false;
  return std::all_of(kAllPipes.begin(), kAllPipes.end(),
                     [this](Pipe pipe) { return fabric_.queue(pipe).empty(); });
}

const CoreReport& Core::finish() {
  Cycles end = fabric_.row(Pipe::Scalar).end();
  for (Pipe pipe : kAllPipes) end = std::max(end, fabric_.queue(pipe).visible());
  Row& scalar = fabric_.row(Pipe::Scalar);
  scalar.reach(Reason::WaitResult, end);
  const Machine& machine = fabric_.machine;
  end += cycles_in(machine.launch.exit, machine.clock.core);
  scalar.reach(Reason::Work, end);
  fabric_.report.end = end;
  return fabric_.report;
}

std::uint32_t Core::blocked_at() const {
  for (Pipe pipe : kAllPipes) {
    if (!fabric_.queue(pipe).empty()) return fabric_.queue(pipe).front().command.pc;
  }
  return scalar_.halted() ? 0 : scalar_.pc();
}

std::string Core::blocked() {
  std::string text;
  const std::string name =
      std::string(name_of(fabric_.id.kind)) + " core " + std::to_string(fabric_.id.index) + " ";
  const auto line = [&](Pipe pipe, const std::string& command, const std::string& what) {
    text += (text.empty() ? "" : "; ") + name + std::string(name_of(pipe)) + ": " + command +
            " waits for " + what;
  };
  if (!scalar_.halted()) line(Pipe::Scalar, scalar_.doing(), scalar_.waits_for());
  for (Pipe pipe : kAllPipes) {
    if (pipe == Pipe::Scalar || fabric_.queue(pipe).empty()) continue;
    const isa::Command& command = fabric_.queue(pipe).front().command;
    line(pipe, place_of(command), fabric_.missing_token(command, pipe));
  }
  return text;
}

}  // namespace dvmsim
