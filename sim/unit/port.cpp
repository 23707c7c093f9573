#include "sim/unit/port.h"

#include <algorithm>

namespace dvmsim {

Path path_of(Cycles latency) {
  const Path shortest;
  return {shortest.request, std::max(Cycles(0), latency - shortest.request)};
}

Path scalar_path(const Machine& machine) {
  return path_of(machine.firmware.load_gm.cycles() - machine.l2.read_latency.cycles());
}

Path load_path(const Machine& machine) {
  return path_of(machine.mte2.latency);
}

PortLimits limits_of(const Machine& machine, Pipe pipe) {
  switch (pipe) {
    case Pipe::MTE2:
      return {path_of(machine.mte2.latency), machine.mte2.issue_gap, {}};
    case Pipe::MTE3:
      return {path_of(machine.mte3.latency), machine.mte3.issue_gap, {}};
    case Pipe::Fix:
      return {path_of(machine.fix.latency), machine.fix.issue_gap, machine.fix.tail};
    default:
      return {};
  }
}

Cutting::Cutting(const Machine& machine)
    : granule(std::min(machine.dma.request, machine.l2.line).count()),
      least(std::min(machine.dma.least_request.count(), granule)),
      granules_of_chunk(std::max<std::int64_t>(1, machine.dma.chunk.count() / granule)) {}

PortTable::PortTable(const Machine& machine) : machine_(machine), cost_(machine) {
  for (const isa::Row& row : isa::rows()) rows_[index(row.op)] = row_of(row);
}

PortTable::Row PortTable::row_of(const isa::Row& row) const {
  Row result;
  bool to_l1 = false;
  for (const isa::Operand& operand : row.all()) {
    if (operand.kind != isa::OperandKind::Memory) continue;
    if (operand.space == Space::GM) {
      result.transfer = row.pipe != Pipe::Scalar;
      result.write = operand.access != isa::Access::Read;
    }
    to_l1 = to_l1 || operand.space == Space::L1;
  }
  if (row.pipe == Pipe::MTE2) {
    result.outstanding = to_l1 ? machine_.mte2.outstanding_l1 : machine_.mte2.outstanding_ub;
    result.miss = (to_l1 ? machine_.mte2.gm_to_l1_miss : machine_.mte2.gm_to_ub_miss).per_cycle();
  }
  if (row.pipe == Pipe::MTE3) result.outstanding = machine_.mte3.outstanding;
  if (row.pipe == Pipe::Fix) result.outstanding = machine_.fix.outstanding;
  return result;
}

PortRates PortTable::rates(const isa::Command& command) const {
  const Rational own = cost_.rate_of(command);
  const Row& row = rows_[index(command.op)];
  return {own, row.write ? own : std::min(own, row.miss)};
}

Rational PortTable::program_rate(CoreKind kind) const {
  const auto& mte2 = machine_.mte2;
  return (kind == CoreKind::Vector ? mte2.gm_to_ub : mte2.gm_to_l1).per_cycle();
}

}  // namespace dvmsim
