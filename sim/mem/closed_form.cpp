#include "sim/mem/closed_form.h"

#include <algorithm>

namespace dvmsim {

ClosedForm::ClosedForm(const Machine& machine)
    : machine_(machine),
      line_bytes_(machine.l2.line.count()),
      core_free_(static_cast<std::size_t>(machine.cores.cube + machine.cores.vector)) {
  begin(1);
}

void ClosedForm::begin(int cores) {
  const Rational share(1, std::max(1, cores));
  read_ = machine_.l2.read.per_cycle() * share;
  write_ = machine_.l2.write.per_cycle() * share;
  fetch_ = machine_.hbm.peak.per_cycle() * machine_.hbm.efficiency * share;
}

Answer ClosedForm::serve(const Request& request, Tally& tally) {
  std::int64_t moved = 0, lines = 0;
  Answer answer;
  for (const Piece& piece : request.pieces) {
    const bool there = meet(piece.address / static_cast<std::uint64_t>(line_bytes_));
    moved += piece.moved;
    (there ? tally.hit : tally.missed) += piece.bytes;
    if (there || request.write) continue;
    ++lines;
    answer.missed += piece.moved;
  }
  tally.hbm_read += lines * line_bytes_;
  Ticks& free = core_free_[request.key.core];
  const Ticks through_l2 = ticks_for(moved, request.write ? write_ : read_);
  free = std::max(free, ticks_of(request.key.arrival)) +
         std::max(through_l2, ticks_for(lines * line_bytes_, fetch_));
  const auto& l2 = machine_.l2;
  const Delay latency = request.write ? l2.write_latency : l2.read_latency;
  answer.completion =
      cycle_at(free) + latency.cycles() + (lines > 0 ? machine_.hbm.latency.cycles() : Cycles(0));
  return answer;
}

bool ClosedForm::meet(std::uint64_t line) {
  const std::size_t word = line / 64;
  if (word >= present_.size()) present_.resize(word + 1);
  const std::uint64_t bit = std::uint64_t{1} << line % 64;
  const bool there = (present_[word] & bit) != 0;
  present_[word] |= bit;
  return there;
}

void ClosedForm::touch(std::uint64_t address, std::int64_t bytes) {
  if (bytes <= 0) return;
  const auto line = static_cast<std::uint64_t>(line_bytes_);
  const std::uint64_t last = (address + static_cast<std::uint64_t>(bytes) - 1) / line;
  for (std::uint64_t i = address / line; i <= last; ++i) meet(i);
}

}  // namespace dvmsim
