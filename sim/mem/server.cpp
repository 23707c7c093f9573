#include "sim/mem/server.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {

MemoryServer::MemoryServer(const Machine& machine, MemoryModel model)
    : machine_(machine),
      model_(model),
      line_bytes_(machine.l2.line.count()),
      read_latency_(ticks_of(machine.l2.read_latency)),
      write_latency_(ticks_of(machine.l2.write_latency)),
      hbm_latency_(ticks_of(machine.hbm.latency)),
      same_line_(ticks_of(machine.l2.same_line)),
      line_read_(ticks_for(line_bytes_, machine.l2.read.per_cycle())),
      line_write_(ticks_for(line_bytes_, machine.l2.write.per_cycle())),
      cache_(machine),
      channel_free_(static_cast<std::size_t>(machine.hbm.channels)) {
  const Rational channel =
      machine.hbm.peak.per_cycle() * machine.hbm.efficiency / Rational(machine.hbm.channels);
  line_fetch_ = ticks_for(line_bytes_, channel);
  write_back_rate_ = channel / machine.hbm.write_cost;
}

Answer MemoryServer::request(const Request& request) {
  DVMSIM_ASSERT(last_ <= request.key, "the memory system serves requests in order of arrival");
  last_ = request.key;
  if (model_ == MemoryModel::Detailed) return serve(request);

  Answer answer{request.key.arrival + (request.write ? machine_.l2.write_latency.cycles()
                                                     : machine_.l2.read_latency.cycles())};
  Tally tally;
  for (const Piece& piece : request.pieces) {
    answer.hit += piece.moved;
    tally.hit += piece.bytes;
  }
  report(request, answer, tally);
  return answer;
}

Answer MemoryServer::serve(const Request& request) {
  Answer answer{request.key.arrival};
  Tally tally;
  const Ticks arrival = ticks_of(request.key.arrival);
  Ticks done = arrival;
  for (const Piece& piece : request.pieces) {
    done = std::max(
        done, request.write ? write(piece, arrival, tally) : read(piece, arrival, answer, tally));
    if (request.write) answer.hit += piece.moved;
  }
  answer.completion = cycle_at(done);
  report(request, answer, tally);
  return answer;
}

Ticks MemoryServer::read(const Piece& piece, Ticks arrival, Answer& answer, Tally& tally) {
  const std::uint64_t line = piece.address / static_cast<std::uint64_t>(line_bytes_);
  const Ticks transfer = l2_time(piece.bytes, false);
  const Ticks begin = begin_on_l2(arrival, transfer);
  Ticks none{};
  const Cache::Access found =
      cache_.exists() ? cache_.access(line, false) : Cache::Access{false, false, 0, &none};
  if (found.hit) {
    answer.hit += piece.moved;
    tally.hit += piece.bytes;
    const Ticks mine = std::max(begin, *found.free);
    *found.free = mine + same_line_;
    return mine + transfer + read_latency_;
  }
  answer.missed += piece.moved;
  tally.missed += piece.bytes;
  tally.hbm_read += line_bytes_;
  const Ticks filled = fetch(line, begin);
  // Later accesses of the line wait for the fill, whichever latency is theirs, then for one
  // another.
  *found.free = std::max(begin + same_line_, filled - std::min(read_latency_, write_latency_));
  if (found.evicted_dirty) write_back(found.victim, begin, line_bytes_, tally);
  return filled;
}

Ticks MemoryServer::write(const Piece& piece, Ticks arrival, Tally& tally) {
  const std::uint64_t line = piece.address / static_cast<std::uint64_t>(line_bytes_);
  const Ticks transfer = l2_time(piece.bytes, true);
  const Ticks begin = begin_on_l2(arrival, transfer);
  const bool keep = cache_.exists() && (machine_.l2.write_allocate || cache_.contains(line));
  if (!keep) {
    tally.missed += piece.bytes;
    write_back(line, begin, piece.bytes, tally);
    return begin + transfer + write_latency_;
  }
  const Cache::Access found = cache_.access(line, true);
  (found.hit ? tally.hit : tally.missed) += piece.bytes;
  const Ticks mine = std::max(begin, *found.free);
  *found.free = mine + same_line_;
  if (found.evicted_dirty) write_back(found.victim, begin, line_bytes_, tally);
  return mine + transfer + write_latency_;
}

Ticks MemoryServer::begin_on_l2(Ticks arrival, Ticks transfer) {
  const Ticks begin = std::max(arrival, l2_free_);
  l2_free_ = begin + transfer;
  return begin;
}

Ticks MemoryServer::fetch(std::uint64_t line, Ticks begin) {
  Ticks& channel = channel_of(line);
  channel = std::max(begin, channel) + line_fetch_;
  return channel + read_latency_ + hbm_latency_;
}

void MemoryServer::write_back(std::uint64_t line, Ticks begin, std::int64_t bytes, Tally& tally) {
  Ticks& channel = channel_of(line);
  channel = std::max(begin, channel) + ticks_for(bytes, write_back_rate_);
  tally.hbm_write += bytes;
}

Ticks& MemoryServer::channel_of(std::uint64_t line) {
  std::uint64_t unit = line * static_cast<std::uint64_t>(line_bytes_) /
                       static_cast<std::uint64_t>(machine_.hbm.interleave.count());
  // Higher bits are folded in, so that strides of a power of two use every channel.
  unit ^= unit >> 5 ^ unit >> 10 ^ unit >> 15 ^ unit >> 20 ^ unit >> 25;
  return channel_free_[unit % channel_free_.size()];
}

Ticks MemoryServer::l2_time(std::int64_t bytes, bool write) const {
  if (bytes == line_bytes_) return write ? line_write_ : line_read_;
  return ticks_for(bytes, (write ? machine_.l2.write : machine_.l2.read).per_cycle());
}

void MemoryServer::prefetch(const Request& request) const {
  if (!cache_.exists()) return;
  for (const Piece& piece : request.pieces) {
    cache_.prefetch(piece.address / static_cast<std::uint64_t>(line_bytes_));
  }
}

void MemoryServer::touch(std::uint64_t address, std::int64_t bytes) {
  if (!cache_.exists() || bytes <= 0) return;
  const auto line = static_cast<std::uint64_t>(line_bytes_);
  const std::uint64_t last = (address + static_cast<std::uint64_t>(bytes) - 1) / line;
  for (std::uint64_t i = address / line; i <= last; ++i) cache_.access(i, false);
}

void MemoryServer::report(const Request& request, const Answer& answer, const Tally& tally) const {
  if (probes_ == nullptr || probes_->empty()) return;
  const auto say = [&](Place place, std::int64_t bytes) {
    if (bytes == 0) return;
    const Traffic traffic{place, Bytes(bytes), request.key.arrival, answer.completion};
    for (Probe* probe : *probes_) probe->on_traffic(traffic);
  };
  say(Place::L2Hit, tally.hit);
  say(Place::L2Miss, tally.missed);
  say(Place::HbmRead, tally.hbm_read);
  say(Place::HbmWrite, tally.hbm_write);
}

}  // namespace dvmsim
