#include "tests/support/oracle_core.h"

#include <algorithm>

namespace dvmsim::testing {

using isa::Command;
using isa::CrossMode;
using isa::Op;

namespace {

/// The other side of unit flags.
Pipe partner(Pipe pipe) {
  return pipe == Pipe::Cube ? Pipe::Fix : pipe == Pipe::Fix ? Pipe::Cube : Pipe::Scalar;
}

/// Of `busy` cycles, those for one of the tile's pieces of 512 B, rounded up.
Time piece_of(const Command& command, Time busy) {
  // mmad: dtype, c, a, b, m, k, n; fix: dtype, dst, src, m, n
  const std::int64_t m = command.at(command.op == Op::mmad ? 4 : 3);
  const std::int64_t n = command.at(command.op == Op::mmad ? 6 : 4);
  const std::int64_t blocks = (m + 15) / 16 * ((n + 15) / 16);  // of 1 KiB
  const std::int64_t pieces = std::max<std::int64_t>(1, 2 * blocks);
  return (busy + pieces - 1) / pieces;
}

}  // namespace

// -- the scalar unit
// -----------------------------------------------------------------------------------

void OracleCore::scalar() {
  s_ = start_;
  sleep_until(s_);
  const std::vector<Task>& tasks = launch_.program->tasks;
  const CodeRange whole{0, static_cast<std::uint32_t>(launch_.program->code(id_.kind).size())};
  std::vector<std::uint32_t> own;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].team.has(id_)) own.push_back(i);
  }
  entry_ = s_ + machine_.task.dispatch.cycles().count();
  if (mode_.prefetch) {
    if (tasks.empty()) {
      ask_ahead(whole, s_);
    } else {
      ask_ahead(tasks[own.front()].code(id_.kind), entry_);
    }
  }
  enter();
  if (tasks.empty()) {
    fetch(whole);
    run(nullptr);
  }
  for (std::size_t i = 0; i < own.size() && !waiting_.over() && fault_.empty(); ++i) {
    begin(own[i]);
    run(&tasks[own[i]]);
    if (waiting_.over() || !fault_.empty()) break;
    if (mode_.prefetch && i + 1 < own.size()) {
      ask_ahead(tasks[own[i + 1]].code(id_.kind), std::max(s_, entry_));
    }
    end(own[i]);
  }
  if (waiting_.over()) return;
  halted_ = true;
  for (OracleQueue& each : queues_) tell(each.arrived);
}

void OracleCore::run(const Task* task) {
  Firmware firmware(machine_, launch_, id_, launch_.path, task, &decoded_);
  bool waits = task != nullptr;  // for other tasks
  while (!waiting_.over()) {
    const Step step = firmware.step();
    fetch_block(step.command->pc);
    work(step.scalar.count());
    decode_ += step.scalar.count();
    if (waits && !stays(step)) {
      waits = false;
      await(*task);
      if (waiting_.over()) return;
    }
    switch (step.kind) {
      case Step::Kind::Command:
        if (step.command->pipe == Pipe::Scalar) {
          own_flags(*step.command);
        } else {
          issue(*step.command);
        }
        break;
      case Step::Kind::Drain:
        drain(static_cast<Pipe>(step.command->at(0)));
        break;
      case Step::Kind::Halt:
        return;
      default:
        fault_ = step.kind == Step::Kind::Fault ? firmware.fault().text : "a read of device data";
        return;
    }
  }
}

/// The table's entry, asked for when the task before began, and the code.
void OracleCore::begin(std::uint32_t task) {
  const Task& own = launch_.program->tasks[task];
  task_ = task;
  joined_ = s_;
  block(entry_, Reason::EmptyFetch);
  entry_ = s_ + machine_.task.dispatch.cycles().count();
  fetch(own.code(id_.kind));
}

/// On the core: nothing in memory is read or written, and no other core told anything.
bool OracleCore::stays(const Step& step) {
  if (step.kind == Step::Kind::Drain) return true;
  const bool flag = step.command->op == Op::xset || step.command->op == Op::xwait;
  if (step.kind != Step::Kind::Command || flag) return false;
  const isa::Regions regions = isa::regions(*step.command);
  return std::none_of(regions.region, regions.region + regions.count,
                      [](const isa::Region& region) { return region.space == Space::GM; });
}

/// The tasks that it comes after, those whose counts share a line together: the scalar unit reads
/// the line until a reading that is asked for after the last of their ends.
void OracleCore::await(const Task& task) {
  constexpr std::uint32_t kLine = 16;  // counts
  std::map<std::uint32_t, Time> lines;
  for (const std::uint32_t before : task.after) {
    const Time over = board_.ends[before]->when(waiting_);
    if (waiting_.over()) return;
    Time& all = lines.try_emplace(before / kLine, over).first->second;
    all = std::max(all, over);
  }
  for (const auto& [line, over] : lines) {
    const Time poll = machine_.task.poll.cycles().count();
    Time asked = poll > 0 ? s_ : std::max(s_, over);
    while (asked < over) asked += poll;
    block(asked + poll, Reason::WaitCrossCore);
  }
}

void OracleCore::end(std::uint32_t task) {
  Time visible = s_;
  for (const Pipe pipe : kAllPipes) {
    drain(pipe);
    if (waiting_.over()) return;
    visible = std::max(visible, queue(pipe).visible);
  }
  block(visible, Reason::WaitResult);
  board_.ends[task]->put(s_ + machine_.task.signal.cycles().count());
}

void OracleCore::work(Time cycles) {
  add(Pipe::Scalar, s_, s_ + cycles, Reason::Work);
  s_ += cycles;
  sleep_until(s_);
}

void OracleCore::block(Time until, Reason reason) {
  if (until <= s_) return;
  add(Pipe::Scalar, s_, until, reason);
  s_ = unblocked_ = until;
  sleep_until(s_);
}

void OracleCore::enter() {
  work(cycles_in(machine_.launch.entry, machine_.clock.core).count());
}

void OracleCore::fetch(const CodeRange& code) {
  if (launch_.path == CodePath::Native) {
    block(s_ + machine_.firmware.icache_miss.cycles().count(), Reason::EmptyFetch);
  } else if (mode_.memory != ProgramMemory::Cached) {
    if (!mode_.prefetch) ask_ahead(code, s_);
    while (there_ == kNever) {
      if (!waiting_.until(answered_)) return;
    }
    block(there_, Reason::EmptyFetch);
  }
  fetched_ = s_;
}

/// Asks at a time; the core goes on. `there_`: when all of it is there.
void OracleCore::ask_ahead(const CodeRange& code, Time asked) {
  there_ = code.words == 0 ? asked : kNever;
  if (code.words == 0) return;
  isa::Region region;
  region.base = code_ + 8 * std::int64_t{code.begin};
  region.length = 8 * std::int64_t{code.words};
  region.rows = 1;
  code_pieces_ = pieces_of(region, machine_);
  sc_core::sc_spawn([this, asked] {
    const Port way = port_of(machine_, Pipe::MTE2);
    const Time completion =
        server_.access(asked + way.request, order_, Pipe::Scalar, false, code_pieces_).completion;
    const Time moved = program_rate(machine_, id_.kind).ceil_of(moved_by(code_pieces_));
    there_ = std::max(asked + moved, completion + way.response);
    tell(answered_);
  });
}

void OracleCore::fetch_block(std::uint32_t pc) {
  if (launch_.path == CodePath::Native || mode_.memory != ProgramMemory::Cached) return;
  if (!code_blocks_.insert(8 * pc / machine_.firmware.icache_fill.count()).second) return;
  block(s_ + machine_.firmware.icache_miss.cycles().count(), Reason::EmptyFetch);
  fetched_ = s_;
}

void OracleCore::own_flags(const Command& command) {
  const CrossMode mode = static_cast<CrossMode>(command.at(2));
  for (std::size_t i = 0; i < command.waits; ++i) {
    block(tokens(command.wait[i].pipe, Pipe::Scalar, command.wait[i].id).take(waiting_),
          Reason::WaitFlag);
  }
  if (command.op == Op::xwait) {
    block(cross().take(id_, mode, command.at(1)), Reason::WaitCrossCore);
  }
  if (waiting_.over()) return;
  for (std::size_t i = 0; i < command.sets; ++i) {
    tokens(Pipe::Scalar, command.set[i].pipe, command.set[i].id)
        .put(s_ + machine_.flag.hop.count());
  }
  if (command.op == Op::xset) {
    cross().put(id_, mode, command.at(1), s_ + machine_.xflag.latency.cycles().count());
  }
  dispatched();
}

void OracleCore::issue(const Command& command) {
  OracleQueue& target = queue(command.pipe);
  const auto depth = static_cast<std::size_t>(machine_.queue_depth(command.pipe));
  if (target.issued >= depth) {
    const std::size_t leaving = target.issued - depth;
    while (target.held.size() <= leaving) {
      if (!waiting_.until(target.done)) return;
    }
    block(target.held[leaving], Reason::QueueFull);
  }
  dispatched();
  ++target.issued;
  target.entries.push_back({command, fetched_, unblocked_, s_});
  tell(target.arrived);
}

void OracleCore::drain(Pipe pipe) {
  if (pipe == Pipe::Scalar) return;
  OracleQueue& target = queue(pipe);
  while (target.held.size() < target.issued) {
    if (!waiting_.until(target.done)) return;
  }
  block(target.visible, Reason::WaitResult);
}

// -- the pipes
// ---------------------------------------------------------------------------------------

void OracleCore::pipe(Pipe which) {
  OracleQueue& own = queue(which);
  for (;;) {
    while (own.entries.empty()) {
      if (halted_) return;
      if (!waiting_.until(own.arrived)) return;
    }
    const OracleEntry entry = own.entries.front();
    const Time start = start_of(which, entry);
    if (waiting_.over()) return;
    sleep_until(start);
    hold(which, entry.command, start);
    sleep_until(own.hold);
    own.entries.pop_front();
    tell(own.done);
  }
}

Time OracleCore::start_of(Pipe pipe, const OracleEntry& entry) {
  const Command& command = entry.command;
  Time t = std::max(queue(pipe).hold, start_);
  const auto not_before = [&](Time time, Reason reason) {
    add(pipe, t, std::max(t, time), reason);
    t = std::max(t, time);
  };
  not_before(joined_, Reason::EmptyIssueBlocked);
  not_before(entry.fetched, Reason::EmptyFetch);
  not_before(entry.unblocked, Reason::EmptyIssueBlocked);
  not_before(entry.arrival, Reason::EmptyDecode);
  if (command.drain) not_before(queue(pipe).visible, Reason::WaitDependency);
  for (std::size_t i = 0; i < command.waits; ++i) {
    const Pipe from = command.wait[i].pipe;
    const Tokens::Range range = tokens(from, pipe, command.wait[i].id).take_range(waiting_);
    Time time = range.last;
    if (command.unit && partner(pipe) == from) {
      const Time busy = costs_.of(command).busy.count();
      time = std::max(range.first, range.last - busy + piece_of(command, busy));
    }
    not_before(time, Reason::WaitFlag);
  }
  if (command.op == Op::xwait) {
    const Time token = cross().take(id_, static_cast<CrossMode>(command.at(2)), command.at(1));
    not_before(token, Reason::WaitCrossCore);
  }
  return t;
}

void OracleCore::hold(Pipe pipe, const Command& command, Time start) {
  OracleQueue& own = queue(pipe);
  const isa::Regions regions = isa::regions(command);
  const isa::Region* global = nullptr;
  for (int i = 0; i < regions.count; ++i) {
    if (regions.region[i].space == Space::GM) global = &regions.region[i];
  }
  Time visible = 0, released = 0;
  Tokens::Range tile{};
  const Time busy = command.unit ? costs_.of(command).busy.count() : 0;
  if (global != nullptr) {
    const Moves moves = move(pipe, command, *global, start);
    add(pipe, start, start + moves.uncontended, Reason::Work, moves.visible);
    add(pipe, start + moves.uncontended, start + moves.hold, Reason::WaitMemory);
    own.hold = start + moves.hold;
    visible = moves.visible;
    released = moves.released;
    if (command.unit) {
      tile = {start + piece_of(command, busy) + moves.released - start - moves.hold, released};
    }
  } else {
    const Cost cost = costs_.of(command);
    const bool drained = start >= own.visible && start > own.hold;
    own.hold = start + (drained ? cost.head.count() : 0) + cost.busy.count();
    visible = own.hold + cost.tail.count();
    released = pipe == Pipe::Cube ? own.hold : visible;
    add(pipe, start, own.hold, Reason::Work, visible);
    if (command.unit) {
      tile = {visible - busy + piece_of(command, busy), visible};
    }
  }
  own.visible = std::max(own.visible, visible);
  own.released = std::max(own.released, released);
  own.held.push_back(own.hold);
  tell(own.done);
  set(pipe, command, own, tile);
}

void OracleCore::set(Pipe pipe, const Command& command, const OracleQueue& own,
                     Tokens::Range tile) {
  const Time hop = machine_.flag.hop.count();
  for (std::size_t i = 0; i < command.sets; ++i) {
    const Pipe to = command.set[i].pipe;
    const bool on_core = to == Pipe::MTE1 || to == Pipe::Cube || to == Pipe::Vector;
    Tokens& told = tokens(pipe, to, command.set[i].id);
    if (command.unit && to == partner(pipe)) {
      told.put({tile.first + hop, tile.last + hop});
    } else {
      told.put((on_core ? own.released : own.visible) + hop);
    }
  }
  if (command.op == Op::xset) {
    cross().put(id_, static_cast<CrossMode>(command.at(2)), command.at(1),
                own.visible + machine_.xflag.latency.cycles().count());
  }
}

OracleCore::Moves OracleCore::move(Pipe pipe, const Command& command, const isa::Region& region,
                                   Time start) {
  Port& through = port(pipe);
  const Rates rates = rates_of(machine_, command);
  const std::int64_t limit = limit_of(machine_, command);
  const std::vector<OraclePiece> pieces = pieces_of(region, machine_);
  std::vector<OraclePiece>& chunk = chunks_[static_cast<std::size_t>(pipe)];
  Time next = start * Port::kOne;  // when the port has put the previous chunk behind it
  Time ports = 0, back = start;
  for (auto piece = pieces.begin(); piece != pieces.end();) {
    const Time sent = through.room(next, limit);
    const std::int64_t most = std::min(through.chunk, limit - through.under_way());
    chunk.assign(piece, piece + std::min<std::ptrdiff_t>(most, pieces.end() - piece));
    piece += static_cast<std::ptrdiff_t>(chunk.size());
    const Time leaves = (sent + Port::kOne - 1) / Port::kOne;
    const OracleMemory::Answer answer = server_.access(leaves + through.request, order_, pipe,
                                                       region.access != isa::Access::Read, chunk);
    const Time completion = answer.completion;
    const std::int64_t hit = moved_by(chunk) - answer.missed;
    const Time busy = std::max(Port::kOne, rates.hit.ceil_of(hit * Port::kOne) +
                                               rates.miss.ceil_of(answer.missed * Port::kOne));
    through.flights.push_back(
        {completion + through.response, static_cast<std::int64_t>(chunk.size())});
    next = sent + busy;
    ports += busy;
    const auto count = static_cast<Time>(chunk.size());
    const Time behind = (busy / count * (count - 1) + Port::kOne - 1) / Port::kOne;
    back = std::max(back, completion + through.response + behind);
  }
  const auto whole = [](Time fixed) { return (fixed + Port::kOne - 1) / Port::kOne; };
  const Time held = std::max(start + through.gap, whole(next));
  const Time visible = std::max(back, held);
  const Time released = pipe == Pipe::Fix ? held + through.release : visible;
  return {held - start, std::max(through.gap, whole(ports)), visible, released};
}

void OracleCore::leave() {
  Time end = s_;
  for (const OracleQueue& each : queues_) end = std::max(end, each.visible);
  add(Pipe::Scalar, s_, end, Reason::WaitResult);
  s_ = end + cycles_in(machine_.launch.exit, machine_.clock.core).count();
  add(Pipe::Scalar, end, s_, Reason::Work);
}

void OracleCore::add_to(OracleResult& result) const {
  const Time first = commands_ > 0 ? first_dispatch_ : s_;
  if (result.end == 0 || first < result.first_dispatch) result.first_dispatch = first;
  result.commands += commands_;
  result.decode += decode_;
  result.end = std::max(result.end, s_);
}

void OracleCore::describe_blocked(std::string& text) const {
  const std::string name = std::string(name_of(id_.kind)) + " " + std::to_string(id_.index) + " ";
  if (!fault_.empty()) text += name + fault_ + "; ";
  if (!halted_) text += name + "scalar; ";
  for (Pipe pipe : kAllPipes) {
    if (queues_[static_cast<std::size_t>(pipe)].entries.empty()) continue;
    text += name + std::string(name_of(pipe)) + "; ";
  }
}

}  // namespace dvmsim::testing
