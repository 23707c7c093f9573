#include "compiler/schedule/buffer_place.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
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
    : kernel_(kernel),
      use_(kernel.values.size()),
      input_of_(kernel.values.size(), -1),
      side_(kernel.values.size(), -1) {
  find_moved();
  for (std::size_t i = 0; i < kept.size(); ++i) use_[i] = kept[i] ? Use::Kept : use_[i];
  for (const auto& steps : stretches) {
    find_slots(steps);
    find_sides(steps);
  }
}

BufferPlacer::BufferPlacer(const VectorKernel& kernel, std::span<const KernelStep> steps,
                           const std::vector<bool>& made)
    : kernel_(kernel),
      use_(kernel.values.size()),
      input_of_(kernel.values.size(), -1),
      side_(kernel.values.size(), -1) {
  find_moved();
  for (std::size_t i = 0; i < made.size(); ++i) use_[i] = made[i] ? Use::Made : use_[i];
  find_slots(steps);
  find_sides(steps);
}

void BufferPlacer::find_moved() {
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    const auto id = static_cast<std::size_t>(kernel_.inputs[i].value);
    use_[id] = Use::Loaded;
    input_of_[id] = static_cast<int>(i);
  }
  for (const KernelTensor& out : kernel_.outputs) {
    use_[static_cast<std::size_t>(out.value)] = Use::Stored;
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

BufferPlacer::Tile BufferPlacer::sized(VectorTile tile) const {
  return {tile, pitch_of(kernel_, tile.columns), piece_of(kernel_, tile)};
}

std::int64_t BufferPlacer::bytes(const Tile& tile, int id) const {
  return bytes_of(value(id), tile.tile, tile.pitch, tile.piece);
}

template <class Visit>
std::int64_t BufferPlacer::place_kept(const Tile& tile, BufferDepth depth, std::int64_t begin,
                                      const Visit& visit) const {
  std::int64_t end = begin;
  const auto keep = [&](int id, int copies) {
    const std::int64_t size = round_up(bytes(tile, id), copies > 1 ? kTurn : kBlock);
    visit(id, UbBuffer{end, size * copies, copies});
    end += size * copies;
  };
  const int values = static_cast<int>(use_.size());
  for (int id = 0; id < values; ++id) {
    if (use_[static_cast<std::size_t>(id)] == Use::Kept) keep(id, 1);
  }
  for (int id = 0; id < values; ++id) {
    const auto at = static_cast<std::size_t>(id);
    if (use_[at] == Use::Computed || use_[at] == Use::Kept) continue;
    end = round_up(end, kTurn) + shift(id);
    int copies = use_[at] == Use::Loaded ? depth.loads : use_[at] == Use::Stored ? depth.stores : 1;
    if (copies > 1 && input_of_[at] >= 0) {
      const auto input = static_cast<std::size_t>(input_of_[at]);
      if (is_invariant(kernel_, kernel_.inputs[input], tile.tile)) copies = 1;
    }
    keep(id, copies);
  }
  return end;
}

UbPlan BufferPlacer::plan_slots(const std::vector<Slot>& slots, const Tile& tile,
                                std::int64_t begin) const {
  boost::container::small_vector<UbInterval, 24> intervals;
  for (const Slot& slot : slots) {
    const int first = slot.values.front();  // those that follow have its size
    intervals.push_back(
        {slot.first, slot.last, round_up(bytes(tile, first), kBlock) + shift(first)});
  }
  return plan_ub({intervals.data(), intervals.size()}, begin, kTurn);
}

std::int64_t BufferPlacer::end_of(VectorTile tile, BufferDepth depth, std::int64_t begin) const {
  const Tile of = sized(tile);
  const std::int64_t kept = place_kept(of, depth, begin, [](int, const UbBuffer&) {});
  std::int64_t end = kept;
  for (const std::vector<Slot>& slots : slots_) {
    end = std::max(end, plan_slots(slots, of, kept).end);
  }
  return end;
}

std::vector<VectorSchedule> BufferPlacer::place(VectorTile tile, BufferDepth depth,
                                                std::int64_t begin) const {
  const Tile of = sized(tile);
  VectorSchedule kept;
  kept.tile = tile;
  kept.depth = depth;
  kept.pitch = of.pitch;
  kept.piece = of.piece;
  kept.buffers.resize(kernel_.values.size());
  kept.ub_end = place_kept(of, depth, begin, [&](int id, const UbBuffer& buffer) {
    kept.buffers[static_cast<std::size_t>(id)] = buffer;
  });
  std::vector<VectorSchedule> phases(slots_.size(), kept);
  std::int64_t end = kept.ub_end;
  for (std::size_t phase = 0; phase < slots_.size(); ++phase) {
    const std::vector<Slot>& slots = slots_[phase];
    const UbPlan plan = plan_slots(slots, of, kept.ub_end);
    end = std::max(end, plan.end);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const std::int64_t base = plan.base[i] + shift(slots[i].values.front());
      for (int id : slots[i].values) {
        phases[phase].buffers[static_cast<std::size_t>(id)] = {base,
                                                               round_up(bytes(of, id), kBlock)};
      }
    }
  }
  for (VectorSchedule& schedule : phases) schedule.ub_end = end;
  return phases;
}

}  // namespace dvmsim
