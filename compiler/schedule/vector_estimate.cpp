#include "compiler/schedule/vector_estimate.h"

#include <algorithm>

#include "compiler/schedule/vector_parts.h"
#include "vm/base/rounding.h"

namespace dvmsim {

Estimator::Estimator(const VectorKernel& kernel, const Machine& machine) : kernel_(kernel) {
  const auto rate = [](Rate r) { return r.per_cycle().value(); };
  const auto cycles = [](Cycles c) { return static_cast<double>(c.count()); };
  load_rate_ = rate(machine.mte2.gm_to_ub);
  store_rate_ = rate(machine.mte3.ub_to_gm);
  gap_ = cycles(machine.mte2.issue_gap);
  fixed_ = cycles(machine.vector.fixed + machine.vector.tail);
  repeat_ = static_cast<double>(machine.vector.repeat.count());
  hbm_rate_ = rate(machine.hbm.peak) * machine.hbm.efficiency.value();
  write_cost_ = machine.hbm.write_cost.value();
  load_latency_ = cycles(machine.mte2.latency + machine.l2.read_latency.cycles() +
                         machine.hbm.latency.cycles());
  store_latency_ = cycles(machine.mte3.latency + machine.l2.write_latency.cycles());
  per_core_ = cycles(cycles_in(machine.launch.per_core, machine.clock.core));
  const double per_step = cycles(machine.decode_cost(DecodeTerm::fetch)) * kWordsPerStep +
                          cycles(machine.decode_cost(DecodeTerm::dispatch)) +
                          cycles(machine.decode_cost(DecodeTerm::operand)) * 2 * kWordsPerStep;
  scalar_ = per_step *
            static_cast<double>(kernel.steps.size() + kernel.inputs.size() + kernel.outputs.size());
}

void Estimator::judge(VectorSchedule& schedule, int cores) const {
  const double vector = vector_of(schedule);
  judge(schedule, cores, {vector, vector, vector});
}

void Estimator::judge(VectorSchedule& schedule, int cores, VectorPart vector) const {
  VectorEstimate& parts = schedule.estimate;
  const VectorTile tile = schedule.tile;
  parts.tiles = kernel_.outer() * ceil_div(kernel_.rows(), tile.rows) *
                ceil_div(kernel_.columns(), tile.columns);
  const double in = moved(kernel_.inputs, tile), out = moved(kernel_.outputs, tile);
  parts.load = std::max(in / load_rate_, gap_ * static_cast<double>(kernel_.inputs.size()));
  parts.store = std::max(out / store_rate_, gap_ * static_cast<double>(kernel_.outputs.size()));
  parts.scalar = scalar_;
  parts.vector = vector.all;
  const double traffic = in + out * write_cost_;
  bool first = true;
  for (std::int64_t most = std::min<std::int64_t>(cores, parts.tiles); most >= 1; most /= 2) {
    VectorEstimate trial = parts;
    trial.per_core = ceil_div(parts.tiles, most);
    // Fewest cores with as many tiles on the busiest.
    const auto used = static_cast<double>(ceil_div(parts.tiles, trial.per_core));
    trial.memory = traffic * used / hbm_rate_;
    // A load waits for the vector unit to have read what its buffer held, a result for the store
    // of what its buffer held.
    const double there = trial.load + load_latency_ + vector.reading,
                 back = vector.writing + trial.store + store_latency_;
    const double pace =
        std::max({there / schedule.depth.loads, back / schedule.depth.stores, trial.load,
                  trial.vector, trial.store, trial.memory, trial.scalar});
    trial.total = per_core_ * used + load_latency_ + store_latency_ + trial.load + trial.vector +
                  trial.store + pace * static_cast<double>(trial.per_core - 1);
    if (first || trial.total < schedule.estimate.total) {
      schedule.estimate = trial;
      schedule.cores = static_cast<int>(used);
    }
    first = false;
  }
}

double Estimator::vector_of(const VectorSchedule& schedule) const {
  double sum = 0;
  for (const KernelStep& step : kernel_.steps) {
    const bool reduces = step.op == isa::Op::vredx || step.op == isa::Op::vredy;
    const int shaped = reduces ? step.source[0] : step.result;
    const KernelValue& value = kernel_.values[static_cast<std::size_t>(shaped)];
    const std::int64_t bytes = bytes_of(value, schedule.tile, schedule.pitch, schedule.piece);
    sum += fixed_ + static_cast<double>(bytes) / repeat_ * weight(step.op);
  }
  return sum;
}

double Estimator::moved(const std::vector<KernelTensor>& tensors, VectorTile tile) const {
  double bytes = 0;
  for (const KernelTensor& tensor : tensors) {
    const KernelValue& value = kernel_.values[static_cast<std::size_t>(tensor.value)];
    bytes += static_cast<double>(bytes_of(value, tile, tile.columns));
  }
  return bytes;
}

}  // namespace dvmsim
