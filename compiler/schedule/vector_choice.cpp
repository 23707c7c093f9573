// What is wrong with a schedule that a user has chosen for a vector kernel, in words and numbers.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/long_reduce.h"
#include "compiler/schedule/vector.h"
#include "compiler/schedule/vector_parts.h"

namespace dvmsim {
namespace {

/// Bytes of UB that the tile reaches to, laid out as chosen.
std::int64_t ub_bytes(const VectorKernel& kernel, const Machine& machine, VectorTile tile,
                      const VectorChoice& choice) {
  const std::int64_t begin = ub_begin(kernel, machine);
  const BufferDepth depth{choice.loads.value_or(1), choice.stores.value_or(1)};
  const bool copies = depth.loads > 1 || depth.stores > 1;
  if (!copies && choice.packing != Packing::BestFit) return place(kernel, tile, begin).ub_end;
  return BufferPlacer(kernel).place_one(tile, depth, begin).ub_end;
}

/// The largest number up to `most` that holds; 0 if none does. What does not hold for a number does
/// not hold for larger ones.
std::int64_t largest(std::int64_t most, const std::function<bool(std::int64_t)>& holds) {
  std::int64_t low = 0;
  while (low < most) {
    const std::int64_t middle = low + (most - low + 1) / 2;
    if (holds(middle)) {
      low = middle;
    } else {
      most = middle - 1;
    }
  }
  return low;
}

/// A side of the tile that the kernel does not have.
std::string wrong_side(const char* name, std::int64_t side, std::int64_t all, bool whole) {
  if (side < 1 || side > all) {
    return fmt::format("a tile of {} {}, but there are {}", side, name, all);
  }
  if (!whole || side == all) return {};
  return fmt::format(
      "a tile of {} {}, but a step goes along all {} of them; take {}, or phases: true", side, name,
      all, all);
}

std::string ub_refusal(const VectorKernel& kernel, const Machine& machine,
                       const VectorChoice& choice) {
  const std::int64_t size = machine.ub.size.count();
  const std::int64_t least_rows = kernel.whole_rows ? kernel.rows() : 1;
  const std::int64_t least_columns =
      kernel.whole_columns ? kernel.columns() : std::min(kernel.columns(), kBlock);
  const VectorTile tile{choice.rows.value_or(least_rows), choice.columns.value_or(least_columns)};
  const auto holds = [&](std::int64_t rows, std::int64_t columns) {
    return ub_bytes(kernel, machine, {rows, columns}, choice) <= size;
  };
  const std::int64_t bytes = ub_bytes(kernel, machine, tile, choice);
  if (bytes <= size) return {};
  std::string text = fmt::format("a tile of {} x {} takes {} of UB's {} bytes", tile.rows,
                                 tile.columns, bytes, size);
  const std::int64_t rows =
      largest(tile.rows, [&](std::int64_t n) { return holds(n, tile.columns); });
  const std::int64_t columns =
      largest(tile.columns, [&](std::int64_t n) { return holds(tile.rows, n); });
  if (rows > 0 && !kernel.whole_rows) text += fmt::format("; {} x {} fits", rows, tile.columns);
  if (columns > 0 && !kernel.whole_columns) {
    text += fmt::format("; {} x {} fits", tile.rows, columns);
  }
  return text;
}

/// What no piece of the kernel's phases can be.
std::string phase_sides(const VectorKernel& kernel, const VectorChoice& choice) {
  std::string why;
  const auto phased = phases_of(kernel, &why);
  if (!phased) return "the kernel has no phases: " + why;
  const auto& longs = phased->over_columns ? choice.columns : choice.rows;
  const auto& shorts = phased->over_columns ? choice.rows : choice.columns;
  const std::int64_t unit = long_unit(*phased);
  if (longs && *longs % unit != 0) {
    return fmt::format("a piece of {} is no multiple of {}", *longs, unit);
  }
  const auto within = [&](const std::optional<std::int64_t>& side, std::int64_t all) {
    return !side || (*side >= 1 && *side <= all);
  };
  const std::int64_t most_long = round_up(kernel.dims[phased->long_dim()], unit),
                     most_short = kernel.dims[phased->short_dim()];
  if (!within(longs, most_long) || !within(shorts, most_short)) {
    return fmt::format("a piece of {} along the reduction and {} across, but there are {} and {}",
                       longs.value_or(unit), shorts.value_or(1), most_long, most_short);
  }
  if (choice.loads != choice.stores && choice.loads && choice.stores) {
    return "phases have as many copies of loads as of stores";
  }
  return {};
}

}  // namespace

std::string impossible(const VectorKernel& kernel, int cores, const VectorChoice& choice) {
  if (choice.cores && (*choice.cores < 1 || *choice.cores > cores)) {
    return fmt::format("{} cores, but there are {}", *choice.cores, cores);
  }
  if (choice.phases.value_or(false)) return phase_sides(kernel, choice);
  std::string why;
  if (choice.rows) why = wrong_side("rows", *choice.rows, kernel.rows(), kernel.whole_rows);
  if (choice.columns && why.empty()) {
    why = wrong_side("columns", *choice.columns, kernel.columns(), kernel.whole_columns);
  }
  return why;
}

std::string refusal(const VectorKernel& kernel, const Machine& machine, int cores,
                    const VectorChoice& choice) {
  std::string why = impossible(kernel, cores, choice);
  if (!why.empty()) return why;
  if (choice.phases.value_or(false)) {
    return "no phases of these pieces, parts and cores fit UB and the flags; leave one of them out";
  }
  why = ub_refusal(kernel, machine, choice);
  if (!why.empty()) return why;
  if (choice.cores) {
    return fmt::format("no such tile gives {} cores one each; take fewer cores or smaller tiles",
                       *choice.cores);
  }
  return "so many copies need more flags (flag.max) or registers than there are; take fewer";
}

}  // namespace dvmsim
