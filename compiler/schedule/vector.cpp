#include "compiler/schedule/vector.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/ordered_place.h"
#include "compiler/schedule/vector_estimate.h"
#include "compiler/schedule/vector_parts.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {

RowPitch::RowPitch(const VectorKernel& kernel) {
  int smallest = 8;
  bool differ = false;
  for (const KernelValue& value : kernel.values) {
    const int size = size_of(value.dtype);
    smallest = std::min(smallest, size);
    if (!value.uniform) continue;
    const std::int64_t own = kBankTurn / size;
    differ = differ || (piece_ != 0 && piece_ != own);
    piece_ = own;
  }
  unit_ = kBlock / smallest;
  if (differ) piece_ = 0;
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
  return OrderedPlacer(kernel).place(tile, begin);
}

namespace {

/// The least tile that a kernel can have.
VectorTile least_tile(const VectorKernel& kernel) {
  return {
      kernel.whole_rows ? kernel.rows() : 1,
      kernel.whole_columns ? kernel.columns() : std::min<std::int64_t>(kernel.columns(), kBlock)};
}

}  // namespace

std::int64_t least_ub_bytes(const VectorKernel& kernel, const Machine& machine, Packing packing) {
  const VectorTile least = least_tile(kernel);
  const std::int64_t begin = ub_begin(kernel, machine);
  const std::int64_t in_order = OrderedPlacer(kernel).end_of(least, begin);
  if (packing == Packing::InOrder || in_order <= machine.ub.size.count()) return in_order;
  return std::min(in_order, BufferPlacer(kernel).end_of(least, {}, begin));
}

bool fits(const VectorKernel& kernel, const Machine& machine, Packing packing) {
  // Most have room for all values side by side.
  const std::int64_t all = OrderedPlacer::most_bytes(kernel, least_tile(kernel));
  const std::int64_t size = machine.ub.size.count();
  if (ub_begin(kernel, machine) + all <= size) return true;
  return least_ub_bytes(kernel, machine, packing) <= size;
}

VectorSchedule schedule_vector(const VectorKernel& kernel, const Machine& machine, int cores,
                               const VectorChoice& choice) {
  const std::int64_t begin = ub_begin(kernel, machine), size = machine.ub.size.count();
  const TileSides wide = widths_of(kernel, cores, choice), high = heights_of(kernel, cores, choice);
  const OrderedPlacer placer(kernel);
  const RowPitch pitch(kernel);
  const Estimator estimator(kernel, machine, choice.cores);
  VectorTile best{};
  Estimator::Judged least;
  int compared = 0;
  for (std::int64_t columns : wide) {
    for (std::int64_t rows : high) {
      const VectorTile tile{rows, columns};
      const bool fit = placer.end_of(tile, begin, size) <= size;
      if (!fit || !estimator.has_work(tile)) continue;
      const double vector = estimator.vector_of(tile, pitch.of(columns), placer.piece(tile));
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
  VectorSchedule schedule = placer.place(best, begin);
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
