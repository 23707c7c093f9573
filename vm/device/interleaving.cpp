#include "vm/device/interleaving.h"

#include <algorithm>
#include <numeric>

#include "vm/isa/text.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;

bool is_cross(Op op) {
  return op == Op::xset || op == Op::xwait;
}
int cross_id(const Command& command) {
  return static_cast<int>(command.at(1));
}
isa::CrossMode cross_mode(const Command& command) {
  return static_cast<isa::CrossMode>(command.at(2));
}

std::string name_of_core(CoreId core) {
  return std::string(name_of(core.kind)) + " core " + std::to_string(core.index);
}

}  // namespace

Interleaving::Interleaving(const Machine& machine, const Launch& launch, GlobalMemory& global,
                           std::uint64_t seed, OrderListener* order)
    : machine_(machine),
      launch_(launch),
      global_(global),
      seed_(seed),
      state_(seed),
      order_(order) {
  for (const Task& task : launch.program->tasks) {
    cross_.emplace_back(machine, task.team.cube.count, task.team.vector.count);
    missing_.push_back(task.team.cores());
  }
  if (cross_.empty()) cross_.emplace_back(machine, launch.cube_cores, launch.vector_cores);
}

void Interleaving::add_core(CoreId id, CoreMemory& memory) {
  Core core{id, static_cast<int>(cores_.size()), &memory};
  const std::vector<Task>& tasks = launch_.program->tasks;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].team.has(id)) core.tasks.push_back(i);
  }
  if (tasks.empty()) {
    core.member = core.number;
    core.firmware.emplace(machine_, launch_, id, launch_.path);
  }
  core.halted = core.tasks.empty() && !tasks.empty();
  cores_.push_back(std::move(core));
  for (Pipe pipe : kAllPipes) {
    if (pipe == Pipe::Scalar) continue;
    cores_.back().queues[static_cast<std::size_t>(pipe)].depth =
        static_cast<std::size_t>(std::max(1, machine_.queue_depth(pipe)));
  }
}

LaunchReport Interleaving::run() {
  if (order_ != nullptr) order_->on_launch(launch_);
  const bool moved_to_the_end = seed_ == 0 ? run_in_order() : run_in_disorder();
  if (!report_.fault && !moved_to_the_end) report_.fault = deadlock();
  atomics_.finish(global_);
  if (order_ != nullptr && !report_.fault) order_->on_end();
  return report_;
}

bool Interleaving::is_drained(const Core& core) {
  return std::all_of(core.queues.begin(), core.queues.end(),
                     [](const Queue& queue) { return queue.entries.empty(); });
}

bool Interleaving::over() const {
  return std::all_of(cores_.begin(), cores_.end(),
                     [](const Core& core) { return core.halted && is_drained(core); });
}

/// Each core as far as it gets; queues first, so that they stay short.
bool Interleaving::run_in_order() {
  for (bool moved = true; moved;) {
    moved = false;
    for (Core& core : cores_) {
      for (bool inside = true; inside;) {
        inside = false;
        for (std::size_t pipe = kPipes; pipe-- > 0 && !report_.fault;) {
          while (!report_.fault && move(core, static_cast<Pipe>(pipe))) {
            inside = true;
            // Scalar steps one at a time: what it issued may start at once.
            if (pipe == 0) break;
          }
        }
        if (report_.fault) return false;
        moved |= inside;
      }
    }
  }
  return over();
}

/// Even seeds pick evenly; odd ones prefer some units over others, so that some run far ahead.
bool Interleaving::run_in_disorder() {
  const std::size_t units = cores_.size() * kPipes;
  const auto try_unit = [&](std::size_t unit) {
    return move(cores_[unit / kPipes], static_cast<Pipe>(unit % kPipes));
  };
  std::vector<std::size_t> favour(units);
  std::iota(favour.begin(), favour.end(), std::size_t{0});
  for (std::size_t i = units; i > 1; --i) std::swap(favour[i - 1], favour[random() % i]);
  while (!report_.fault) {
    bool moved = false;
    if (seed_ % 2 != 0 && random() % 8 != 0) {
      for (std::size_t i = 0; i < units && !moved; ++i) moved = try_unit(favour[i]);
    } else {
      for (int tries = 0; tries < 8 && !moved; ++tries) moved = try_unit(random() % units);
      const std::size_t from = random() % units;
      for (std::size_t i = 0; i < units && !moved; ++i) moved = try_unit((from + i) % units);
    }
    if (!moved) return over();
    if (random() % 64 == 0) std::swap(favour[random() % units], favour[random() % units]);
  }
  return false;
}

std::uint64_t Interleaving::random() {  // splitmix64
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

bool Interleaving::move(Core& core, Pipe pipe) {
  return pipe == Pipe::Scalar ? move_scalar(core) : move_queue(core, pipe);
}

bool Interleaving::move_scalar(Core& core) {
  if (core.halted) return false;
  if (core.held) return finish_step(core);
  if (!core.firmware) return begin_task(core);
  const Step step = core.firmware->step();
  report_.instructions += step.instructions;
  report_.decode += step.scalar;
  core.waiting = step.kind;
  core.held = true;
  core.command = *step.command;
  (void)finish_step(core);
  return true;
}

/// The next task of the core, if those that it comes after are over.
bool Interleaving::begin_task(Core& core) {
  const std::uint32_t number = core.tasks[core.task];
  const Task& task = launch_.program->tasks[number];
  for (const std::uint32_t before : task.after) {
    if (missing_[before] > 0) return false;
  }
  core.team = number;
  const CoreRange& cores = task.team.of(core.id.kind);
  const bool vector = core.id.kind == CoreKind::Vector;
  core.member = core.id.index - cores.first + (vector ? task.team.cube.count : 0);
  core.firmware.emplace(machine_, launch_, core.id, launch_.path, &task);
  if (core.task > 0) core.memory->poison();
  if (order_ != nullptr) order_->on_task_begin(core.number, number);
  return true;
}

/// It has halted and, in a task, drained.
void Interleaving::end_program(Core& core) {
  if (core.tasks.empty()) {
    core.halted = true;
    return;
  }
  const std::uint32_t number = core.tasks[core.task];
  --missing_[number];
  if (order_ != nullptr) order_->on_task_end(core.number, number);
  core.firmware.reset();
  core.halted = ++core.task == core.tasks.size();
}

bool Interleaving::finish_step(Core& core) {
  bool done = true;
  switch (core.waiting) {
    case Step::Kind::Command:
      done = core.command.pipe == Pipe::Scalar ? act_on_scalar(core) : issue(core);
      break;
    case Step::Kind::Read:
      done = act_on_scalar(core);
      break;
    case Step::Kind::Drain: {
      const auto pipe = static_cast<Pipe>(core.command.at(0));
      done = core.queues[static_cast<std::size_t>(pipe)].entries.empty();
      if (done && order_ != nullptr) order_->on_drained(core.number, pipe);
      break;
    }
    case Step::Kind::Halt:
      done = core.tasks.empty() || is_drained(core);
      if (done) end_program(core);
      break;
    case Step::Kind::Fault:
      report_.fault = core.firmware->fault();
      break;
  }
  core.held = !done;
  return done;
}

bool Interleaving::issue(Core& core) {
  Queue& queue = core.queues[static_cast<std::size_t>(core.command.pipe)];
  if (queue.entries.size() >= queue.depth) return false;
  queue.entries.push_back({core.command, Atomics::order_of(core.number, core.issued++)});
  ++report_.commands;
  if (order_ != nullptr) order_->on_issue(core.number, core.command);
  return true;
}

/// Reads, and flags on the scalar unit's own pipe.
bool Interleaving::act_on_scalar(Core& core) {
  const Command& command = core.command;
  const bool is_read = core.waiting == Step::Kind::Read;
  if (!may_start(core, command)) return false;
  if (is_read && command.drain) {
    const Pipe drained = command.op == Op::ldub ? Pipe::Vector : Pipe::Scalar;
    if (!core.queues[static_cast<std::size_t>(drained)].entries.empty()) return false;
    if (order_ != nullptr) order_->on_drained(core.number, drained);
  }
  take_flags(core, command);
  if (!is_read) ++report_.commands;
  if (is_read) {
    std::int64_t value = 0;
    Fault fault = atomics_.read(command, *core.memory, global_, value);
    if (fault) {
      fail(core, std::move(fault), command.pc);
    } else {
      core.firmware->supply(value);
    }
  }
  if (order_ != nullptr) order_->on_scalar(core.number, command);
  set_flags(core, command);
  return true;
}

bool Interleaving::move_queue(Core& core, Pipe pipe) {
  Queue& queue = core.queues[static_cast<std::size_t>(pipe)];
  if (queue.entries.empty()) return false;
  if (queue.running) {
    finish(core, queue);
    return true;
  }
  if (!may_start(core, queue.entries.front().command)) return false;
  start(core, queue);
  if (seed_ == 0) finish(core, queue);
  return true;
}

void Interleaving::start(Core& core, Queue& queue) {
  const Entry& entry = queue.entries.front();
  take_flags(core, entry.command);
  queue.running = true;
  if (order_ != nullptr) order_->on_start(core.number, entry.command);
  queue.done_early = seed_ == 0 || random() % 2 == 0;
  if (queue.done_early) perform(core, entry);
}

void Interleaving::finish(Core& core, Queue& queue) {
  const Entry& entry = queue.entries.front();
  if (!queue.done_early) perform(core, entry);
  if (order_ != nullptr) order_->on_finish(core.number, entry.command);
  set_flags(core, entry.command);
  queue.entries.pop_front();
  queue.running = false;
}

void Interleaving::perform(Core& core, const Entry& entry) {
  if (report_.fault) return;
  Fault fault = atomics_.execute(entry.command, *core.memory, global_, entry.order);
  if (fault) fail(core, std::move(fault), entry.command.pc);
}

bool Interleaving::may_start(const Core& core, const Command& command) const {
  for (std::size_t i = 0; i < command.waits; ++i) {
    const isa::FlagRef& wait = command.wait[i];
    // Both waits may name one flag: then it takes two.
    const bool twice = i == 1 && wait == command.wait[0];
    if (core.flags[flag(wait.pipe, command.pipe, wait.id)] < (twice ? 2u : 1u)) return false;
  }
  return command.op != Op::xwait ||
         cross_[core.team].ready(core.member, cross_mode(command), cross_id(command));
}

void Interleaving::take_flags(Core& core, const Command& command) {
  for (std::size_t i = 0; i < command.waits; ++i) {
    --core.flags[flag(command.wait[i].pipe, command.pipe, command.wait[i].id)];
  }
  if (command.op == Op::xwait)
    cross_[core.team].take(core.member, cross_mode(command), cross_id(command));
}

void Interleaving::set_flags(Core& core, const Command& command) {
  for (std::size_t i = 0; i < command.sets; ++i) {
    ++core.flags[flag(command.pipe, command.set[i].pipe, command.set[i].id)];
  }
  if (command.op == Op::xset)
    cross_[core.team].set(core.member, cross_mode(command), cross_id(command));
}

void Interleaving::fail(const Core& core, Fault fault, std::uint32_t pc) {
  fault.core = core.id;
  fault.pc = pc;
  report_.fault = std::move(fault);
}

CoreId Interleaving::member(std::size_t team, int number) const {
  const bool tasks = !launch_.program->tasks.empty();
  const Team all = tasks ? launch_.program->tasks[team].team : whole_team(launch_);
  if (number >= all.cube.count) {
    return {CoreKind::Vector, all.vector.first + number - all.cube.count};
  }
  return {machine_.cores.unified ? CoreKind::Unified : CoreKind::Cube, all.cube.first + number};
}

std::string Interleaving::reason(const Core& core, const Command& command) const {
  std::string text = isa::print(command) + " (word " + std::to_string(command.pc) + ") waits for ";
  for (std::size_t i = 0; i < command.waits; ++i) {
    const isa::FlagRef& wait = command.wait[i];
    if (core.flags[flag(wait.pipe, command.pipe, wait.id)] > 0) continue;
    return text + "flag " + std::to_string(wait.id) + " of " + std::string(name_of(wait.pipe));
  }
  if (is_cross(command.op)) {
    text += "flag " + std::to_string(cross_id(command)) + " between cores, of";
    const CrossFlags::Range from = cross_[core.team].sources(core.member, cross_mode(command));
    if (from.begin >= from.end) return text + " nobody in this launch";
    for (int source = from.begin; source < from.end; ++source) {
      text += (source == from.begin ? " " : ", ") + name_of_core(member(core.team, source));
    }
    return text;
  }
  return text + "earlier work";
}

std::string Interleaving::scalar_reason(const Core& core) const {
  if (!core.firmware || core.waiting == Step::Kind::Halt) {
    const Task& task = launch_.program->tasks[core.tasks[core.task]];
    const bool begun = core.firmware.has_value();
    return "task '" + task.name + "' waits for " + (begun ? "its queues" : "earlier tasks");
  }
  if (core.waiting == Step::Kind::Command && core.command.pipe != Pipe::Scalar) {
    return isa::print(core.command) + " (word " + std::to_string(core.command.pc) +
           ") waits for a place in the queue of " + std::string(name_of(core.command.pipe));
  }
  if (core.waiting == Step::Kind::Drain) {
    return isa::print(core.command) + " (word " + std::to_string(core.command.pc) +
           ") waits for earlier work";
  }
  return reason(core, core.command);
}

Fault Interleaving::deadlock() const {
  constexpr int kMostNamed = 16;
  Fault fault{FaultKind::Deadlock, {}, 0, "nothing can move"};
  int blocked = 0;
  const auto add = [&](const Core& core, Pipe pipe, std::uint32_t pc, const std::string& why) {
    if (blocked++ == 0) {
      fault.core = core.id;
      fault.pc = pc;
    }
    if (blocked > kMostNamed) return;
    fault.text += "; " + name_of_core(core.id) + " " + std::string(name_of(pipe)) + ": " + why;
  };
  for (const Core& core : cores_) {
    if (!core.halted) add(core, Pipe::Scalar, core.command.pc, scalar_reason(core));
    for (std::size_t pipe = 1; pipe < kPipes; ++pipe) {
      if (core.queues[pipe].entries.empty()) continue;
      const Command& command = core.queues[pipe].entries.front().command;
      add(core, static_cast<Pipe>(pipe), command.pc, reason(core, command));
    }
  }
  if (blocked > kMostNamed) fault.text += "; and " + std::to_string(blocked - kMostNamed) + " more";
  return fault;
}

}  // namespace dvmsim
