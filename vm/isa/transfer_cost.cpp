#include "vm/isa/transfer_cost.h"

#include <algorithm>

#include "vm/isa/footprint.h"

namespace dvmsim::isa {
namespace {

/// What a run of bytes occupies of a port: requests end at multiples of `request`.
std::int64_t charged(std::int64_t base, std::int64_t length, std::int64_t request,
                     std::int64_t least) {
  const std::int64_t offset = (base % request + request) % request;
  const std::int64_t head = std::min(length, request - offset);
  const std::int64_t middle = (length - head) / request * request, tail = length - head - middle;
  return request_bytes(offset, head, least, request) + middle +
         (tail > 0 ? request_bytes(0, tail, least, request) : 0);
}

/// Exact for the first rows, which repeat soon: strides are multiples of a few bytes.
std::int64_t charged(const Region& region, std::int64_t request, std::int64_t least) {
  if (region.stride == region.length) {  // rows that follow one another are one
    return charged(region.base, region.length * region.rows, request, least) * region.outer[0] *
           region.outer[1];
  }
  constexpr std::int64_t kSample = 16;
  const std::int64_t rows = std::min(region.rows, kSample);
  std::int64_t sum = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    sum += charged(region.base + row * region.stride, region.length, request, least);
  }
  return sum * region.rows / rows * region.outer[0] * region.outer[1];
}

}  // namespace

TransferCost::TransferCost(const Machine& machine)
    : request_(machine.dma.request.count()),
      least_(std::min(machine.dma.least_request.count(), machine.dma.request.count())),
      nz_align_(machine.mte2.nz_align.count()),
      to_l1_(machine.mte2.gm_to_l1.per_cycle()),
      to_l1_unaligned_(std::min(to_l1_, machine.mte2.nz_unaligned.per_cycle())),
      out_of_l0c_(machine.fix.l0c_to_gm.per_cycle()) {
  const std::int64_t read = machine.l2.read_latency.cycles().count();
  const std::int64_t write = machine.l2.write_latency.cycles().count();
  const auto set = [&](Pipe pipe, Rational rate, const auto& port, std::int64_t l2) {
    port_[static_cast<std::size_t>(pipe)] = {rate, port.issue_gap.count(),
                                             port.latency.count() + l2};
  };
  set(Pipe::MTE2, machine.mte2.gm_to_ub.per_cycle(), machine.mte2, read);
  set(Pipe::MTE3, machine.mte3.ub_to_gm.per_cycle(), machine.mte3, write);
  set(Pipe::Fix, out_of_l0c_, machine.fix, write);
}

Rational TransferCost::rate_of(const Command& command) const {
  switch (command.op) {
    case Op::loadl1:
      return to_l1_;
    case Op::loadnz: {
      // dtype, dst, src, rows, cols, prows, stride
      const bool aligned =
          command.at(2) % nz_align_ == 0 && (command.at(3) <= 1 || command.at(6) % nz_align_ == 0);
      return aligned ? to_l1_ : to_l1_unaligned_;
    }
    case Op::loadfm: {
      // dtype, dst, src, w, cols, prows, stride, h, hstride
      const bool aligned = command.at(2) % nz_align_ == 0 &&
                           (command.at(3) <= 1 || command.at(6) % nz_align_ == 0) &&
                           (command.at(7) <= 1 || command.at(8) % nz_align_ == 0);
      return aligned ? to_l1_ : to_l1_unaligned_;
    }
    // The rate counts accumulators of 4 bytes; fewer bytes leave per accumulator.
    case Op::fix:
    case Op::fixq:
      return out_of_l0c_ * Rational(size_of(command.dtype()), 4);
    default:
      return port_[static_cast<std::size_t>(row_of(command.op).pipe)].rate;
  }
}

Cost TransferCost::of(const Command& command) const {
  const Port& port = port_[static_cast<std::size_t>(row_of(command.op).pipe)];
  const Regions all = regions(command);
  std::int64_t bytes = 0;
  for (int i = 0; i < all.count; ++i) {
    if (all.region[i].space == Space::GM) bytes += charged(all.region[i], request_, least_);
  }
  const std::int64_t hold = rate_of(command).ceil_of(bytes);
  return {Cycles(0), Cycles(std::max(port.gap, hold)), Cycles(port.latency)};
}

}  // namespace dvmsim::isa
