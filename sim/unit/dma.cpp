#include "sim/unit/dma.h"

#include <algorithm>

namespace dvmsim {

void PieceCutter::begin(const isa::Region& region) {
  region_ = region;
  outer_[0] = outer_[1] = 0;
  at_ = {region.base, region.rows > 0 ? region.length : 0, region.base, region.rows};
}

PieceCutter::Cut PieceCutter::cut(std::span<Piece> room) {
  std::size_t count = 0;
  std::int64_t moved = 0;
  while (count < room.size() && !done()) {
    if (at_whole()) {
      const std::size_t whole = cut_whole(room.subspan(count));
      count += whole;
      moved += static_cast<std::int64_t>(whole) * cutting_.granule;
    } else {
      moved += (room[count++] = cut_part()).moved;
    }
  }
  return {room.first(count), moved};
}

std::size_t PieceCutter::cut_whole(std::span<Piece> room) {
  const std::int64_t granule = cutting_.granule;
  const auto bytes = static_cast<std::int32_t>(granule);
  Cursor at = at_;  // in registers
  bool inside = true;
  std::size_t count = 0;
  do {
    room[count++] = {static_cast<std::uint64_t>(at.address), bytes, bytes};
    at.address += granule;
    at.left -= granule;
    if (at.left == 0) inside = at.next(region_);
  } while (inside && count < room.size() && cutting_.offset_of(at.address) == 0 &&
           at.left >= granule);
  at_ = at;
  if (!inside) next_rows();
  return count;
}

/// Of a granule, up to its end or to the end of the runs that fill it without a gap.
Piece PieceCutter::cut_part() {
  const std::int64_t first = at_.address, offset = cutting_.offset_of(first);
  const std::int64_t end = first - offset + cutting_.granule;
  std::int64_t bytes = 0;
  do {
    const std::int64_t taken = std::min(at_.left, end - at_.address);
    bytes += taken;
    at_.address += taken;
    at_.left -= taken;
    if (at_.left == 0 && !at_.next(region_)) next_rows();
  } while (at_.left > 0 && at_.address == first + bytes && at_.address < end);
  const std::int64_t moved = isa::request_bytes(offset, bytes, cutting_.least, cutting_.granule);
  return {static_cast<std::uint64_t>(first), static_cast<std::int32_t>(bytes),
          static_cast<std::int32_t>(moved)};
}

/// To the first run of the next outer dimension, if there is one.
void PieceCutter::next_rows() {
  if (++outer_[0] == region_.outer[0]) {
    outer_[0] = 0;
    if (++outer_[1] == region_.outer[1]) return;
  }
  const std::int64_t run =
      region_.base + outer_[0] * region_.outer_stride[0] + outer_[1] * region_.outer_stride[1];
  at_ = {run, region_.length, run, region_.rows};
}

Dma::Dma(const Machine& machine, const PortTable& ports, Pipe pipe)
    : ports_(ports),
      pipe_(pipe),
      limits_(limits_of(machine, pipe)),
      cutting_(machine),
      cutter_(cutting_) {
  chunk_.resize(static_cast<std::size_t>(cutting_.granules_of_chunk));
}

void Dma::reset() {
  window_.clear();
  in_flight_ = 0;
}

void Dma::begin(const isa::Command& command, Cycles start) {
  cutter_.begin(isa::region_in(command, Space::GM));
  const PortRates rates = ports_.rates(command);
  hit_.rate(rates.hit);
  miss_.rate(rates.miss);
  outstanding_ = ports_.outstanding(command.op);
  write_ = ports_.is_write(command.op);
  start_ = arrived_ = start;
  port_free_ = ticks_of(start);
  port_time_ = Ticks(0);
}

bool Dma::next(Request& request) {
  if (cutter_.done()) return false;
  const std::int64_t granules = std::min(room(), cutting_.granules_of_chunk);
  sending_ = cutter_.cut({chunk_.data(), static_cast<std::size_t>(granules)});
  request.key.arrival = cycle_at(sent_) + limits_.path.request;
  request.write = write_;
  request.pieces = sending_.pieces;
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
  const Ticks time = std::max(
      ticks_of(Cycles(1)), hit_.time(sending_.moved - answer.missed) + miss_.time(answer.missed));
  const Cycles back = answer.completion + limits_.path.response;
  port_time_ += time;
  port_free_ = sent_ + time;
  const auto granules = static_cast<std::int64_t>(sending_.pieces.size());
  // The last granule was sent, and comes back, behind the others.
  const Ticks behind(time.count() / granules * (granules - 1));
  arrived_ = std::max(arrived_, back + cycle_at(behind));
  window_.push({granules, back});
  in_flight_ += granules;
}

}  // namespace dvmsim
