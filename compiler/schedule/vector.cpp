#include "compiler/schedule/vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/vector_estimate.h"
#include "compiler/schedule/vector_parts.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {

using boost::container::small_vector;

std::int64_t pitch_of(const VectorKernel& kernel, std::int64_t columns) {
  std::int64_t smallest = 8;
  for (const KernelValue& value : kernel.values) {
    smallest = std::min<std::int64_t>(smallest, size_of(value.dtype));
  }
  return round_up(columns, kBlock / smallest);
}

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

std::int64_t ub_begin(const Machine& machine, std::size_t steps) {
  const bool in_ub = machine.firmware.memory == ProgramMemory::Ub;
  const std::int64_t code = static_cast<std::int64_t>(steps + 16) * kWordsPerStep * 8;
  return machine.ub.reserved.count() + (in_ub ? round_up(code, 512) : 0);
}

std::int64_t ub_begin(const VectorKernel& kernel, const Machine& machine) {
  return ub_begin(machine,
                  kernel.steps.size() + 2 * (kernel.inputs.size() + kernel.outputs.size()));
}

namespace {

TileSides candidates(std::int64_t total, std::int64_t unit, std::int64_t spread) {
  TileSides found;
  for (std::int64_t size = total; size > unit; size = ceil_div(size, 2)) found.push_back(size);
  for (std::int64_t waves = 1; waves <= 8; ++waves) {
    found.push_back(std::min(total, round_up(ceil_div(total, spread * waves), unit)));
  }
  found.push_back(std::min(total, unit));
  std::sort(found.begin(), found.end(), std::greater<>());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace

TileSides widths_of(const VectorKernel& kernel, int cores, const VectorChoice& choice) {
  if (choice.columns) return {*choice.columns};
  if (kernel.whole_columns) return {kernel.columns()};
  const bool one_row = kernel.rows() * kernel.outer() == 1;
  return candidates(kernel.columns(), kBlock, one_row ? cores : 1);
}

TileSides heights_of(const VectorKernel& kernel, int cores, const VectorChoice& choice) {
  if (choice.rows) return {*choice.rows};
  if (kernel.whole_rows) return {kernel.rows()};
  const std::int64_t share = ceil_div(cores, std::max<std::int64_t>(1, kernel.outer()));
  return candidates(kernel.rows(), 1, std::max<std::int64_t>(1, share));
}

namespace {

/// The order in which buffers are taken and given back: the same for every tile.
struct Event {
  int value = 0;
  bool takes = true;
};

/// First and last step that touches each value, and whether its buffer is its own for the whole
/// loop.
struct Life {
  int first = 1 << 30, last = -1;
  bool whole = false;
};

using Lives = small_vector<Life, 32>;
using Events = small_vector<Event, 64>;

Lives lives_of(const VectorKernel& kernel) {
  Lives lives(kernel.values.size());
  const auto touch = [&](int value, int step) {
    if (value < 0) return;
    Life& life = lives[static_cast<std::size_t>(value)];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int i = 0; i < static_cast<int>(kernel.steps.size()); ++i) {
    const KernelStep& step = kernel.steps[static_cast<std::size_t>(i)];
    touch(step.result, i);
    for (int source : step.source) touch(source, i);
  }
  for (const auto* list : {&kernel.inputs, &kernel.outputs}) {
    for (const KernelTensor& tensor : *list) {
      lives[static_cast<std::size_t>(tensor.value)].whole = true;
    }
  }
  return lives;
}

Events events_of(const VectorKernel& kernel) {
  const Lives lives = lives_of(kernel);
  Events events;
  for (std::size_t value = 0; value < lives.size(); ++value) {
    if (lives[value].whole) events.push_back({static_cast<int>(value), true});
  }
  for (int i = 0; i < static_cast<int>(kernel.steps.size()); ++i) {
    const KernelStep& step = kernel.steps[static_cast<std::size_t>(i)];
    const auto give = [&](int value) {
      if (value < 0) return;
      const Life& life = lives[static_cast<std::size_t>(value)];
      if (!life.whole && life.last == i) events.push_back({value, false});
    };
    const Life& result = lives[static_cast<std::size_t>(step.result)];
    if (!result.whole && result.first == i) events.push_back({step.result, true});
    give(step.result);
    for (std::size_t s = 0; s < step.source.size(); ++s) {
      const auto before = step.source.begin() + static_cast<std::ptrdiff_t>(s);
      const bool again = std::find(step.source.begin(), before, step.source[s]) != before;
      if (!again && step.source[s] != step.result) give(step.source[s]);
    }
  }
  return events;
}

/// Places buffers; the parity of the bank turn alternates, so that two sources seldom share bank
/// groups.
class Arena {
 public:
  explicit Arena(std::int64_t begin) : end_(round_up(begin, 2 * kBankTurn)) {}

  UbBuffer take(std::int64_t size) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->size >= size) {
        const UbBuffer found = *it;
        free_.erase(it);
        return found;
      }
    }
    const std::int64_t base = end_ + (odd_ ? kBankTurn : 0);
    odd_ = !odd_;
    end_ = round_up(base + size, 2 * kBankTurn);
    return {base, end_ - base};
  }
  void give(UbBuffer buffer) { free_.push_back(buffer); }
  [[nodiscard]] std::int64_t end() const { return end_; }

 private:
  std::int64_t end_;
  bool odd_ = false;
  small_vector<UbBuffer, 32> free_{};
};

/// Of one tile.
struct Layout {
  std::int64_t pitch = 0, piece = 0, ub_end = 0;
  small_vector<UbBuffer, 32> buffers{};
};

/// Lays out tiles of one kernel; what does not depend on the tile is found once.
class Placer {
 public:
  explicit Placer(const VectorKernel& kernel) : kernel_(kernel), events_(events_of(kernel)) {}

  [[nodiscard]] Layout place(VectorTile tile, std::int64_t begin) const {
    Layout layout;
    layout.pitch = pitch_of(kernel_, tile.columns);
    layout.piece = tile.columns == kernel_.columns() ? piece_of(kernel_, tile) : 0;
    layout.buffers.resize(kernel_.values.size());
    Arena arena(begin);
    for (const Event& event : events_) {
      UbBuffer& buffer = layout.buffers[static_cast<std::size_t>(event.value)];
      if (event.takes) {
        const KernelValue& value = kernel_.values[static_cast<std::size_t>(event.value)];
        buffer = arena.take(bytes_of(value, tile, layout.pitch, layout.piece));
      } else {
        arena.give(buffer);
      }
    }
    layout.ub_end = arena.end();
    return layout;
  }

 private:
  const VectorKernel& kernel_;
  Events events_;
};

VectorSchedule schedule_of(VectorTile tile, const Layout& layout) {
  VectorSchedule schedule;
  schedule.tile = tile;
  schedule.pitch = layout.pitch;
  schedule.piece = layout.piece;
  schedule.buffers.assign(layout.buffers.begin(), layout.buffers.end());
  schedule.ub_end = layout.ub_end;
  return schedule;
}

}  // namespace

bool is_invariant(const VectorKernel& kernel, const KernelTensor& tensor, VectorTile tile) {
  const Extent extent = kernel.values[static_cast<std::size_t>(tensor.value)].extent;
  if (extent == Extent::Full || extent == Extent::Column) return false;
  const std::size_t columns = kernel.dims.size() - 1;
  for (std::size_t i = 0; i < columns; ++i) {
    if (tensor.stride[i] != 0) return false;
  }
  return tensor.stride[columns] == 0 || tile.columns >= kernel.columns();
}

VectorSchedule place(const VectorKernel& kernel, VectorTile tile, std::int64_t begin) {
  return schedule_of(tile, Placer(kernel).place(tile, begin));
}

std::int64_t least_ub_bytes(const VectorKernel& kernel, const Machine& machine, Packing packing) {
  const VectorTile least{
      kernel.whole_rows ? kernel.rows() : 1,
      kernel.whole_columns ? kernel.columns() : std::min<std::int64_t>(kernel.columns(), kBlock)};
  const std::int64_t begin = ub_begin(kernel, machine);
  const std::int64_t in_order = Placer(kernel).place(least, begin).ub_end;
  if (packing == Packing::InOrder || in_order <= machine.ub.size.count()) return in_order;
  return std::min(in_order, BufferPlacer(kernel).place(least, {}, begin).front().ub_end);
}

bool fits(const VectorKernel& kernel, const Machine& machine, Packing packing) {
  return least_ub_bytes(kernel, machine, packing) <= machine.ub.size.count();
}

VectorSchedule schedule_vector(const VectorKernel& kernel, const Machine& machine, int cores,
                               const VectorChoice& choice) {
  const std::int64_t begin = ub_begin(kernel, machine);
  const TileSides wide = widths_of(kernel, cores, choice), high = heights_of(kernel, cores, choice);
  const Placer placer(kernel);
  const Estimator estimator(kernel, machine, choice.cores);
  VectorTile best{};
  Estimator::Judged least;
  int compared = 0;
  for (std::int64_t columns : wide) {
    for (std::int64_t rows : high) {
      const VectorTile tile{rows, columns};
      const Layout layout = placer.place(tile, begin);
      if (layout.ub_end > machine.ub.size.count() || !estimator.has_work(tile)) continue;
      const double vector = estimator.vector_of(tile, layout.pitch, layout.piece);
      const Estimator::Judged judged = estimator.judge(tile, {}, {vector, vector, vector}, cores);
      if (compared == 0 || judged.estimate.total < least.estimate.total) {
        best = tile;
        least = judged;
      }
      ++compared;
    }
  }
  if (compared == 0 && choice != VectorChoice{}) return {};
  DVMSIM_ASSERT(compared > 0, "a kernel that fits has a tile");
  VectorSchedule schedule = schedule_of(best, placer.place(best, begin));
  schedule.estimate = least.estimate;
  schedule.cores = least.cores;
  schedule.candidates = compared;
  return schedule;
}

std::string to_text(const VectorSchedule& schedule) {
  std::string text = fmt::format(
      "tile {} x {} (pitch {}), {} tiles on {} cores, UB {} bytes\n"
      "  per tile: load {:.0f}, vector {:.0f}, store {:.0f}, memory {:.0f} cycles\n",
      schedule.tile.rows, schedule.tile.columns, schedule.pitch, schedule.estimate.tiles,
      schedule.cores, schedule.ub_end, schedule.estimate.load, schedule.estimate.vector,
      schedule.estimate.store, schedule.estimate.memory);
  if (!schedule.once.empty()) {
    text += fmt::format("  once, before the first tile: {} steps\n", schedule.once.size());
  }
  for (std::size_t i = 0; i < schedule.buffers.size(); ++i) {
    const UbBuffer& buffer = schedule.buffers[i];
    text += fmt::format("  v{} at {:#x} ({} bytes)", i, buffer.base, buffer.size);
    text += buffer.copies > 1 ? fmt::format(", {} copies\n", buffer.copies) : "\n";
  }
  return text;
}

}  // namespace dvmsim
