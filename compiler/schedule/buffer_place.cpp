#include "compiler/schedule/buffer_place.h"

#include <algorithm>
#include <numeric>

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

}  // namespace

BufferPlacer::BufferPlacer(const VectorKernel& kernel)
    : BufferPlacer(kernel, {std::span(kernel.steps)}, std::vector<bool>(kernel.values.size())) {}

BufferPlacer::BufferPlacer(const VectorKernel& kernel,
                           std::vector<std::span<const KernelStep>> stretches,
                           std::vector<bool> kept)
    : kernel_(kernel), use_(kernel.values.size()), side_(kernel.values.size(), -1) {
  for (const KernelTensor& in : kernel.inputs) {
    use_[static_cast<std::size_t>(in.value)] = Use::Loaded;
  }
  for (const KernelTensor& out : kernel.outputs) {
    use_[static_cast<std::size_t>(out.value)] = Use::Stored;
  }
  for (std::size_t i = 0; i < kept.size(); ++i) use_[i] = kept[i] ? Use::Kept : use_[i];
  for (const auto& steps : stretches) {
    find_slots(steps);
    find_sides(steps);
  }
}

int BufferPlacer::place_of_source(const KernelStep& step, int at, std::span<const int> slot_of,
                                  std::span<const int> last) const {
  if (!works_in_place(step.op)) return -1;
  const KernelValue& made = value(step.result);
  for (int source : step.source) {
    if (source < 0) continue;
    const auto from = static_cast<std::size_t>(source);
    const KernelValue& read = value(source);
    const bool same = size_of(read.dtype) == size_of(made.dtype) && read.extent == made.extent &&
                      read.uniform == made.uniform;
    if (slot_of[from] >= 0 && last[from] == at && same) return slot_of[from];
  }
  return -1;
}

void BufferPlacer::find_slots(std::span<const KernelStep> steps) {
  std::vector<int> last(use_.size(), -1), slot_of(use_.size(), -1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (int source : steps[i].source) {
      if (source >= 0) last[static_cast<std::size_t>(source)] = static_cast<int>(i);
    }
    last[static_cast<std::size_t>(steps[i].result)] = static_cast<int>(i);
  }
  std::vector<Slot> slots;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto result = static_cast<std::size_t>(steps[i].result);
    if (use_[result] != Use::Computed || slot_of[result] >= 0) continue;
    const int at = static_cast<int>(i);
    slot_of[result] = place_of_source(steps[i], at, slot_of, last);
    if (slot_of[result] < 0) {
      slot_of[result] = static_cast<int>(slots.size());
      slots.push_back({at, at, {}});
    }
    Slot& slot = slots[static_cast<std::size_t>(slot_of[result])];
    slot.last = std::max(slot.last, last[result]);
    slot.values.push_back(steps[i].result);
  }
  slots_.push_back(std::move(slots));
}

/// Two sources of an instruction lie half a turn apart; other results lie where their source does.
void BufferPlacer::find_sides(std::span<const KernelStep> steps) {
  std::vector<int> place(use_.size());  // the value whose place it takes
  std::iota(place.begin(), place.end(), 0);
  for (const Slot& slot : slots_.back()) {
    for (int id : slot.values) place[static_cast<std::size_t>(id)] = slot.values.front();
  }
  const auto side = [&](int id) -> int& {
    return side_[static_cast<std::size_t>(place[static_cast<std::size_t>(id)])];
  };
  for (const KernelStep& step : steps) {
    const int a = step.source[0], b = step.source[1];
    if (a < 0 || b < 0 || &side(a) == &side(b)) continue;
    if (side(a) < 0) side(a) = side(b) < 0 ? 0 : 1 - side(b);
    if (side(b) < 0) side(b) = 1 - side(a);
  }
  for (const KernelStep& step : steps) {
    if (side(step.result) >= 0) continue;
    side(step.result) = step.source[0] >= 0 ? std::max(side(step.source[0]), 0) : 0;
  }
}

std::int64_t BufferPlacer::shift(int value) const {
  return side_[static_cast<std::size_t>(value)] == 1 ? kBankTurn : 0;
}

std::vector<bool> BufferPlacer::loaded_once(VectorTile tile) const {
  std::vector<bool> once(use_.size());
  for (const KernelTensor& in : kernel_.inputs) {
    once[static_cast<std::size_t>(in.value)] = is_invariant(kernel_, in, tile);
  }
  return once;
}

VectorSchedule BufferPlacer::place_kept(VectorTile tile, BufferDepth depth,
                                        std::int64_t begin) const {
  VectorSchedule schedule;
  schedule.tile = tile;
  schedule.depth = depth;
  schedule.pitch = pitch_of(kernel_, tile.columns);
  schedule.piece = piece_of(kernel_, tile);
  schedule.buffers.resize(kernel_.values.size());
  const std::vector<bool> once = loaded_once(tile);
  std::int64_t end = begin;
  const auto keep = [&](std::size_t id, int copies) {
    const std::int64_t bytes = bytes_of(kernel_.values[id], tile, schedule.pitch, schedule.piece);
    const std::int64_t size = round_up(bytes, copies > 1 ? kTurn : kBlock);
    schedule.buffers[id] = {end, size * copies, copies};
    end += size * copies;
  };
  for (std::size_t id = 0; id < use_.size(); ++id) {
    if (use_[id] == Use::Kept) keep(id, 1);
  }
  for (std::size_t id = 0; id < use_.size(); ++id) {
    if (use_[id] != Use::Loaded && use_[id] != Use::Stored) continue;
    end = round_up(end, kTurn) + shift(static_cast<int>(id));
    keep(id, once[id] ? 1 : use_[id] == Use::Loaded ? depth.loads : depth.stores);
  }
  schedule.ub_end = end;
  return schedule;
}

std::vector<VectorSchedule> BufferPlacer::place(VectorTile tile, BufferDepth depth,
                                                std::int64_t begin) const {
  const VectorSchedule kept = place_kept(tile, depth, begin);
  std::vector<VectorSchedule> phases;
  std::int64_t end = kept.ub_end;
  for (const std::vector<Slot>& slots : slots_) {
    VectorSchedule schedule = kept;
    const auto bytes = [&](int id) {
      return round_up(bytes_of(value(id), tile, kept.pitch, kept.piece), kBlock);
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
      for (int id : slots[i].values) {
        schedule.buffers[static_cast<std::size_t>(id)] = {base, bytes(id)};
      }
    }
    phases.push_back(std::move(schedule));
  }
  for (VectorSchedule& schedule : phases) schedule.ub_end = end;
  return phases;
}

}  // namespace dvmsim
