#include "tests/support/oracle_port.h"

#include <algorithm>

namespace dvmsim::testing {
namespace {

/// Runs in order; one that begins where the last ends belongs to it.
std::vector<OraclePiece> runs_of(const isa::Region& region) {
  std::vector<OraclePiece> runs;
  for (std::int64_t i = 0; i < region.outer[1]; ++i) {
    for (std::int64_t j = 0; j < region.outer[0]; ++j) {
      for (std::int64_t row = 0; row < region.rows; ++row) {
        const std::int64_t at = region.base + i * region.outer_stride[1] +
                                j * region.outer_stride[0] + row * region.stride;
        if (!runs.empty() && runs.back().address + runs.back().bytes == at) {
          runs.back().bytes += region.length;
        } else {
          runs.push_back({at, region.length, 0});
        }
      }
    }
  }
  return runs;
}

/// Sizes a request may have, smallest first.
std::vector<std::int64_t> request_sizes(const Machine& machine) {
  const std::int64_t granule = std::min(machine.dma.request, machine.l2.line).count();
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = machine.dma.least_request.count(); size < granule; size *= 2) {
    sizes.push_back(size);
  }
  sizes.push_back(granule);
  return sizes;
}

}  // namespace

std::vector<OraclePiece> pieces_of(const isa::Region& region, const Machine& machine) {
  const std::vector<std::int64_t> sizes = request_sizes(machine);
  const std::int64_t granule = sizes.back();
  std::vector<OraclePiece> pieces;
  for (const OraclePiece& run : runs_of(region)) {
    for (std::int64_t at = run.address; at < run.address + run.bytes;) {
      const std::int64_t block = at / granule * granule;
      const std::int64_t end = std::min(block + granule, run.address + run.bytes);
      const auto holds = [&](std::int64_t size) {
        return (at - block) / size == (end - 1 - block) / size;
      };
      pieces.push_back({at, end - at, *std::find_if(sizes.begin(), sizes.end(), holds)});
      at = end;
    }
  }
  return pieces;
}

Port port_of(const Machine& machine, Pipe pipe) {
  const std::int64_t granule = std::min(machine.dma.request, machine.l2.line).count();
  const auto make = [&](const auto& numbers) {
    Port port;
    port.response = std::max<Time>(0, numbers.latency.count() - port.request);
    port.gap = numbers.issue_gap.count();
    port.chunk = std::max<std::int64_t>(1, machine.dma.chunk.count() / granule);
    return port;
  };
  if (pipe == Pipe::MTE3) return make(machine.mte3);
  if (pipe == Pipe::MTE2) return make(machine.mte2);
  Port fix = make(machine.fix);
  fix.release = machine.fix.tail.count();
  return fix;
}

Rates rates_of(const Machine& machine, const isa::Command& command) {
  const auto& mte2 = machine.mte2;
  const Rational l1 = mte2.gm_to_l1.per_cycle(), ub = mte2.gm_to_ub.per_cycle();
  const Rational l1_miss = std::min(l1, mte2.gm_to_l1_miss.per_cycle());
  switch (command.op) {
    case isa::Op::loadnz: {
      const std::int64_t unit = mte2.nz_align.count(), rows = command.at(3);
      const bool odd = command.at(2) % unit != 0 || (rows > 1 && command.at(6) % unit != 0);
      const Rational slow = mte2.nz_unaligned.per_cycle();
      return odd ? Rates{std::min(l1, slow), std::min(l1_miss, slow)} : Rates{l1, l1_miss};
    }
    case isa::Op::loadfm: {  // dtype, dst, src, w, cols, prows, stride, h, hstride
      const std::int64_t unit = mte2.nz_align.count();
      const bool odd = command.at(2) % unit != 0 ||
                       (command.at(3) > 1 && command.at(6) % unit != 0) ||
                       (command.at(7) > 1 && command.at(8) % unit != 0);
      const Rational slow = mte2.nz_unaligned.per_cycle();
      return odd ? Rates{std::min(l1, slow), std::min(l1_miss, slow)} : Rates{l1, l1_miss};
    }
    case isa::Op::loadl1:
      return {l1, l1_miss};
    case isa::Op::load:
    case isa::Op::loadnd:
      return {ub, std::min(ub, mte2.gm_to_ub_miss.per_cycle())};
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

Rational program_rate(const Machine& machine, CoreKind kind) {
  const auto& mte2 = machine.mte2;
  return (kind == CoreKind::Vector ? mte2.gm_to_ub : mte2.gm_to_l1).per_cycle();
}

std::int64_t limit_of(const Machine& machine, const isa::Command& command) {
  switch (command.op) {
    case isa::Op::loadfm:
    case isa::Op::loadnz:
    case isa::Op::loadl1:
      return machine.mte2.outstanding_l1;
    case isa::Op::load:
    case isa::Op::loadnd:
      return machine.mte2.outstanding_ub;
    case isa::Op::fix:
    case isa::Op::fixq:
      return machine.fix.outstanding;
    default:
      return machine.mte3.outstanding;
  }
}

std::int64_t moved_by(const std::vector<OraclePiece>& pieces) {
  std::int64_t sum = 0;
  for (const OraclePiece& piece : pieces) sum += piece.moved;
  return sum;
}

}  // namespace dvmsim::testing
