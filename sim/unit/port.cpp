#include "sim/unit/port.h"

#include <algorithm>

#include "vm/base/error.h"

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
  const auto limits = [](const auto& port) {
    return PortLimits{path_of(port.latency), port.issue_gap, port.outstanding};
  };
  switch (pipe) {
    case Pipe::MTE2:
      return limits(machine.mte2);
    case Pipe::MTE3:
      return limits(machine.mte3);
    case Pipe::Fix:
      return limits(machine.fix);
    default:
      return {};
  }
}

Cutting::Cutting(const Machine& machine)
    : granule(std::min(machine.dma.request, machine.l2.line).count()),
      least(std::min(machine.dma.least_request.count(), granule)),
      pieces_of_chunk(static_cast<std::size_t>(
          std::max<std::int64_t>(1, machine.dma.chunk.count() / granule))) {}

PortTable::PortTable(const Machine& machine) : machine_(machine) {
  const auto both = [](Rate hit, Rate miss) {
    return PortRates{hit.per_cycle(), miss.per_cycle()};
  };
  to_l1_ = both(machine.mte2.gm_to_l1_hit, machine.mte2.gm_to_l1);
  const Rational share = machine.mte2.nz_unaligned;
  to_l1_unaligned_ = {to_l1_.hit * share, to_l1_.miss * share};
  to_ub_ = both(machine.mte2.gm_to_ub, machine.mte2.gm_to_ub);
  from_ub_ = both(machine.mte3.ub_to_gm, machine.mte3.ub_to_gm);
  const Rational accumulators = machine.fix.l0c_to_gm.per_cycle();  // bytes of 4 per element
  const auto narrowed = [&](int bytes) {
    return PortRates{accumulators * Rational(bytes, 4), accumulators * Rational(bytes, 4)};
  };
  from_l0c_ = {narrowed(1), narrowed(2), narrowed(4)};
  for (const isa::Row& row : isa::rows()) rows_[index(row.op)] = row_of(row);
}

PortTable::Row PortTable::row_of(const isa::Row& row) {
  Row result;
  for (const isa::Operand& operand : row.all()) {
    if (operand.kind != isa::OperandKind::Memory) continue;
    if (operand.space == Space::GM) {
      result.transfer = row.pipe != Pipe::Scalar;
      result.write = operand.access != isa::Access::Read;
    }
    if (operand.space == Space::L1) {
      result.side = Side::L1;
      if (operand.footprint.shape == isa::Shape::Fractal) result.columns_lane = row.find("cols");
    }
    if (operand.space == Space::L0C) result.side = Side::L0c;
  }
  return result;
}

PortRates PortTable::rates(const isa::Command& command) const {
  const Row& row = rows_[index(command.op)];
  switch (row.side) {
    case Side::L1: {
      if (row.columns_lane < 0) return to_l1_;
      const std::int64_t bytes = command.at(row.columns_lane) * size_of(command.dtype());
      return bytes % machine_.mte2.nz_align.count() == 0 ? to_l1_ : to_l1_unaligned_;
    }
    case Side::L0c:
      return from_l0c_[static_cast<std::size_t>(size_of(command.dtype()) / 2)];
    case Side::Ub:
      break;
  }
  return row.write ? from_ub_ : to_ub_;
}

PortRates PortTable::program_rates(CoreKind kind) const {
  return kind == CoreKind::Vector ? to_ub_ : to_l1_;
}

}  // namespace dvmsim
