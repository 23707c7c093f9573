#include "compiler/schedule/long_place.h"

#include <algorithm>

#include "compiler/schedule/vector_parts.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

constexpr std::int64_t kTurn = 2 * kBankTurn;  // through all bank groups

/// May the result take the place of a source of the same size?
bool works_in_place(Op op) {
  return op != Op::vredx && op != Op::vredy && op != Op::vbrc && op != Op::vdup;
}

/// A piece of a row that one block per repeat stands beside: see VectorSchedule::piece.
std::int64_t piece_of(const VectorKernel& kernel, VectorTile tile) {
  if (tile.rows != 1) return 0;
  std::int64_t piece = 0;
  for (const KernelValue& value : kernel.values) {
    if (!value.uniform) continue;
    const std::int64_t own = kBankTurn / size_of(value.dtype);
    if (piece != 0 && piece != own) return 0;
    piece = own;
  }
  return piece != 0 && tile.columns > piece && tile.columns % piece == 0 ? piece : 0;
}

}  // namespace

LongPlacer::LongPlacer(const PhasedKernel& phased) : phased_(phased) {
  find_kept();
  side_.assign(phased.kernel.values.size(), -1);
  for (const Phase& phase : phased.phases) {
    find_slots(phase);
    find_sides(phase);
  }
}

void LongPlacer::find_kept() {
  const std::size_t values = phased_.kernel.values.size();
  moved_.assign(values, false);
  for (const auto* list : {&phased_.kernel.inputs, &phased_.kernel.outputs}) {
    for (const KernelTensor& tensor : *list) {
      const auto value = static_cast<std::size_t>(tensor.value);
      moved_[value] = phased_.is_long[value];
    }
  }
  kept_ = moved_;
  for (std::size_t i = 0; i < values; ++i) kept_[i] = kept_[i] || !phased_.is_long[i];
}

void LongPlacer::find_slots(const Phase& phase) {
  std::vector<int> last(kept_.size(), -1);
  const int steps = static_cast<int>(phase.steps.size());
  for (int i = 0; i < steps; ++i) {
    const KernelStep& step = phase.steps[static_cast<std::size_t>(i)];
    for (int value : step.source) {
      if (value >= 0) last[static_cast<std::size_t>(value)] = i;
    }
    last[static_cast<std::size_t>(step.result)] = i;
  }
  std::vector<Slot> slots;
  std::vector<int> slot_of(kept_.size(), -1);
  for (int i = 0; i < steps; ++i) {
    const KernelStep& step = phase.steps[static_cast<std::size_t>(i)];
    const auto result = static_cast<std::size_t>(step.result);
    if (is_kept(step.result) || slot_of[result] >= 0) continue;
    const KernelValue& made = phased_.kernel.values[result];
    for (int source : step.source) {
      if (source < 0 || slot_of[result] >= 0 || !works_in_place(step.op)) continue;
      const auto from = static_cast<std::size_t>(source);
      const KernelValue& read = phased_.kernel.values[from];
      const bool same = size_of(read.dtype) == size_of(made.dtype) && read.extent == made.extent &&
                        read.uniform == made.uniform;
      if (slot_of[from] >= 0 && last[from] == i && same) slot_of[result] = slot_of[from];
    }
    if (slot_of[result] < 0) {
      slot_of[result] = static_cast<int>(slots.size());
      slots.push_back({i, i, {}});
    }
    Slot& slot = slots[static_cast<std::size_t>(slot_of[result])];
    slot.last = std::max(slot.last, last[result]);
    slot.values.push_back(step.result);
  }
  slots_.push_back(std::move(slots));
}

/// Two sources of an instruction lie half a turn apart, a result where its first source does.
void LongPlacer::find_sides(const Phase& phase) {
  const auto side = [&](int value) -> int& { return side_[static_cast<std::size_t>(value)]; };
  for (const KernelStep& step : phase.steps) {
    const int a = step.source[0], b = step.source[1];
    if (a < 0) continue;
    if (side(a) < 0) side(a) = b >= 0 && side(b) >= 0 ? 1 - side(b) : 0;
    if (b >= 0 && side(b) < 0) side(b) = 1 - side(a);
    if (side(step.result) < 0) side(step.result) = side(a);
  }
}

std::int64_t LongPlacer::shift(int value) const {
  return side_[static_cast<std::size_t>(value)] == 1 ? kBankTurn : 0;
}

VectorSchedule LongPlacer::place_kept(VectorTile tile, int copies, std::int64_t begin) const {
  const VectorKernel& kernel = phased_.kernel;
  VectorSchedule schedule;
  schedule.tile = tile;
  schedule.pitch = pitch_of(kernel, tile.columns);
  schedule.piece = piece_of(kernel, tile);
  schedule.buffers.resize(kernel.values.size());
  std::int64_t end = begin;
  const auto keep = [&](std::size_t value, std::int64_t size, int count) {
    schedule.buffers[value] = {end, size * count, count};
    end += size * count;
  };
  const auto bytes = [&](std::size_t value) {
    return bytes_of(kernel.values[value], tile, schedule.pitch, schedule.piece);
  };
  for (std::size_t value = 0; value < kernel.values.size(); ++value) {
    if (!phased_.is_long[value]) keep(value, round_up(bytes(value), kBlock), 1);
  }
  for (std::size_t value = 0; value < kernel.values.size(); ++value) {
    if (!moved_[value]) continue;
    end = round_up(end, kTurn) + shift(static_cast<int>(value));
    keep(value, round_up(bytes(value), copies > 1 ? kTurn : kBlock), copies);
  }
  schedule.ub_end = end;
  return schedule;
}

std::vector<VectorSchedule> LongPlacer::place(VectorTile tile, int copies,
                                              std::int64_t begin) const {
  const VectorSchedule kept = place_kept(tile, copies, begin);
  std::vector<VectorSchedule> phases;
  std::int64_t end = kept.ub_end;
  for (const std::vector<Slot>& slots : slots_) {
    VectorSchedule schedule = kept;
    const auto bytes = [&](int value) {
      const KernelValue& of = phased_.kernel.values[static_cast<std::size_t>(value)];
      return round_up(bytes_of(of, tile, kept.pitch, kept.piece), kBlock);
    };
    std::vector<UbInterval> intervals;
    for (const Slot& slot : slots) {
      const int first = slot.values.front();  // those that follow have its size
      intervals.push_back({slot.first, slot.last, bytes(first) + shift(first)});
    }
    const UbPlan plan = plan_ub(intervals, kept.ub_end, kTurn);
    end = std::max(end, plan.end);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const std::int64_t base = plan.base[i] + shift(slots[i].values.front());
      for (int value : slots[i].values) {
        schedule.buffers[static_cast<std::size_t>(value)] = {base, bytes(value)};
      }
    }
    phases.push_back(std::move(schedule));
  }
  for (VectorSchedule& schedule : phases) schedule.ub_end = end;
  return phases;
}

}  // namespace dvmsim
