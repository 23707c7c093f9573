#include "compiler/schedule/vector_estimate.h"

#include <algorithm>

#include "compiler/schedule/vector_parts.h"
#include "vm/base/rounding.h"
#include "vm/machine/derived.h"

namespace dvmsim {

double weight(isa::Op op) {
  switch (op) {
    case isa::Op::vexp:
    case isa::Op::vlog:
    case isa::Op::vsqrt:
    case isa::Op::vdiv:
    case isa::Op::vdivs:
    case isa::Op::vsdiv:
      return 4;
    case isa::Op::vtanh:
    case isa::Op::vsigmoid:
    case isa::Op::vpow:
      return 12;
    case isa::Op::vscanx:
    case isa::Op::vscany:
    case isa::Op::vatan:
    case isa::Op::vlog1p:
    case isa::Op::verf:
    case isa::Op::vsin:
    case isa::Op::vcos:
      return 16;
    case isa::Op::vredx:
    case isa::Op::vredy:
    case isa::Op::vcvt:
      return 2;
    default:
      return 1;
  }
}

double decode_cycles(const Machine& machine, std::size_t steps) {
  const auto cost = [&](DecodeTerm term) {
    return static_cast<double>(machine.decode_cost(term).count());
  };
  const double per_step = cost(DecodeTerm::fetch) * kWordsPerStep + cost(DecodeTerm::dispatch) +
                          cost(DecodeTerm::operand) * 2 * kWordsPerStep;
  return per_step * static_cast<double>(steps);
}

Estimator::Estimator(const VectorKernel& kernel, const Machine& machine, std::optional<int> exact)
    : outer_(kernel.outer()),
      rows_(kernel.rows()),
      columns_(kernel.columns()),
      exact_(exact),
      lines_(machine) {
  const auto rate = [](Rate r) { return r.per_cycle().value(); };
  const auto cycles = [](Cycles c) { return static_cast<double>(c.count()); };
  load_rate_ = rate(load_rate(machine, Space::UB, true));
  store_rate_ = rate(machine.mte3.ub_to_gm);
  gap_ = cycles(machine.mte2.issue_gap);
  least_request_ = static_cast<double>(machine.dma.least_request.count());
  fixed_ = cycles(machine.vector.fixed + machine.vector.tail);
  repeat_ = static_cast<double>(machine.vector.repeat.count());
  hbm_rate_ = rate(machine.hbm.peak) * machine.hbm.efficiency.value();
  write_cost_ = machine.hbm.write_cost.value();
  load_latency_ = cycles(machine.mte2.latency + machine.l2.read_latency.cycles() +
                         machine.hbm.latency.cycles());
  store_latency_ = cycles(machine.mte3.latency + machine.l2.write_latency.cycles());
  per_core_ = cycles(cycles_in(machine.launch.per_core, machine.clock.core));
  l2_read_ = rate(machine.l2.read);
  l2_write_ = rate(machine.l2.write);
  written_back_ = written_back_share(kernel, machine);
  scalar_ =
      decode_cycles(machine, kernel.steps.size() + kernel.inputs.size() + kernel.outputs.size());
  for (const KernelStep& step : kernel.steps) {
    const bool reduces = step.op == isa::Op::vredx || step.op == isa::Op::vredy;
    const int value = reduces ? step.source[0] : step.result;
    works_.push_back({kernel.values[static_cast<std::size_t>(value)], weight(step.op)});
  }
  for (const KernelTensor& tensor : kernel.inputs) {
    inputs_.push_back({lines_.layout_of(kernel, tensor), tensor.view});
  }
  for (const KernelTensor& tensor : kernel.outputs) {
    outputs_.push_back({lines_.layout_of(kernel, tensor), tensor.view});
  }
}

void Estimator::judge(VectorSchedule& schedule, int cores, VectorPart vector) const {
  const Judged judged = judge(schedule.tile, schedule.depth, vector, cores);
  schedule.estimate = judged.estimate;
  schedule.cores = judged.cores;
}

Estimator::Moves Estimator::moves_of(VectorTile tile) const {
  Moves moves;
  moves.tiles = tiles_of(tile);
  moves.in = moved(inputs_, tile);
  moves.out = moved(outputs_, tile);
  moves.fetched = fetched(tile);
  moves.load = std::max(moves.in / load_rate_, gap_ * static_cast<double>(inputs_.size()));
  moves.store = std::max(moves.out / store_rate_, gap_ * static_cast<double>(outputs_.size()));
  return moves;
}

/// A load waits for the vector unit to have read what its buffer held, a result for the store of
/// what its buffer held.
double Estimator::period(const Moves& moves, BufferDepth depth, VectorPart vector) const {
  const double there = moves.load + load_latency_ + vector.reading,
               back = vector.writing + moves.store + store_latency_;
  return std::max(
      {there / depth.loads, back / depth.stores, moves.load, vector.all, moves.store, scalar_});
}

Estimator::Judged Estimator::judge(const Moves& moves, double vector, double period,
                                   int cores) const {
  VectorEstimate parts;
  parts.tiles = moves.tiles;
  parts.load = moves.load;
  parts.store = moves.store;
  parts.scalar = scalar_;
  parts.vector = vector;
  const double read = moves.fetched, in = moves.in, out = moves.out;
  const double traffic = read + out * write_cost_ * written_back_;
  const double once = load_latency_ + store_latency_ + parts.vector + parts.store;
  const double shared = std::max(traffic / hbm_rate_, in / l2_read_ + out / l2_write_);
  Judged best;
  const std::int64_t limit = std::min<std::int64_t>(exact_.value_or(cores), parts.tiles);
  for (std::int64_t most = limit; most >= 1 && (!exact_ || most == limit); most /= 2) {
    const std::int64_t per_core = ceil_div(parts.tiles, most);
    // With fewer cores yet it takes still longer.
    constexpr double kRounding = 1 + 1e-9;
    if (best.cores != 0 &&
        once + period * static_cast<double>(per_core - 1) > parts.total * kRounding) {
      break;
    }
    // Fewest cores with as many tiles on the busiest.
    const auto used = static_cast<double>(exact_ ? most : ceil_div(parts.tiles, per_core));
    const double memory = used * shared;
    // Nothing else keeps memory busy while all cores load their first tile.
    const double first = std::max(parts.load, read * used / hbm_rate_);
    const double start =
        per_core_ * used + load_latency_ + store_latency_ + first + parts.vector + parts.store;
    const auto waits = static_cast<double>(per_core - 1);
    // Its pace is no less than either of the two.
    if (best.cores != 0 && start + std::max(period, memory) * waits > parts.total * kRounding)
      continue;
    const double total = start + pace_of(period, memory) * waits;
    if (best.cores == 0 || total < parts.total) {
      parts.per_core = per_core;
      parts.memory = memory;
      parts.total = total;
      best.cores = static_cast<int>(used);
    }
  }
  best.estimate = parts;
  return best;
}

double Estimator::vector_of(VectorTile tile, std::int64_t pitch, std::int64_t piece) const {
  double sum = 0;
  for (const Work& work : works_) {
    const auto bytes = static_cast<double>(bytes_of(work.value, tile, pitch, piece));
    sum += fixed_ + bytes / repeat_ * work.weight;
  }
  return sum;
}

double Estimator::fetched(VectorTile tile) const {
  double bytes = 0;
  for (const Moved& tensor : inputs_) bytes += lines_.of(tensor.layout, tile, columns_).bytes;
  return bytes;
}

double Estimator::moved(const AllMoved& tensors, VectorTile tile) const {
  double bytes = 0;
  for (const auto& [layout, view] : tensors) {
    const auto all = static_cast<double>(bytes_of(layout.value, tile, tile.columns));
    if (!view || layout.value.extent != Extent::Full) {
      bytes += all;
      continue;
    }
    const auto row = static_cast<double>(tile.columns * layout.item);
    bytes += row < least_request_ ? all / row * least_request_ : all;
  }
  return bytes;
}

}  // namespace dvmsim
