#include "sim/unit/scalar.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr Pipe kScalar = Pipe::Scalar;

}  // namespace

Scalar::Scalar(Fabric& fabric, const PortTable& ports)
    : fabric_(fabric),
      ports_(ports),
      read_path_(scalar_path(fabric.machine)),
      program_path_(load_path(fabric.machine)),
      data_lines_(static_cast<std::size_t>(fabric.machine.firmware.dcache.count() / kDataLine)) {}

void Scalar::begin(const CoreLaunch& launch) {
  launch_ = launch;
  task_ = 0;
  others_over_ = true;
  asked_ = Asked::No;
  const Machine& machine = fabric_.machine;
  const Program& program = *launch.launch->program;
  const CodeRange whole{0, static_cast<std::uint32_t>(program.code(fabric_.id.kind).size())};
  mode_ = firmware_mode(machine, program, launch.launch->path);
  decoded_ = DecodeCache(mode_.decode_cache);
  blocks_.clear();
  if (mode_.memory == ProgramMemory::Cached && launch.launch->path != CodePath::Native) {
    const auto fill = static_cast<std::size_t>(machine.firmware.icache_fill.count());
    if (whole.words > 0) blocks_.assign(whole.words * 8 / fill + 1, false);
  }
  Row& row = fabric_.row(kScalar);
  entry_ = row.end() + machine.task.dispatch.cycles();
  if (mode_.prefetch) fetch_ahead(launch.tasks.empty() ? whole : code_of(0));
  row.reach(Reason::Work, row.end() + cycles_in(machine.launch.entry, machine.clock.core));
  if (!launch.tasks.empty()) {
    begin_task();
  } else {
    start_firmware(nullptr);
    begin_fetch(whole);
  }
  fabric_.make_ready(kScalar);
}

/// Its entry of the table has been asked for, perhaps its code as well; what it comes after is
/// waited for with both there, at the first step that leaves the core. The entry after it is asked
/// for, to be there in the end.
void Scalar::begin_task() {
  fabric_.join(launch_.tasks[task_], task());
  if (task_ > 0 && fabric_.meaning != nullptr) fabric_.meaning->renew(fabric_.number);
  wait_until(Reason::EmptyFetch, entry_);
  fabric_.fetched = fabric_.row(kScalar).end();
  entry_ = fabric_.row(kScalar).end() + fabric_.machine.task.dispatch.cycles();
  start_firmware(&task());
  awaited_ = 0;
  others_over_ = false;
  begin_fetch(code_of(task_));
}

void Scalar::start_firmware(const Task* task) {
  firmware_.emplace(fabric_.machine, *launch_.launch, fabric_.id, launch_.launch->path, task,
                    &decoded_);
  std::fill(data_lines_.begin(), data_lines_.end(), 0u);
  step_pending_ = flags_taken_ = false;
}

/// Bytecode is read into the core before it runs, unless it has been asked for ahead, or block by
/// block when it stays in GM behind a cache; compiled code misses its cache once.
void Scalar::begin_fetch(const CodeRange& code) {
  Row& row = fabric_.row(kScalar);
  if (launch_.launch->path == CodePath::Native) {
    wait_until(Reason::EmptyFetch, row.end() + fabric_.machine.firmware.icache_miss.cycles());
    fabric_.fetched = row.end();
  } else if (asked_ == Asked::No) {
    ask_for(code, row.end());
  }
  phase_ = asked_ != Asked::No ? Phase::Fetching : Phase::Running;
}

/// What is decoded of the program before it is no longer needed, so its memory takes the next.
void Scalar::fetch_ahead(const CodeRange& code) {
  const Cycles now = fabric_.row(kScalar).end();
  ask_for(code, launch_.tasks.empty() ? now : std::max(now, entry_));
}

void Scalar::ask_for(const CodeRange& code, Cycles now) {
  if (code.words == 0 || mode_.memory == ProgramMemory::Cached) return;
  asked_ = Asked::Waiting;
  asked_at_ = now;
  const Cutting cutting(fabric_.machine);
  PieceCutter cutter(cutting);
  const isa::Region program{Space::PROG, isa::Access::Read,
                            static_cast<std::int64_t>(launch_.code_address + 8 * code.begin),
                            static_cast<std::int64_t>(code.words) * 8, 1};
  cutter.begin(program);
  pieces_.resize(static_cast<std::size_t>(program.length / cutting.granule + 2));
  program_ = cutter.cut(pieces_);
  const auto core = static_cast<std::uint16_t>(fabric_.number);
  fabric_.memory.post({{asked_at_ + program_path_.request, core, kScalar}, false, program_.pieces});
}

bool Scalar::receive_program() {
  if (asked_ != Asked::Answered) return false;
  asked_ = Asked::No;
  const Cycles sent =
      asked_at_ + Cycles(ports_.program_rate(fabric_.id.kind).ceil_of(program_.moved));
  wait_until(Reason::EmptyFetch, std::max(sent, completion_ + program_path_.response));
  fabric_.fetched = fabric_.row(kScalar).end();
  phase_ = Phase::Running;
  return true;
}

void Scalar::answered(const Answer& answer) {
  completion_ = answer.completion;
  asked_ = Asked::Answered;
  fabric_.make_ready(kScalar);
}

void Scalar::run() {
  while (phase_ != Phase::Halted) {
    if (phase_ == Phase::Fetching && !receive_program()) return;
    if (phase_ == Phase::Waiting && !await_tasks()) return;
    if (phase_ == Phase::Running && !run_program()) return;
    if (phase_ == Phase::Ending && !end_task()) return;
  }
}

bool Scalar::run_program() {
  while (phase_ == Phase::Running) {
    if (!step_pending_) take_step();
    if (!others_over_ && leaves_core(step_)) {
      phase_ = Phase::Waiting;
      return true;
    }
    if (!perform()) return false;
    step_pending_ = false;
  }
  return true;
}

/// The firmware reads the counts of earlier tasks until they are full, those in one line of its
/// data cache at once. A reading sees what is there when it is asked for.
bool Scalar::await_tasks() {
  const std::vector<std::uint32_t>& after = task().after;
  for (; awaited_ < after.size(); ++awaited_) {
    if (!fabric_.teams.over(after[awaited_], fabric_.number)) {
      fabric_.await_cross(kScalar);
      return false;
    }
  }
  for (auto begin = after.begin(); begin != after.end();) {
    const auto line = *begin / kCountsOfLine;
    auto end = begin;
    Cycles full = kNever;
    for (; end != after.end() && *end / kCountsOfLine == line; ++end) {
      full = std::max(full, fabric_.teams.token(*end).time);
    }
    read_counts(full);
    for (; begin != end; ++begin) fabric_.tell_over(*begin);
  }
  if (fabric_.meaning != nullptr && !after.empty()) fabric_.meaning->synchronize();
  fabric_.tell_task(TaskMark::What::Ready, launch_.tasks[task_], task());
  others_over_ = true;
  phase_ = Phase::Running;
  return true;
}

void Scalar::read_counts(Cycles full) {
  const std::int64_t poll = fabric_.machine.task.poll.cycles().count();
  const Cycles now = fabric_.row(kScalar).end();
  const std::int64_t late = (full - now).count();
  const std::int64_t readings = late <= 0 ? 1 : poll == 0 ? 0 : 1 + (late + poll - 1) / poll;
  wait_until(Reason::WaitCrossCore, now + Cycles(std::max(late, poll * readings)));
}

bool Scalar::end_task() {
  Cycles end = fabric_.row(kScalar).end();
  for (const Pipe pipe : kAllPipes) {
    if (!fabric_.queue(pipe).empty()) return false;
    end = std::max(end, fabric_.queue(pipe).visible());
  }
  wait_until(Reason::WaitResult, end);
  fabric_.tell_task(TaskMark::What::End, launch_.tasks[task_], task());
  fabric_.teams.end(launch_.tasks[task_],
                    {end + fabric_.machine.task.signal.cycles(), {fabric_.id, kScalar}});
  if (++task_ < launch_.tasks.size()) {
    begin_task();
  } else {
    halt();
  }
  return true;
}

void Scalar::take_step() {
  step_ = firmware_->step();
  step_pending_ = true;
  flags_taken_ = false;
  if (!blocks_.empty()) fetch_block();
  Row& row = fabric_.row(kScalar);
  if (!launch_.free_firmware) row.reach(Reason::Work, row.end() + step_.scalar);
  fabric_.report.decode += step_.scalar;
  fabric_.report.instructions += step_.instructions;
}

/// The block of the program that the step's command stands in, when it is touched first.
void Scalar::fetch_block() {
  const auto block = static_cast<std::size_t>(step_.command->pc * 8 /
                                              fabric_.machine.firmware.icache_fill.count());
  if (blocks_[block]) return;
  blocks_[block] = true;
  Row& row = fabric_.row(kScalar);
  wait_until(Reason::EmptyFetch, row.end() + fabric_.machine.firmware.icache_miss.cycles());
  fabric_.fetched = row.end();
}

bool Scalar::perform() {
  switch (step_.kind) {
    case Step::Kind::Command:
      return step_.command->pipe == kScalar ? own_flags(*step_.command) : issue(*step_.command);
    case Step::Kind::Read:
      return read(*step_.command);
    case Step::Kind::Drain:
      return drain(*step_.command);
    case Step::Kind::Fault:
      fabric_.fail(firmware_->fault());
      halt();
      return true;
    case Step::Kind::Halt:
      if (launch_.tasks.empty()) {
        halt();
      } else {
        phase_ = Phase::Ending;
        if (mode_.prefetch && task_ + 1 < launch_.tasks.size()) fetch_ahead(code_of(task_ + 1));
      }
      return true;
  }
  return false;
}

void Scalar::halt() {
  phase_ = Phase::Halted;
  fabric_.report.end = fabric_.row(kScalar).end();
}

bool Scalar::issue(const isa::Command& command) {
  CommandQueue& queue = fabric_.queue(command.pipe);
  if (queue.full()) return false;
  wait_until(Reason::QueueFull, queue.slot_free());
  const Cycles now = fabric_.row(kScalar).end();
  queue.push({command, now, fabric_.unblocked, fabric_.fetched,
              static_cast<std::uint64_t>(fabric_.report.commands)});
  fabric_.make_ready(command.pipe);
  fabric_.tell_issue(command);
  if (fabric_.report.commands++ == 0) fabric_.report.first_dispatch = now;
  return true;
}

/// Flags whose named pipe is the scalar unit itself.
bool Scalar::own_flags(const isa::Command& command) {
  if (!fabric_.tokens_present(command, kScalar)) return false;
  const Cycles before = fabric_.row(kScalar).end();
  fabric_.take_tokens(command, kScalar);
  const Cycles now = fabric_.row(kScalar).end();
  if (now > before) fabric_.unblocked = now;
  fabric_.tell_issue(command);
  fabric_.set_tokens(command, kScalar, {now, now, {}});
  if (fabric_.report.commands++ == 0) fabric_.report.first_dispatch = now;
  return true;
}

bool Scalar::drain(const isa::Command& command) {
  const auto pipe = static_cast<Pipe>(command.at(0));
  if (pipe == kScalar) return true;
  CommandQueue& queue = fabric_.queue(pipe);
  if (!queue.empty()) return false;
  wait_until(Reason::WaitResult, queue.visible());
  fabric_.tell_issue(command);
  return true;
}

bool Scalar::read(const isa::Command& command) {
  if (fabric_.meaning == nullptr && !step_.assumed) {
    fabric_.fail({FaultKind::DataInTimingMode, fabric_.id, command.pc,
                  "the program reads device data, and timing mode has none"});
    halt();
    return true;
  }
  if (!flags_taken_) {
    if (!fabric_.tokens_present(command, kScalar)) return false;
    if (command.drain && !fabric_.queue(Pipe::Vector).empty()) return false;
    const Cycles before = fabric_.row(kScalar).end();
    fabric_.take_tokens(command, kScalar);
    if (fabric_.row(kScalar).end() > before) fabric_.unblocked = fabric_.row(kScalar).end();
    if (command.drain) wait_until(Reason::WaitResult, fabric_.queue(Pipe::Vector).visible());
    flags_taken_ = true;
  }
  if (command.op == isa::Op::ldgm) {
    if (!load_gm(command)) return false;
  } else {
    load_ub();
  }
  std::int64_t value = 0;
  Fault fault{};
  if (fabric_.meaning != nullptr) {
    fault = fabric_.meaning->read(fabric_.number, command, value);
  } else {
    value = value_without_data(command);
  }
  if (fault) {
    fabric_.fail(std::move(fault));
    halt();
    return true;
  }
  fabric_.tell_issue(command);
  const Cycles now = fabric_.row(kScalar).end();
  fabric_.set_tokens(command, kScalar, {now, now, {}});
  firmware_->supply(value);
  return true;
}

/// What the host wrote, else what the firmware assumes.
std::int64_t Scalar::value_without_data(const isa::Command& command) {
  if (fabric_.contents != nullptr) {
    if (const auto written = fabric_.contents->read(command)) return *written;
  }
  ++fabric_.report.assumed;
  return *step_.assumed;
}

void Scalar::load_ub() {
  wait_until(Reason::WaitResult, fabric_.row(kScalar).end() + fabric_.machine.firmware.load_ub);
}

bool Scalar::load_gm(const isa::Command& command) {
  const Cycles now = fabric_.row(kScalar).end();
  const std::uint64_t line = static_cast<std::uint64_t>(command.at(2)) / kDataLine;
  const bool cached = !data_lines_.empty() && data_lines_[line % data_lines_.size()] == line + 1;
  if (asked_ == Asked::No && cached) {
    wait_until(Reason::WaitResult, now + fabric_.machine.firmware.load_argument);
    return true;
  }
  if (asked_ == Asked::No) {
    asked_ = Asked::Waiting;
    pieces_.assign(1, {line * kDataLine, kDataLine, kDataLine});
    const auto core = static_cast<std::uint16_t>(fabric_.number);
    fabric_.memory.post({{now + read_path_.request, core, kScalar}, false, pieces_});
  }
  if (asked_ == Asked::Waiting) return false;
  asked_ = Asked::No;
  if (!data_lines_.empty()) data_lines_[line % data_lines_.size()] = line + 1;
  wait_until(Reason::WaitResult, completion_ + read_path_.response);
  return true;
}

void Scalar::wait_until(Reason reason, Cycles time) {
  Row& row = fabric_.row(kScalar);
  if (time <= row.end()) return;
  row.reach(reason, time);
  fabric_.unblocked = time;
}

std::string Scalar::doing() const {
  if (phase_ == Phase::Fetching) return "start";
  if (phase_ == Phase::Waiting) return "start of task '" + task().name + "'";
  if (phase_ == Phase::Ending) return "end of task '" + task().name + "'";
  return std::string(isa::row_of(step_.command->op).mnemonic) + " at word " +
         std::to_string(step_.command->pc);
}

std::string Scalar::waits_for() const {
  if (phase_ == Phase::Fetching) return "its program";
  if (phase_ == Phase::Ending) return "its queues";
  if (phase_ == Phase::Waiting) {
    return "task '" + launch_.launch->program->tasks[task().after[awaited_]].name + "'";
  }
  const isa::Command& command = *step_.command;
  if (step_.kind == Step::Kind::Drain) {
    return "pipe " + std::string(name_of(static_cast<Pipe>(command.at(0)))) + " to drain";
  }
  if (step_.kind == Step::Kind::Command && command.pipe != kScalar) {
    return "room in the queue of " + std::string(name_of(command.pipe));
  }
  return fabric_.tokens_present(command, kScalar) ? "pipe vector to drain"
                                                  : fabric_.missing_token(command, kScalar);
}

}  // namespace dvmsim
