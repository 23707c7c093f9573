// A sweep's outcome as files that scripts and pages read, and as text for a terminal. The same
// results give the same bytes, however many workers and interruptions there were.
//
// JSON, members in this order:
//   schema 1, kind "sweep", study (its title), sampling
//   fixed        [{name, text}]          what has one value only
//   axes         [{name, kind, unit, sampled, values: [{text, number}]}]   more than one value;
//                kind: hardware parameter factors choices launch_cost strategy workload dim;
//                number: in unit, null where the value is none
//   cases        [{workload, dims: {symbol: size}, weight}]
//   metrics      [{name, unit, better: less or more}]
//   costs        [{name, unit, assumed, hardware, terms: [{name, value, source}]}]   per hardware
//                and cost
//   counts       {points, ok, refused, fault, aborted, missing}
//   designs      [{index, values, points, complete, metrics, costs, on_front}]  a machine with a
//                strategy; values: an index into each axis, null where it has none; points:
//                indexes; metrics: means over the cases by name, null unless all of them have a
//                value
//   points       [{index, design, case, values, status, reason, metrics}]   status as in counts;
//                metrics: by name, null unless ok
//   pareto       {objectives: [name], front: [design]}, or null: designs that no other one beats,
//                by the first objective
//   sensitivity  [{metric, method, explained, axes: [{axis, effect, elasticity, comparisons,
//                levels: [{value, mean, points, lacking}], within: [{axis, value, effect}]}]}]
//                axis: its name; value: an index; points with and lacking a result; within: the
//                effect at one value of another axis; the largest effect first; see sensitivity.h
//   not_modelled [text]
#pragma once

#include <string>
#include <vector>

#include "cli/sweep/outcome.h"

namespace dvmsim {

[[nodiscard]] std::string to_json(const SweepOutcome& outcome,
                                  const std::vector<std::string>& not_modelled);
/// A row per point: index, status, reason, the axes, costs, metrics, and whether its design is on
/// the front.
[[nodiscard]] std::string to_csv(const SweepOutcome& outcome);
/// What a person wants to know first.
[[nodiscard]] std::string summary(const SweepOutcome& outcome);

}  // namespace dvmsim
