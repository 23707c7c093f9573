#include "sim/unit/dma.h"

#include <algorithm>

namespace dvmsim {

void PieceCutter::begin(const isa::Region& region) {
  region_ = region;
  row_ = outer_[0] = outer_[1] = 0;
  address_ = region.base;
  left_ = region.rows > 0 ? region.length : 0;
}

Piece PieceCutter::next() {
  const std::int64_t offset = address_ % cutting_.granule;
  const std::int64_t bytes = std::min(left_, cutting_.granule - offset);
  const Piece piece{static_cast<std::uint64_t>(address_), static_cast<std::int32_t>(bytes),
                    static_cast<std::int32_t>(std::max(bytes, cutting_.least))};
  address_ += bytes;
  left_ -= bytes;
  if (left_ == 0) next_run();
  return piece;
}

void PieceCutter::next_run() {
  if (++row_ == region_.rows) {
    row_ = 0;
    if (++outer_[0] == region_.outer[0]) {
      outer_[0] = 0;
      if (++outer_[1] == region_.outer[1]) return;
    }
  }
  address_ = region_.base + row_ * region_.stride + outer_[0] * region_.outer_stride[0] +
             outer_[1] * region_.outer_stride[1];
  left_ = region_.length;
}

Cycles port_time(const PortRates& rates, std::int64_t hit, std::int64_t missed) {
  if (missed == 0) return Cycles(rates.hit.ceil_of(hit));
  if (hit == 0) return Cycles(rates.miss.ceil_of(missed));
  // hit / rate + missed / rate' over a common denominator, rounded up once.
  const __int128 denominator = static_cast<__int128>(rates.hit.num()) * rates.miss.num();
  const __int128 numerator = static_cast<__int128>(hit) * rates.hit.den() * rates.miss.num() +
                             static_cast<__int128>(missed) * rates.miss.den() * rates.hit.num();
  return Cycles(static_cast<std::int64_t>((numerator + denominator - 1) / denominator));
}

Dma::Dma(const Machine& machine, const PortTable& ports, Pipe pipe)
    : ports_(ports), limits_(limits_of(machine, pipe)), cutting_(machine), cutter_(cutting_) {
  chunk_.reserve(cutting_.pieces_of_chunk);
}

void Dma::reset() {
  window_.clear();
  in_flight_ = 0;
}

void Dma::begin(const isa::Command& command, Cycles start) {
  isa::Region gm;
  const isa::Regions all = isa::regions(command);
  for (int i = 0; i < all.count; ++i) {
    if (all.region[i].space == Space::GM) gm = all.region[i];
  }
  cutter_.begin(gm);
  rates_ = ports_.rates(command);
  write_ = ports_.is_write(command.op);
  start_ = port_free_ = arrived_ = start;
  gap_ = limits_.issue_gap;
  port_time_ = Cycles(0);
}

bool Dma::next(Request& request) {
  if (cutter_.done()) return false;
  chunk_.clear();
  while (!cutter_.done() && chunk_.size() < cutting_.pieces_of_chunk) {
    chunk_.push_back(cutter_.next());
  }
  sent_ = port_free_;
  wait_for_window(static_cast<std::int64_t>(chunk_.size()));
  request.key.arrival = sent_ + limits_.path.request;
  request.write = write_;
  request.pieces = chunk_;
  return true;
}

/// A chunk larger than the window is sent when nothing else is in flight.
void Dma::wait_for_window(std::int64_t granules) {
  while (!window_.empty() && in_flight_ + granules > limits_.outstanding) {
    const InFlight oldest = window_.pop();
    in_flight_ -= oldest.granules;
    sent_ = std::max(sent_, oldest.back);
  }
}

void Dma::answered(const Answer& answer) {
  const Cycles time = port_time(rates_, answer.hit, answer.missed);
  const Cycles back = answer.completion + limits_.path.response;
  port_time_ += time;
  port_free_ = sent_ + time;
  arrived_ = std::max(arrived_, back);
  const auto granules = static_cast<std::int64_t>(chunk_.size());
  window_.push({granules, back});
  in_flight_ += granules;
}

}  // namespace dvmsim
