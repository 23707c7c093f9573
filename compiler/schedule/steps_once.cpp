#include "compiler/schedule/steps_once.h"

#include <algorithm>
#include <array>
#include <span>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/vector_estimate.h"
#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

std::vector<int> steps_once(const VectorKernel& kernel, VectorTile tile) {
  std::vector<bool> same(kernel.values.size());  // for all tiles, by value
  for (const KernelTensor& input : kernel.inputs) {
    same[static_cast<std::size_t>(input.value)] = is_invariant(kernel, input, tile);
  }
  const auto is_stored = [&](int value) {
    return std::any_of(kernel.outputs.begin(), kernel.outputs.end(),
                       [&](const KernelTensor& output) { return output.value == value; });
  };
  std::vector<int> once;
  for (std::size_t i = 0; i < kernel.steps.size(); ++i) {
    const KernelStep& step = kernel.steps[i];
    const bool from_same =
        step.source[0] >= 0 && std::all_of(step.source.begin(), step.source.end(), [&](int source) {
          return source < 0 || same[static_cast<std::size_t>(source)];
        });
    if (!from_same || is_stored(step.result)) continue;
    same[static_cast<std::size_t>(step.result)] = true;
    once.push_back(static_cast<int>(i));
  }
  return once;
}

std::vector<KernelStep> steps_of(const VectorKernel& kernel, const VectorSchedule& schedule,
                                 bool once) {
  std::vector<KernelStep> steps;
  auto next = schedule.once.begin();
  for (std::size_t i = 0; i < kernel.steps.size(); ++i) {
    const bool is_once = next != schedule.once.end() && *next == static_cast<int>(i);
    if (is_once) ++next;
    if (is_once == once) steps.push_back(kernel.steps[i]);
  }
  return steps;
}

VectorSchedule place_once(const VectorKernel& kernel, VectorTile tile, BufferDepth depth,
                          std::int64_t begin) {
  VectorSchedule found;
  found.once = steps_once(kernel, tile);
  std::vector<bool> made(kernel.values.size());
  for (const int step : found.once) {
    made[static_cast<std::size_t>(kernel.steps[static_cast<std::size_t>(step)].result)] = true;
  }
  const std::vector<KernelStep> steps = steps_of(kernel, found, false);
  const std::array stretches = {std::span(steps)};
  VectorSchedule placed = BufferPlacer(kernel, stretches, {}, made).place_one(tile, depth, begin);
  placed.packing = Packing::BestFit;
  placed.once = std::move(found.once);
  return placed;
}

VectorSchedule with_steps_once(VectorSchedule schedule, const VectorKernel& kernel,
                               const Machine& machine, int cores, const VectorMeasure& measure,
                               const VectorChoice& choice) {
  if (schedule.estimate.per_core < 2 || steps_once(kernel, schedule.tile).empty()) return schedule;
  const VectorTile whole = schedule.tile;
  const BufferDepth most = schedule.depth;
  const Estimator estimator(kernel, machine, choice.cores);
  const std::int64_t begin = ub_begin(kernel, machine);
  for (const BufferDepth depth : {most, BufferDepth{most.loads, 1}, BufferDepth{1, 1}}) {
    const bool chosen = choice.loads.value_or(depth.loads) == depth.loads &&
                        choice.stores.value_or(depth.stores) == depth.stores;
    if (!chosen) continue;
    const auto placed_with = [&](std::int64_t rows) {
      return place_once(kernel, {rows, whole.columns}, depth, begin);
    };
    const std::int64_t rows = most_that_fit(whole.rows, machine.ub.size.count(),
                                            [&](auto count) { return placed_with(count).ub_end; });
    const bool may_be = rows == whole.rows || (!choice.rows && !kernel.whole_rows);
    if (rows == 0 || !may_be) continue;
    VectorSchedule placed = placed_with(rows);
    placed.candidates = ++schedule.candidates;
    estimator.judge(placed, cores,
                    vector_part(measure, kernel, steps_of(kernel, placed, false), placed));
    placed.estimate.total += measure(kernel, steps_of(kernel, placed, true), placed);
    if (placed.estimate.total < schedule.estimate.total) schedule = std::move(placed);
  }
  return schedule;
}

}  // namespace dvmsim
