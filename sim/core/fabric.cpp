#include "sim/core/fabric.h"

#include <bit>

namespace dvmsim {
namespace {

using isa::Op;

isa::CrossMode mode_of(const isa::Command& command) {
  return static_cast<isa::CrossMode>(command.at(2));
}
int cross_id_of(const isa::Command& command) {
  return static_cast<int>(command.at(1));
}

bool reaches_gm(Pipe pipe) {
  return pipe != Pipe::Cube && pipe != Pipe::Vector && pipe != Pipe::MTE1;
}

std::string name_of_flag(Pipe from, Pipe to, int id) {
  return "flag " + std::string(name_of(from)) + "->" + std::string(name_of(to)) + " " +
         std::to_string(id);
}

}  // namespace

Fabric::Fabric(const Machine& m, CoreId i, int n, const Probes& probes, MemoryPort& port,
               Teams& all)
    : machine(m), id(i), number(n), memory(port), teams(all), probes_(probes) {
  for (Pipe pipe : kAllPipes) {
    queues_.emplace_back(pipe == Pipe::Scalar ? 1 : machine.queue_depth(pipe));
    rows_.emplace_back(RowId{id, pipe}, probes_);
  }
}

void Fabric::begin(const CoreLaunch& launch) {
  for (CommandQueue& queue : queues_) queue.clear();
  for (Row& row : rows_) row.reach(Reason::Idle, launch.start);
  flags_.clear();
  ready_ = awaiting_cross_ = 0;
  meaning = launch.meaning;
  contents = launch.contents;
  report = {};
  report.first_dispatch = Cycles(-1);
  joined = fetched = unblocked = launch.start;
  cross_ = &teams.flags(whole_team(*launch.launch));
}

void Fabric::join(std::uint32_t place, const Task& task) {
  joined = row(Pipe::Scalar).end();
  cross_ = &teams.flags(task.team);
  tell_task(TaskMark::What::Begin, place, task);
}

void Fabric::tell_task(TaskMark::What what, std::uint32_t place, const Task& task) {
  if (probes_.empty()) return;
  const TaskMark mark{what, id, place, &task, row(Pipe::Scalar).end()};
  for (Probe* probe : probes_) probe->on_task(mark);
}

bool Fabric::next_ready(Pipe& pipe) {
  if (ready_ == 0) return false;
  pipe = static_cast<Pipe>(std::countr_zero(ready_));
  ready_ &= ready_ - 1;
  return true;
}

void Fabric::cross_arrived() {
  ready_ |= awaiting_cross_;
  awaiting_cross_ = 0;
}

bool Fabric::tokens_present(const isa::Command& command, Pipe pipe) {
  const auto& [first, second] = command.wait;
  if (first.valid && flags_.flag(first.pipe, pipe, first.id).empty()) return false;
  if (second.valid) {
    const std::size_t needed = first == second ? 2 : 1;
    if (flags_.flag(second.pipe, pipe, second.id).size() < needed) return false;
  }
  if (command.op != Op::xwait) return true;
  if (!cross_->tokens(number, cross_id_of(command), mode_of(command)).empty()) return true;
  await_cross(pipe);
  return false;
}

void Fabric::take_tokens(const isa::Command& command, Pipe pipe, Cycles busy) {
  for (const isa::FlagRef& wait : command.wait) {
    if (!wait.valid) continue;
    const isa::Handover stamp = flags_.flag(wait.pipe, pipe, wait.id).pop();
    const bool follows = command.unit && isa::is_unit_pair(wait.pipe, pipe);
    const Cycles token = follows ? isa::follow(stamp, command, busy) : stamp.last;
    row(pipe).reach(Reason::WaitFlag, token);
    tell({{id, wait.pipe}, {id, pipe}, wait.id, token - machine.flag.hop, row(pipe).end()});
  }
  if (command.op != Op::xwait) return;
  const CrossToken token = cross_->tokens(number, cross_id_of(command), mode_of(command)).pop();
  row(pipe).reach(Reason::WaitCrossCore, token.time);
  if (meaning != nullptr) meaning->synchronize();
  tell({token.from,
        {id, pipe},
        static_cast<std::uint8_t>(cross_id_of(command)),
        token.time - machine.xflag.latency.cycles(),
        row(pipe).end()});
}

void Fabric::set_tokens(const isa::Command& command, Pipe pipe, const Stamps& stamps) {
  for (const isa::FlagRef& set : command.set) {
    if (!set.valid) continue;
    const Cycles done = reaches_gm(set.pipe) ? stamps.visible : stamps.released;
    const bool streams = command.unit && isa::is_unit_pair(pipe, set.pipe);
    const isa::Handover stamp = streams ? stamps.tile : isa::Handover{done, done};
    flags_.flag(pipe, set.pipe, set.id)
        .push({stamp.first + machine.flag.hop, stamp.last + machine.flag.hop});
    make_ready(set.pipe);
  }
  if (command.op != Op::xset) return;
  cross_->set(number, cross_id_of(command), mode_of(command),
              {stamps.visible + machine.xflag.latency.cycles(), {id, pipe}});
}

void Fabric::tell(const FlagEdge& edge) {
  for (Probe* probe : probes_) probe->on_flag(edge);
}

void Fabric::tell_issue(const isa::Command& command) {
  if (probes_.empty()) return;
  const Issue issue{id, &command, row(Pipe::Scalar).end()};
  for (Probe* probe : probes_) probe->on_issue(issue);
}

void Fabric::tell_over(std::uint32_t task) {
  const CrossToken& token = teams.token(task);
  const Cycles set = token.time - machine.task.signal.cycles();
  tell({token.from, {id, Pipe::Scalar}, 0, set, row(Pipe::Scalar).end()});
}

std::string Fabric::missing_token(const isa::Command& command, Pipe pipe) {
  for (const isa::FlagRef& wait : command.wait) {
    if (wait.valid && flags_.flag(wait.pipe, pipe, wait.id).empty()) {
      return name_of_flag(wait.pipe, pipe, wait.id);
    }
  }
  if (command.op == Op::xwait) {
    return "cross-core flag " + std::to_string(cross_id_of(command)) + " (mode " +
           std::string(isa::spellings(isa::kCrossMode)[static_cast<std::size_t>(command.at(2))]) +
           ")";
  }
  const isa::FlagRef& second = command.wait[1];
  return name_of_flag(second.pipe, pipe, second.id) + " a second time";
}

}  // namespace dvmsim
