#include "sim/mem/server.h"

#include <algorithm>
#include <bit>

#include "sim/mem/hot.h"
#include "vm/base/error.h"

namespace dvmsim {

MemoryServer::MemoryServer(const Machine& machine, MemoryModel model)
    : machine_(machine),
      model_(model),
      line_bytes_(machine.l2.line.count()),
      read_latency_(ticks_of(machine.l2.read_latency)),
      write_latency_(ticks_of(machine.l2.write_latency)),
      fill_latency_(read_latency_ + ticks_of(machine.hbm.latency)),
      least_latency_(std::min(read_latency_, write_latency_)),
      same_line_(ticks_of(machine.l2.same_line)),
      line_read_(ticks_for(line_bytes_, machine.l2.read.per_cycle())),
      line_write_(ticks_for(line_bytes_, machine.l2.write.per_cycle())),
      line_bits_(static_cast<unsigned>(std::countr_zero(static_cast<std::uint64_t>(line_bytes_)))),
      by_interleave_(static_cast<std::uint64_t>(machine.hbm.interleave / machine.l2.line)),
      by_channels_(static_cast<std::uint64_t>(machine.hbm.channels)),
      cache_(machine),
      tlb_(machine, machine.cores.cube + machine.cores.vector),
      closed_form_(machine),
      walk_(ticks_of(machine.tlb.walk)),
      translated_(static_cast<std::size_t>(machine.cores.cube + machine.cores.vector)),
      channel_free_(static_cast<std::size_t>(machine.hbm.channels)) {
  const Rational channel =
      machine.hbm.peak.per_cycle() * machine.hbm.efficiency / Rational(machine.hbm.channels);
  line_fetch_ = ticks_for(line_bytes_, channel);
  write_back_rate_ = channel / machine.hbm.write_cost;
}

Answer MemoryServer::request(const Request& request) {
  DVMSIM_ASSERT(last_ <= request.key, "the memory system serves requests in order of arrival");
  last_ = request.key;
  Tally tally;
  const Answer answer = model_ == MemoryModel::Ideal        ? ideal(request, tally)
                        : model_ == MemoryModel::ClosedForm ? closed_form_.serve(request, tally)
                        : request.write                     ? write(request, tally)
                                                            : read(request, tally);
  report(request, answer.completion, tally);
  return answer;
}

Answer MemoryServer::ideal(const Request& request, Tally& tally) const {
  for (const Piece& piece : request.pieces) tally.hit += piece.bytes;
  const auto& l2 = machine_.l2;
  return {request.key.arrival + (request.write ? l2.write_latency : l2.read_latency).cycles()};
}

DVMSIM_HOT Ticks MemoryServer::l2_time(std::int64_t bytes, bool write) const {
  if (bytes == line_bytes_) return write ? line_write_ : line_read_;
  return ticks_for(bytes, (write ? machine_.l2.write : machine_.l2.read).per_cycle());
}

DVMSIM_HOT Ticks& MemoryServer::channel_of(std::uint64_t line) {
  std::uint64_t unit = by_interleave_.quotient(line);
  // Higher bits are folded in, five at a time, so that strides of a power of two use every channel.
  unit ^= unit >> 5;
  unit ^= unit >> 10 ^ unit >> 20;
  return channel_free_[by_channels_.remainder(unit)];
}

DVMSIM_HOT Ticks MemoryServer::begin_on_l2(Ticks arrival, Ticks transfer) {
  const Ticks begin = later(arrival, l2_free_);
  l2_free_ = begin + transfer;
  return begin;
}

DVMSIM_HOT Ticks MemoryServer::begin_on_line(const Cache::Place& place, Ticks begin, bool write) {
  Ticks& free = cache_.use(place, write);
  const Ticks mine = later(begin, free);
  free = mine + same_line_;
  return mine;
}

DVMSIM_HOT Ticks MemoryServer::fetch(std::uint64_t line, Ticks begin) {
  Ticks& channel = channel_of(line);
  channel = later(begin, channel) + line_fetch_;
  return channel + fill_latency_;
}

inline void MemoryServer::write_back(std::uint64_t line, Ticks begin, std::int64_t bytes,
                                     Tally& tally) {
  Ticks& channel = channel_of(line);
  channel = later(begin, channel) + ticks_for(bytes, write_back_rate_);
  tally.hbm_write += bytes;
}

/// A core walks for one page at a time; its requests stay in order. Bandwidth is taken when a
/// request arrives, so that nobody else waits for the walk.
DVMSIM_HOT Ticks MemoryServer::translate(int core, std::uint64_t address, Ticks arrival) {
  Ticks& translated = translated_[static_cast<std::size_t>(core)];
  if (!tlb_.access(core, address)) translated = later(translated, arrival) + walk_;
  return later(translated, arrival) - arrival;
}

DVMSIM_HOT Ticks MemoryServer::read(const Piece& piece, Ticks arrival, bool keeps, Tally& tally) {
  const std::uint64_t line = line_of(piece.address);
  const Ticks transfer = l2_time(piece.moved, false);
  const Ticks begin = begin_on_l2(arrival, transfer);
  if (cache_.exists()) {
    const Cache::Place place = cache_.find(line);
    if (place.present()) {
      tally.hit += piece.bytes;
      return begin_on_line(place, begin, false) + transfer + read_latency_;
    }
    tally.missed += piece.bytes;
    const Ticks filled = fetch(line, begin);
    if (!keeps) return filled;
    Cache::Victim victim;
    // Later accesses of the line wait for the fill, whichever latency is theirs, then for one
    // another.
    cache_.replace(place, false, victim) = later(begin + same_line_, filled - least_latency_);
    if (victim.dirty) write_back(victim.line, begin, line_bytes_, tally);
    return filled;
  }
  tally.missed += piece.bytes;
  return fetch(line, begin);
}

DVMSIM_HOT Ticks MemoryServer::write(const Piece& piece, Ticks arrival, bool keeps, Tally& tally) {
  const std::uint64_t line = line_of(piece.address);
  const Ticks transfer = l2_time(piece.moved, true);
  const Ticks begin = begin_on_l2(arrival, transfer);
  if (cache_.exists()) {
    const Cache::Place place = cache_.find(line);
    if (place.present()) {
      tally.hit += piece.bytes;
      return begin_on_line(place, begin, true) + transfer + write_latency_;
    }
    if (keeps && machine_.l2.write_allocate) {
      tally.missed += piece.bytes;
      Cache::Victim victim;
      cache_.replace(place, true, victim) = begin + same_line_;
      if (victim.dirty) write_back(victim.line, begin, line_bytes_, tally);
      return begin + transfer + write_latency_;
    }
  }
  tally.missed += piece.bytes;
  write_back(line, begin, piece.bytes, tally);
  return begin + transfer + write_latency_;
}

Answer MemoryServer::read(const Request& request, Tally& tally) {
  const Ticks arrival = ticks_of(request.key.arrival);
  const int core = request.key.core;
  const bool bypasses = !bypassed_.empty();
  const bool keeps_parts = machine_.l2.keep_partial || request.key.queue == Pipe::Scalar;
  Ticks done = arrival;
  Tally mine;  // in registers
  std::int64_t missed = 0;
  for (const Piece& piece : request.pieces) {
    const Ticks walk = translate(core, piece.address, arrival);
    const bool keeps = (keeps_parts || piece.whole()) && !(bypasses && is_bypassed(piece.address));
    const std::int64_t before = mine.missed;
    done = later(done, read(piece, arrival, keeps, mine) + walk);
    if (mine.missed != before) {
      missed += piece.moved;
      mine.hbm_read += line_bytes_;
    }
  }
  tally = mine;
  return {cycle_at(done), missed};
}

Answer MemoryServer::write(const Request& request, Tally& tally) {
  const Ticks arrival = ticks_of(request.key.arrival);
  Ticks done = arrival;
  for (const Piece& piece : request.pieces) {
    const Ticks walk = translate(request.key.core, piece.address, arrival);
    done = later(done, write(piece, arrival, !is_bypassed(piece.address), tally) + walk);
  }
  return {cycle_at(done)};
}

void MemoryServer::bypass(std::uint64_t address, std::int64_t bytes) {
  const Range range{address, address + static_cast<std::uint64_t>(bytes)};
  if (std::find(bypassed_.begin(), bypassed_.end(), range) == bypassed_.end()) {
    bypassed_.push_back(range);
  }
}

void MemoryServer::end_bypass(std::uint64_t address, std::int64_t bytes) {
  const std::uint64_t end = address + static_cast<std::uint64_t>(bytes);
  std::erase_if(bypassed_,
                [&](const Range& range) { return range.begin < end && address < range.end; });
}

bool MemoryServer::is_bypassed(std::uint64_t address) const {
  return std::any_of(bypassed_.begin(), bypassed_.end(), [address](const Range& range) {
    return range.begin <= address && address < range.end;
  });
}

void MemoryServer::prefetch(const Request& request) const {
  if (!cache_.exists() || model_ != MemoryModel::Detailed) return;
  for (const Piece& piece : request.pieces) {
    cache_.prefetch(line_of(piece.address));
  }
}

void MemoryServer::touch(std::uint64_t address, std::int64_t bytes) {
  closed_form_.touch(address, bytes);
  tlb_.touch(address, bytes);
  if (!cache_.exists() || bytes <= 0) return;
  const auto line = static_cast<std::uint64_t>(line_bytes_);
  const std::uint64_t last = (address + static_cast<std::uint64_t>(bytes) - 1) / line;
  for (std::uint64_t i = address / line; i <= last; ++i) {
    const Cache::Place place = cache_.find(i);
    Cache::Victim forgotten;
    if (place.present()) {
      cache_.use(place, false);
    } else {
      cache_.replace(place, false, forgotten) = Ticks(0);
    }
  }
}

void MemoryServer::clear() {
  cache_.clear();
  tlb_.clear();
  closed_form_.clear();
}

void MemoryServer::report(const Request& request, Cycles completion, const Tally& tally) const {
  if (probes_ == nullptr || probes_->empty()) return;
  const auto say = [&](Place place, std::int64_t bytes) {
    if (bytes == 0) return;
    const Traffic traffic{place, Bytes(bytes), request.key.arrival, completion, request.key.core};
    for (Probe* probe : *probes_) probe->on_traffic(traffic);
  };
  say(Place::L2Hit, tally.hit);
  say(Place::L2Miss, tally.missed);
  say(Place::HbmRead, tally.hbm_read);
  say(Place::HbmWrite, tally.hbm_write);
}

}  // namespace dvmsim
