#include "traces/operators.h"

#include <algorithm>
#include <numeric>

#include "vm/base/error.h"
#include "vm/program/program.h"

namespace dvmsim {
namespace {

OperatorSum::Unit& unit_of(OperatorSum& sum, UnitId id) {
  const auto at =
      std::lower_bound(sum.units.begin(), sum.units.end(), id,
                       [](const OperatorSum::Unit& unit, UnitId key) { return unit.unit < key; });
  if (at != sum.units.end() && at->unit == id) return *at;
  return *sum.units.insert(at, OperatorSum::Unit{id, 0, {}, {}});
}

}  // namespace

void Operators::on_launch_begin(const LaunchMark& /*mark*/, const Program& program) {
  launch_.bytes = {};
  has_tasks_ = !program.tasks.empty();
  at_.assign(at_.size(), {});
}

/// Cube (or unified) cores first, then vector cores.
std::size_t Operators::number_of(const CoreId& core, int cubes) {
  return static_cast<std::size_t>(core.index + (core.kind == CoreKind::Vector ? cubes : 0));
}

Operators::Place Operators::place_of(std::size_t core) {
  if (!has_tasks_) return {&launch_, Cycles(0)};
  return core < at_.size() ? at_[core] : Place{};
}

void Operators::on_task(const TaskMark& mark) {
  const std::size_t core = number_of(mark.core, cubes_);
  if (core >= at_.size()) at_.resize(core + 1);
  std::unique_ptr<Part>& part = tasks_[mark.number];
  if (mark.what == TaskMark::What::Begin) {
    if (part == nullptr) {
      part = std::make_unique<Part>();
      part->name = mark.task->name;
      part->begin = mark.at;
    }
    part->begin = std::min(part->begin, mark.at);
    at_[core] = {part.get(), mark.at};
  } else if (mark.what == TaskMark::What::End) {
    part->end = std::max(part->end, mark.at);
    at_[core] = {};
  }
}

void Operators::on_span(const Span& span) {
  if (!has_pipe(span.row.core.kind, span.row.pipe)) return;
  const auto [part, since] = place_of(number_of(span.row.core, cubes_));
  if (part == nullptr || span.end <= since) return;
  const auto kind = static_cast<std::size_t>(span.row.core.kind);
  Row& row = part->rows[kind][static_cast<std::size_t>(span.row.pipe)];
  const auto core = static_cast<std::size_t>(span.row.core.index);
  if (core >= row.cores.size()) row.cores.resize(core + 1);
  if (!row.cores[core]) {
    row.cores[core] = true;
    ++row.count;
  }
  const std::int64_t cycles = (span.end - std::max(span.begin, since)).count();
  row.reasons[static_cast<std::size_t>(span.reason)] += cycles;
  if (span.command == nullptr || span.reason != Reason::Work) return;
  OperatorSum::Instruction& sum = row.instructions[static_cast<std::size_t>(span.command->op)];
  if (sum.commands == 0) row.met.push_back(span.command->op);
  ++sum.commands;
  sum.cycles += cycles;
}

void Operators::on_traffic(const Traffic& traffic) {
  Part* const part = place_of(static_cast<std::size_t>(traffic.core)).part;
  Part& to = part == nullptr ? launch_ : *part;
  to.bytes[static_cast<std::size_t>(traffic.place)] += traffic.bytes.count();
}

void Operators::on_launch_end(const LaunchMark& mark) {
  std::int64_t cycles = (mark.end - mark.begin).count();
  for (const Place& place : at_) {  // a fault ends what is not over
    if (place.part != nullptr) place.part->end = std::max(place.part->end, mark.end);
  }
  if (!tasks_.empty()) {
    Cycles begin = mark.end, end = mark.begin;
    for (const auto& [number, part] : tasks_) {
      begin = std::min(begin, part->begin);
      end = std::max(end, part->end);
    }
    cycles -= (end - begin).count();
  }
  ++add(launch_, mark.label, cycles).launches;
  for (const auto& [number, part] : tasks_) {
    ++add(*part, part->name, (part->end - part->begin).count()).tasks;
  }
  tasks_.clear();
}

OperatorSum& Operators::add(Part& part, std::string_view label, std::int64_t cycles) {
  auto known = known_.find(label);
  if (known == known_.end()) {
    known = known_.emplace(std::string(label), sums_.size()).first;
    sums_.emplace_back().label = label;
  }
  OperatorSum& sum = sums_[known->second];
  sum.cycles += cycles;
  for (std::size_t i = 0; i < part.bytes.size(); ++i) sum.bytes[i] += part.bytes[i];
  for (std::size_t kind = 0; kind < part.rows.size(); ++kind) {
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      Row& row = part.rows[kind][pipe];
      if (row.count == 0) continue;
      fold(row, unit_of(sum, {static_cast<CoreKind>(kind), static_cast<Pipe>(pipe)}), cycles);
    }
  }
  return sum;
}

void Operators::fold(Row& row, OperatorSum::Unit& unit, std::int64_t cycles) {
  const std::int64_t total = row.count * cycles;
  std::int64_t& idle = row.reasons[static_cast<std::size_t>(Reason::Idle)];
  idle += total - std::accumulate(row.reasons.begin(), row.reasons.end(), std::int64_t{0});
  DVMSIM_ASSERT(idle >= 0, "no row works outside its launch");
  unit.total += total;
  for (std::size_t i = 0; i < unit.reasons.size(); ++i) unit.reasons[i] += row.reasons[i];
  for (const isa::Op op : row.met) {
    OperatorSum::Instruction& met = row.instructions[static_cast<std::size_t>(op)];
    OperatorSum::Instruction& all = unit.instructions[op];
    all.commands += met.commands;
    all.cycles += met.cycles;
    met = {};
  }
  row.met.clear();
  row.cores.assign(row.cores.size(), false);
  row.count = 0;
  row.reasons = {};
}

}  // namespace dvmsim
