#include "traces/demands.h"

#include <algorithm>

#include "vm/isa/footprint.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

/// Nothing but rates: no fixed cost of an instruction, and UB without conflicts.
Machine without_fixed_costs(const Machine& machine) {
  Machine ideal = machine;
  ideal.mte1.fixed = ideal.vector.fixed = Cycles(0);
  for (VectorRate& rate : ideal.vector_rate) rate.extra = Cycles(0);
  ideal.ub.bank_groups = 1 << 20;
  return ideal;
}

std::int64_t bytes_in(const isa::Command& command, Space space) {
  std::int64_t bytes = 0;
  const isa::Regions all = isa::regions(command);
  for (int i = 0; i < all.count; ++i) {
    if (all.region[i].space == space) bytes += all.region[i].bytes();
  }
  return bytes;
}

double over(std::int64_t amount, Rational rate) {
  return rate.num() == 0 ? 0 : static_cast<double>(amount) / rate.value();
}

}  // namespace

Demands::Demands(const Machine& machine)
    : machine_(machine), ideal_(without_fixed_costs(machine)), costs_(ideal_) {}

void Demands::on_issue(const Issue& issue) {
  ++of_kind_[static_cast<std::size_t>(issue.core.kind)].commands;
}

void Demands::on_span(const Span& span) {
  if (span.command == nullptr || span.reason != Reason::Work) return;
  const isa::Command& command = *span.command;
  using isa::Op;
  if (command.op == Op::set || command.op == Op::wait || command.op == Op::xset ||
      command.op == Op::xwait) {
    return;
  }
  Amounts& amounts = of_kind_[static_cast<std::size_t>(span.row.core.kind)];
  switch (span.row.pipe) {
    case Pipe::Cube: {
      // dtype, c, a, b, m, k, n
      const std::int64_t macs = command.at(4) * command.at(5) * command.at(6);
      amounts.macs[static_cast<std::size_t>(command.dtype())] += macs;
      return;
    }
    case Pipe::MTE1:
    case Pipe::Vector:
      amounts.busy[static_cast<std::size_t>(span.row.pipe)] += costs_.of(command).busy.count();
      return;
    case Pipe::MTE2:
      return on_load(amounts, command);
    case Pipe::MTE3: {
      const std::int64_t bytes = bytes_in(command, Space::GM);
      amounts.from_ub += bytes;
      written_ += bytes;
      return;
    }
    case Pipe::Fix: {
      const std::int64_t bytes = bytes_in(command, Space::GM);
      if (bytes == 0) return;  // scales, from L1
      amounts.accumulators += bytes / size_of(command.dtype());
      written_ += bytes;
      return;
    }
    case Pipe::Scalar:
      return;
  }
}

void Demands::on_load(Amounts& amounts, const isa::Command& command) const {
  const bool cube_side = command.op == isa::Op::loadnz || command.op == isa::Op::loadfm ||
                         command.op == isa::Op::loadl1;
  (cube_side ? amounts.to_l1 : amounts.to_ub) += bytes_in(command, Space::GM);
}

double Demands::cycles(CoreKind kind, Pipe pipe) const {
  const Amounts& amounts = of_kind_[static_cast<std::size_t>(kind)];
  switch (pipe) {
    case Pipe::Cube: {
      double sum = 0;
      for (DType type : kDTypes) {
        const std::int64_t macs = amounts.macs[static_cast<std::size_t>(type)];
        if (macs > 0) {
          sum += static_cast<double>(macs) / static_cast<double>(macs_per_cycle(machine_, type));
        }
      }
      return sum;
    }
    case Pipe::MTE1:
    case Pipe::Vector:
      return static_cast<double>(amounts.busy[static_cast<std::size_t>(pipe)]);
    case Pipe::MTE2:
      return over(amounts.to_l1, machine_.mte2.gm_to_l1.per_cycle()) +
             over(amounts.to_ub, machine_.mte2.gm_to_ub.per_cycle());
    case Pipe::MTE3:
      return over(amounts.from_ub, machine_.mte3.ub_to_gm.per_cycle());
    case Pipe::Fix:
      return over(4 * amounts.accumulators, machine_.fix.l0c_to_gm.per_cycle());
    case Pipe::Scalar:
      return static_cast<double>(amounts.commands * machine_.firmware.scalar_op.count());
  }
  return 0;
}

}  // namespace dvmsim
