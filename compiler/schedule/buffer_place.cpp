#include "compiler/schedule/buffer_place.h"

#include <algorithm>
#include <array>

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
    : BufferPlacer(kernel, std::array{std::span(kernel.steps)}, {}) {}

BufferPlacer::BufferPlacer(const VectorKernel& kernel,
                           std::span<const std::span<const KernelStep>> stretches,
                           const std::vector<bool>& kept, const std::vector<bool>& made)
    : kernel_(kernel), pitch_(kernel), side_(kernel.values.size(), -1) {
  Few<Use> use(kernel.values.size(), Use::Computed);
  for (const KernelTensor& in : kernel.inputs) {
    use[static_cast<std::size_t>(in.value)] = Use::Loaded;
  }
  for (const KernelTensor& out : kernel.outputs) {
    use[static_cast<std::size_t>(out.value)] = Use::Stored;
  }
  for (std::size_t i = 0; i < kept.size(); ++i) use[i] = kept[i] ? Use::Kept : use[i];
  for (std::size_t i = 0; i < made.size(); ++i) use[i] = made[i] ? Use::Made : use[i];
  stretches_.reserve(stretches.size());
  for (const auto& steps : stretches) {
    find_slots(steps, use);
    find_sides(steps);
  }
  if (!kept.empty()) find_lasting(use, true);
  find_lasting(use, false);
}

/// After sides.
void BufferPlacer::find_lasting(const Few<Use>& use, bool kept) {
  for (std::size_t i = 0; i < use.size(); ++i) {
    if (use[i] == Use::Computed || (use[i] == Use::Kept) != kept) continue;
    const int id = static_cast<int>(i);
    lasting_.push_back({id, use[i], single_of(id, use[i]), value(id), shift(id)});
  }
}

/// What is the same for all tiles is loaded or made once.
BufferPlacer::Single BufferPlacer::single_of(int id, Use use) const {
  if (use == Use::Made) return Single::Always;
  const auto input = std::find_if(kernel_.inputs.begin(), kernel_.inputs.end(),
                                  [&](const KernelTensor& tensor) { return tensor.value == id; });
  if (input == kernel_.inputs.end()) return Single::Never;
  if (is_invariant(kernel_, *input, {1, 0})) return Single::Always;
  return is_invariant(kernel_, *input, {1, kernel_.columns()}) ? Single::InWholeRows
                                                               : Single::Never;
}

int BufferPlacer::place_of_source(const KernelStep& step, int at, const Few<int>& slot_of,
                                  const Few<int>& last) const {
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

void BufferPlacer::find_slots(std::span<const KernelStep> steps, const Few<Use>& use) {
  Few<int> last(use.size(), -1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (int source : steps[i].source) {
      if (source >= 0) last[static_cast<std::size_t>(source)] = static_cast<int>(i);
    }
    last[static_cast<std::size_t>(steps[i].result)] = static_cast<int>(i);
  }
  auto& [slots, slot_of] = stretches_.emplace_back();
  slot_of.assign(use.size(), -1);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto result = static_cast<std::size_t>(steps[i].result);
    if (use[result] != Use::Computed || slot_of[result] >= 0) continue;
    const int at = static_cast<int>(i);
    slot_of[result] = place_of_source(steps[i], at, slot_of, last);
    if (slot_of[result] < 0) {
      slot_of[result] = static_cast<int>(slots.size());
      slots.push_back({at, at, steps[i].result});
    }
    Slot& slot = slots[static_cast<std::size_t>(slot_of[result])];
    slot.last = std::max(slot.last, last[result]);
  }
}

/// Two sources of an instruction lie half a turn apart; other results lie where their source does.
void BufferPlacer::find_sides(std::span<const KernelStep> steps) {
  const auto& [slots, slot_of] = stretches_.back();
  const auto side = [&](int id) -> int& {  // of the value whose place it takes
    const int slot = slot_of[static_cast<std::size_t>(id)];
    const int first = slot < 0 ? id : slots[static_cast<std::size_t>(slot)].value;
    return side_[static_cast<std::size_t>(first)];
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

template <class Visit>
std::int64_t BufferPlacer::place_lasting(const Tile& tile, BufferDepth depth, std::int64_t begin,
                                         const Visit& visit) const {
  std::int64_t end = begin;
  for (const Lasting& each : lasting_) {
    const std::int64_t bytes = this->bytes(tile, each.value);
    int copies = 1;
    if (each.use != Use::Kept) {
      end = round_up(end, kTurn) + each.shift;
      const bool single = each.single == Single::Always || (each.single == Single::InWholeRows &&
                                                            tile.tile.columns >= kernel_.columns());
      if (!single) copies = each.use == Use::Loaded ? depth.loads : depth.stores;
    }
    const std::int64_t size = copies > 1 ? round_up(bytes, kTurn) : round_up(bytes, kBlock);
    visit(each.id, UbBuffer{end, size * copies, copies});
    end += size * copies;
  }
  return end;
}

UbPlan BufferPlacer::plan_slots(const Few<Slot>& slots, const Tile& tile,
                                std::int64_t begin) const {
  Few<UbInterval> intervals;
  for (const Slot& slot : slots) {
    intervals.push_back({slot.first, slot.last,
                         round_up(bytes(tile, value(slot.value)), kBlock) + shift(slot.value)});
  }
  return plan_ub({intervals.data(), intervals.size()}, begin, kTurn);
}

std::int64_t BufferPlacer::end_of(VectorTile tile, BufferDepth depth, std::int64_t begin) const {
  const Tile of = sized(tile);
  const std::int64_t lasting = place_lasting(of, depth, begin, [](int, const UbBuffer&) {});
  return round_up(lasting, kTurn) + slot_bytes(of);
}

std::int64_t BufferPlacer::slot_bytes(const Tile& tile) const {
  const auto [rows, columns] = tile.tile;
  const auto at = static_cast<std::size_t>(rows + columns / kBlock) % known_.size();
  Known& known = known_[at];
  if (known.tile.rows == rows && known.tile.columns == columns) return known.bytes;
  known = {tile.tile, 0};
  for (const Stretch& stretch : stretches_) {
    known.bytes = std::max(known.bytes, plan_slots(stretch.slots, tile, 0).end);
  }
  return known.bytes;
}

VectorSchedule BufferPlacer::lasting_of(const Tile& tile, BufferDepth depth,
                                        std::int64_t begin) const {
  VectorSchedule schedule;
  schedule.tile = tile.tile;
  schedule.depth = depth;
  schedule.pitch = tile.pitch;
  schedule.piece = tile.piece;
  schedule.buffers.resize(kernel_.values.size());
  schedule.ub_end = place_lasting(tile, depth, begin, [&](int id, const UbBuffer& buffer) {
    schedule.buffers[static_cast<std::size_t>(id)] = buffer;
  });
  return schedule;
}

std::int64_t BufferPlacer::add_slots(const Stretch& stretch, const Tile& tile,
                                     VectorSchedule& schedule) const {
  const auto& [slots, slot_of] = stretch;
  const UbPlan plan = plan_slots(slots, tile, schedule.ub_end);
  for (std::size_t id = 0; id < slot_of.size(); ++id) {
    if (slot_of[id] < 0) continue;
    const auto slot = static_cast<std::size_t>(slot_of[id]);
    schedule.buffers[id] = {plan.base[slot] + shift(slots[slot].value),
                            round_up(bytes(tile, kernel_.values[id]), kBlock)};
  }
  return std::max(schedule.ub_end, plan.end);
}

VectorSchedule BufferPlacer::place_one(VectorTile tile, BufferDepth depth,
                                       std::int64_t begin) const {
  const Tile of = sized(tile);
  VectorSchedule schedule = lasting_of(of, depth, begin);
  schedule.ub_end = add_slots(stretches_.front(), of, schedule);
  return schedule;
}

std::vector<VectorSchedule> BufferPlacer::place(VectorTile tile, BufferDepth depth,
                                                std::int64_t begin) const {
  const Tile of = sized(tile);
  std::vector<VectorSchedule> phases(stretches_.size(), lasting_of(of, depth, begin));
  std::int64_t end = 0;
  for (std::size_t phase = 0; phase < phases.size(); ++phase) {
    end = std::max(end, add_slots(stretches_[phase], of, phases[phase]));
  }
  for (VectorSchedule& schedule : phases) schedule.ub_end = end;
  return phases;
}

}  // namespace dvmsim
