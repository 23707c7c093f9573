#include "tests/support/oracle_memory.h"

#include <algorithm>

namespace dvmsim::testing {
namespace {

constexpr std::int64_t kOne = 4096;  // a cycle

std::int64_t transfer(std::int64_t bytes, Rational rate) {
  return rate.ceil_of(bytes * kOne);
}

}  // namespace

OracleMemory::OracleMemory(const Machine& machine, bool ideal)
    : machine_(machine),
      ideal_(ideal),
      line_bytes_(machine.l2.line.count()),
      sets_(machine.l2.size.count() / (line_bytes_ * machine.l2.ways)),
      channel_free_(static_cast<std::size_t>(machine.hbm.channels), 0) {}

std::size_t OracleMemory::channel_of(std::int64_t line) const {
  const std::int64_t block = line * line_bytes_ / machine_.hbm.interleave.count();
  std::int64_t folded = 0;  // groups of five bits, up to thirty
  for (int shift = 0; shift <= 25; shift += 5) folded ^= block >> shift;
  return static_cast<std::size_t>(folded % machine_.hbm.channels);
}

OracleMemory::Fixed OracleMemory::occupy(std::size_t channel, Fixed from, Fixed length) {
  Fixed& free = channel_free_[channel];
  free = std::max(free, from) + length;
  return free;
}

OracleMemory::Fixed OracleMemory::begin_on_l2(Fixed arrival, Fixed transfer) {
  const Fixed begin = std::max(arrival, l2_free_);
  l2_free_ = begin + transfer;
  return begin;
}

OracleMemory::Line* OracleMemory::find(std::int64_t index) {
  if (sets_ == 0) return nullptr;
  Set& set = l2_[index % sets_];
  const auto found =
      std::find_if(set.begin(), set.end(), [&](const Line& line) { return line.index == index; });
  if (found == set.end()) return nullptr;
  set.splice(set.begin(), set, found);
  return &set.front();
}

void OracleMemory::allocate(const Line& line, Fixed now) {
  if (sets_ == 0) return;
  Set& set = l2_[line.index % sets_];
  set.push_front(line);
  if (static_cast<int>(set.size()) <= machine_.l2.ways) return;
  const Line victim = set.back();
  set.pop_back();
  if (victim.dirty) write_back(victim.index, line_bytes_, now);
}

void OracleMemory::write_back(std::int64_t index, std::int64_t bytes, Fixed now) {
  occupy(channel_of(index), now, transfer(bytes, channel_rate() / machine_.hbm.write_cost));
}

Rational OracleMemory::channel_rate() const {
  return machine_.hbm.peak.per_cycle() * machine_.hbm.efficiency / Rational(machine_.hbm.channels);
}

OracleMemory::Fixed OracleMemory::read(const OraclePiece& piece, Fixed arrival, bool by_scalar,
                                       Answer& answer) {
  const std::int64_t index = piece.address / line_bytes_;
  const Fixed latency = machine_.l2.read_latency.cycles().count() * kOne;
  const Fixed same_line = machine_.l2.same_line.count() * kOne;
  const Fixed length = transfer(piece.moved, machine_.l2.read.per_cycle());
  const Fixed begin = begin_on_l2(arrival, length);
  if (Line* const line = find(index)) {
    const Fixed mine = std::max(begin, line->free);
    line->free = mine + same_line;
    return mine + length + latency;
  }
  answer.missed += piece.moved;
  const Fixed filled = occupy(channel_of(index), begin, transfer(line_bytes_, channel_rate())) +
                       latency + machine_.hbm.latency.cycles().count() * kOne;
  const bool part_of_request = piece.bytes < piece.moved;
  if (part_of_request && !by_scalar && !machine_.l2.keep_partial) return filled;
  // Whoever comes next waits for the fill: its turn on the line is such that it cannot end before.
  const Fixed other = machine_.l2.write_latency.cycles().count() * kOne;
  const Fixed free = std::max(begin + same_line, filled - std::min(latency, other));
  allocate({index, false, free}, begin);
  return filled;
}

OracleMemory::Fixed OracleMemory::write(const OraclePiece& piece, Fixed arrival) {
  const std::int64_t index = piece.address / line_bytes_;
  const Fixed latency = machine_.l2.write_latency.cycles().count() * kOne;
  const Fixed same_line = machine_.l2.same_line.count() * kOne;
  const Fixed length = transfer(piece.moved, machine_.l2.write.per_cycle());
  const Fixed begin = begin_on_l2(arrival, length);
  if (Line* const line = find(index)) {
    line->dirty = true;
    const Fixed mine = std::max(begin, line->free);
    line->free = mine + same_line;
    return mine + length + latency;
  }
  if (sets_ > 0 && machine_.l2.write_allocate) {
    allocate({index, true, begin + same_line}, begin);
  } else {
    write_back(index, piece.bytes, begin);
  }
  return begin + length + latency;
}

OracleMemory::Fixed OracleMemory::translate(int core, std::int64_t address, Fixed arrival) {
  Pages& pages = pages_[core];
  const std::int64_t page = address / machine_.tlb.page.count();
  const std::size_t before = pages.used.size();
  pages.used.remove(page);
  const bool there = pages.used.size() < before;
  pages.used.push_front(page);
  if (!there) {
    pages.walked = std::max(pages.walked, arrival) + machine_.tlb.walk.cycles().count() * kOne;
    if (static_cast<int>(pages.used.size()) > machine_.tlb.entries) pages.used.pop_back();
  }
  return std::max(pages.walked, arrival);
}

OracleMemory::Answer OracleMemory::access(std::int64_t arrival, int core, bool is_write,
                                          bool by_scalar, const std::vector<OraclePiece>& pieces) {
  if (ideal_) {
    const Delay latency = is_write ? machine_.l2.write_latency : machine_.l2.read_latency;
    return {arrival + latency.cycles().count(), 0};
  }
  Answer answer;
  Fixed last = arrival * kOne;
  for (const OraclePiece& piece : pieces) {
    const Fixed waits = translate(core, piece.address, arrival * kOne) - arrival * kOne;
    const Fixed done =
        is_write ? write(piece, arrival * kOne) : read(piece, arrival * kOne, by_scalar, answer);
    last = std::max(last, done + waits);
  }
  answer.completion = (last + kOne - 1) / kOne;
  return answer;
}

}  // namespace dvmsim::testing
