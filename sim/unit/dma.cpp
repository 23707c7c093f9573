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
  const std::int64_t first = address_, offset = cutting_.offset_of(first);
  if (offset == 0 && left_ >= cutting_.granule) {
    address_ += cutting_.granule;
    left_ -= cutting_.granule;
    if (left_ == 0) next_run();
    const auto whole = static_cast<std::int32_t>(cutting_.granule);
    return {static_cast<std::uint64_t>(first), whole, whole};
  }
  const std::int64_t end = first - offset + cutting_.granule;
  std::int64_t bytes = 0;
  do {
    const std::int64_t taken = std::min(left_, end - address_);
    bytes += taken;
    address_ += taken;
    left_ -= taken;
    if (left_ == 0) next_run();
  } while (left_ > 0 && address_ == first + bytes && address_ < end);
  const std::int64_t moved = isa::request_bytes(offset, bytes, cutting_.least, cutting_.granule);
  return {static_cast<std::uint64_t>(first), static_cast<std::int32_t>(bytes),
          static_cast<std::int32_t>(moved)};
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

Dma::Dma(const Machine& machine, const PortTable& ports, Pipe pipe)
    : ports_(ports),
      pipe_(pipe),
      limits_(limits_of(machine, pipe)),
      cutting_(machine),
      cutter_(cutting_) {
  chunk_.reserve(static_cast<std::size_t>(cutting_.granules_of_chunk));
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
  outstanding_ = ports_.outstanding(command.op);
  write_ = ports_.is_write(command.op);
  start_ = arrived_ = start;
  port_free_ = ticks_of(start);
  port_time_ = Ticks(0);
}

bool Dma::next(Request& request) {
  if (cutter_.done()) return false;
  const std::int64_t granules = std::min(room(), cutting_.granules_of_chunk);
  chunk_.clear();
  moved_ = 0;
  for (std::int64_t i = 0; i < granules && !cutter_.done(); ++i) {
    chunk_.push_back(cutter_.next());
    moved_ += chunk_.back().moved;
  }
  request.key.arrival = cycle_at(sent_) + limits_.path.request;
  request.write = write_;
  request.pieces = chunk_;
  return true;
}

std::int64_t Dma::room() {
  sent_ = port_free_;
  while (in_flight_ >= outstanding_) {
    sent_ = std::max(sent_, ticks_of(window_.front().back));
    retire();
  }
  while (!window_.empty() && ticks_of(window_.front().back) <= sent_) retire();
  return outstanding_ - in_flight_;
}

void Dma::retire() {
  in_flight_ -= window_.pop().granules;
}

void Dma::answered(const Answer& answer) {
  // At least a cycle, so that no two requests of a port arrive at once.
  const Ticks time = std::max(ticks_of(Cycles(1)), ticks_for(moved_ - answer.missed, rates_.hit) +
                                                       ticks_for(answer.missed, rates_.miss));
  const Cycles back = answer.completion + limits_.path.response;
  port_time_ += time;
  port_free_ = sent_ + time;
  const auto granules = static_cast<std::int64_t>(chunk_.size());
  // The last granule was sent, and comes back, behind the others.
  const Ticks behind(time.count() / granules * (granules - 1));
  arrived_ = std::max(arrived_, back + cycle_at(behind));
  window_.push({granules, back});
  in_flight_ += granules;
}

}  // namespace dvmsim
