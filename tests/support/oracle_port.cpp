#include "tests/support/oracle_port.h"

#include <algorithm>

namespace dvmsim::testing {
namespace {

std::vector<OraclePiece> runs_of(const isa::Region& region) {
  std::vector<OraclePiece> runs;
  for (std::int64_t i = 0; i < region.outer[1]; ++i) {
    for (std::int64_t j = 0; j < region.outer[0]; ++j) {
      for (std::int64_t row = 0; row < region.rows; ++row) {
        runs.push_back({region.base + i * region.outer_stride[1] + j * region.outer_stride[0] +
                            row * region.stride,
                        region.length, 0});
      }
    }
  }
  return runs;
}

template <class Numbers>
Port make_port(const Numbers& numbers) {
  const Time request = 1;
  const Time response = std::max<Time>(0, numbers.latency.count() - request);
  return {request, response, numbers.issue_gap.count(), numbers.outstanding, {}};
}

}  // namespace

std::vector<Chunk> chunks_of(const isa::Region& region, const Machine& machine) {
  const std::int64_t granule = std::min(machine.dma.request, machine.l2.line).count();
  const std::int64_t least = std::min(machine.dma.least_request.count(), granule);
  const auto most = static_cast<std::size_t>(machine.dma.chunk.count() / granule);
  std::vector<Chunk> chunks;
  for (const OraclePiece& run : runs_of(region)) {
    for (std::int64_t at = run.address; at < run.address + run.bytes;) {
      const std::int64_t end = std::min((at / granule + 1) * granule, run.address + run.bytes);
      if (chunks.empty() || chunks.back().size() == most) chunks.emplace_back();
      chunks.back().push_back({at, end - at, std::max(end - at, least)});
      at = end;
    }
  }
  return chunks;
}

Port port_of(const Machine& machine, Pipe pipe) {
  if (pipe == Pipe::MTE3) return make_port(machine.mte3);
  if (pipe == Pipe::Fix) return make_port(machine.fix);
  return make_port(machine.mte2);
}

Rates rates_of(const Machine& machine, const isa::Command& command) {
  const auto& mte2 = machine.mte2;
  switch (command.op) {
    case isa::Op::loadfm:
    case isa::Op::loadnz: {
      const std::int64_t row = command.at(4) * size_of(command.dtype());
      const bool aligned = row % mte2.nz_align.count() == 0;
      const Rational share = aligned ? Rational(1) : mte2.nz_unaligned;
      return {mte2.gm_to_l1_hit.per_cycle() * share, mte2.gm_to_l1.per_cycle() * share};
    }
    case isa::Op::loadl1:
      return {mte2.gm_to_l1_hit.per_cycle(), mte2.gm_to_l1.per_cycle()};
    case isa::Op::load:
    case isa::Op::loadnd:
      return {mte2.gm_to_ub.per_cycle(), mte2.gm_to_ub.per_cycle()};
    case isa::Op::fix:
    case isa::Op::fixq: {  // accumulators of 4 bytes per cycle, narrowed
      const Rational rate =
          machine.fix.l0c_to_gm.per_cycle() * Rational(size_of(command.dtype()), 4);
      return {rate, rate};
    }
    default:
      return {machine.mte3.ub_to_gm.per_cycle(), machine.mte3.ub_to_gm.per_cycle()};
  }
}

Rates program_rates(const Machine& machine, CoreKind kind) {
  const auto& mte2 = machine.mte2;
  if (kind == CoreKind::Vector) return {mte2.gm_to_ub.per_cycle(), mte2.gm_to_ub.per_cycle()};
  return {mte2.gm_to_l1_hit.per_cycle(), mte2.gm_to_l1.per_cycle()};
}

Time port_time(const Rates& rates, const OracleAnswer& answer) {
  const Rational a = Rational(answer.hit_moved) / rates.hit;
  const Rational b = Rational(answer.miss_moved) / rates.miss;
  const Time denominator = a.den() * b.den();
  return (a.num() * b.den() + b.num() * a.den() + denominator - 1) / denominator;
}

}  // namespace dvmsim::testing
