#include "traces/operators.h"

#include <algorithm>
#include <numeric>

#include "vm/base/error.h"

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

void Operators::on_launch_begin(const LaunchMark& /*mark*/, const Program& /*program*/) {
  bytes_ = {};
}

void Operators::on_span(const Span& span) {
  if (!has_pipe(span.row.core.kind, span.row.pipe)) return;
  Row& row =
      rows_[static_cast<std::size_t>(span.row.core.kind)][static_cast<std::size_t>(span.row.pipe)];
  const auto core = static_cast<std::size_t>(span.row.core.index);
  if (core >= row.cores.size()) row.cores.resize(core + 1);
  if (!row.cores[core]) {
    row.cores[core] = true;
    ++row.count;
  }
  const std::int64_t cycles = (span.end - span.begin).count();
  row.reasons[static_cast<std::size_t>(span.reason)] += cycles;
  if (span.command == nullptr || span.reason != Reason::Work) return;
  OperatorSum::Instruction& sum = row.instructions[static_cast<std::size_t>(span.command->op)];
  if (sum.commands == 0) row.met.push_back(span.command->op);
  ++sum.commands;
  sum.cycles += cycles;
}

void Operators::on_traffic(const Traffic& traffic) {
  bytes_[static_cast<std::size_t>(traffic.place)] += traffic.bytes.count();
}

void Operators::on_launch_end(const LaunchMark& mark) {
  auto known = known_.find(mark.label);
  if (known == known_.end()) {
    known = known_.emplace(std::string(mark.label), sums_.size()).first;
    sums_.emplace_back().label = mark.label;
  }
  OperatorSum& sum = sums_[known->second];
  const std::int64_t cycles = (mark.end - mark.begin).count();
  ++sum.launches;
  sum.cycles += cycles;
  for (std::size_t i = 0; i < bytes_.size(); ++i) sum.bytes[i] += bytes_[i];
  for (std::size_t kind = 0; kind < rows_.size(); ++kind) {
    for (std::size_t pipe = 0; pipe < kPipes; ++pipe) {
      Row& row = rows_[kind][pipe];
      if (row.count == 0) continue;
      fold(row, unit_of(sum, {static_cast<CoreKind>(kind), static_cast<Pipe>(pipe)}), cycles);
    }
  }
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
