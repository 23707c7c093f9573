// A study file: what to compare or to explore, as plain data; the one form that `compare` and
// `sweep` read. Owns the YAML form and what is refused; it runs nothing. Paths are relative to the
// study file. Only workloads must be there.
//
//   study: "cores and memory of a 910B1"    a title; default: the file's name
//   hardware:                               default: the built-in machine
//     - file: ../hardware/ascend910b1.yaml
//       name: 910B1                         for tables; default: the machine's
//       set: {launch.vector: 5us}           as --set
//   axes:                                   what varies on each machine; the form is told below
//     cores.cube: [20, 24]
//   derived: {cores.vector: "2 * cores.cube"}   parameters that follow from others: expressions
//   sampling: grid                          grid: every combination; list: the first values, the
//                                           second ones ...; {random: 200, seed: 1}: drawn
//   workloads:
//     - model: ../workloads/bert_base.graph     .graph or .onnx
//       name: bert                          default: the file's name
//       dims: {batch: 1, seq: [1, 128]}     the sizes of each symbol; the form is told below
//       combine: grid                       grid: every combination, the last symbol fastest; list
//       trace: day.stream                   instead of dims: what `run --stream` reads
//       mode: timing                        or functional
//       dtype: bf16                         as run --dtype
//       seed: 1                             of random inputs
//       weight: 1                           in means over workloads
//       class: chains                       compare: means over the workloads of a class
//     - op: softmax
//       shapes: [64x4096]                   as stored, one an input; sizes may be symbols of dims
//       dtype: f16
//       attrs: {axis: -1}
//       trans_a: false                      and trans_b
//   strategies:                             default: [dvm]
//     - eager
//     - {strategy: resident, name: plain, feature: "-shape-cache", tiling: dvm, cores: 12}
//     - {strategy: jit, name: jit-32, set: {jit.workers: 32}}     constants of strategies.yaml
//   launch_cost: [0us, 5us]                 launch.vector, .cube, .mix and .native, all alike
//   view: device                            compare: of the device alone; default: stream
//   options: {memory: detailed, l2: cold, repeat: 1, decode: false}    as the options of run
//   metrics:                                figures of the report; default: the usual ones
//     - e2e_us
//     - {us_per_row: "task_us / dim.batch"} or expressions over figures, dim.* and keys
//     - {rows_per_us: "dim.batch / task_us", better: more}    default: less, but of
//                                           roofline.fraction more
//   pareto: [e2e_us, area]                  what is to be good at once; default: the first metric
//                                           and the first cost that differs between designs
//   cost: {...}                             as in a hardware file (cost.h), instead of its own
//
// An axis is named by a key of the machine or of strategies.yaml (which varies the strategies that
// rest on it), or by any name if its values say what they set:
//   hbm.peak: [0.8TB/s, 1.2TB/s]            values; the same as {values: [...]}
//   ub.size: {from: 128KiB, to: 256KiB, steps: 5}      or by: 32KiB; scale: log for equal ratios
//   vector: {factors: [1/2, 1, 2], of: ["vector.rate.*.b*"]}   times what the machine has
//   jit.trace: {from: 1ms, to: 50ms, steps: 4, scale: log}
//   memory: {choices: {hbm2e: {hbm.peak: 1.6TB/s}, hbm3: {hbm.peak: 3.2TB/s, hbm.channels: 64}}}
// Sampled at random, {from, to} needs no steps: a value between, in steps of `by` if given.
//
// The sizes of a symbol: 128; [1, 128]; {list: [...]}; {range: [1, 2048, 1]} (first, last, step);
// {random: {min: 1, max: 2048, count: 100, seed: 7, step: 1}}. With `shuffle: SEED` beside list or
// range, in random order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/cost.h"
#include "cli/options/options.h"
#include "cli/text/expression.h"
#include "compiler/graph/dim.h"

namespace dvmsim {

/// A value of an axis: how tables name it and what it sets.
struct AxisValue {
  std::string text{};
  Named sets{};                    // key, value as --set has it
  std::optional<double> factor{};  // the keys become that many times what they are
};

struct StudyAxis {
  std::string name{};
  int line = 0;
  std::vector<std::string> keys{};  // that it sets
  std::vector<AxisValue> values{};  // in the order of the file; empty: drawn only
  /// A range to draw from: multiples of a unit, "KiB".
  struct Range {
    double from = 0, to = 0, by = 0;  // by 0: any value
    bool log = false;
    std::string unit{};
  };
  std::optional<Range> range{};
};

struct Derived {
  std::string key{};
  Expression value{};
  int line = 0;
};

struct Sampling {
  enum class Kind : std::uint8_t { Grid, List, Random };
  Kind kind = Kind::Grid;
  std::int64_t count = 0, seed = 1;  // of Random
};

struct StudyHardware {
  std::string file{};  // as it is to be opened; empty: the built-in machine
  std::string name{};
  std::vector<std::string> sets{};
  int line = 0;
};

using DimSizes = std::vector<std::pair<std::string, std::int64_t>>;

struct StudyWorkload {
  std::string name{};
  int line = 0;
  std::string model{};  // as it is to be opened; empty: an operator
  std::optional<DType> floats{};
  OpOptions op{};                 // without shapes
  std::vector<Dims> op_shapes{};  // as stored; sizes may be symbols
  Mode mode = Mode::Timing;
  std::int64_t seed = 1;
  double weight = 1;
  std::string kind{};             // its class; may be empty
  std::string trace{};            // as it is to be opened; instead of sizes
  std::vector<DimSizes> sizes{};  // one after the other; without dims one that is empty
};

struct StudyStrategy {
  std::string strategy{"dvm"}, name{}, tiling{};
  std::vector<std::pair<std::string, bool>> features{};  // as RunOptions::features
  std::vector<std::string> sets{};                       // of its constants: "jit.workers=32"
  int cores = 0;
  int line = 0;
};

struct StudyMetric {
  std::string name{};
  Expression value{};
  bool more = false;  // the more, the better
  int line = 0;
};

struct Study {
  std::string file{}, title{};
  std::vector<StudyHardware> hardware{};
  std::vector<StudyAxis> axes{};
  std::vector<Derived> derived{};
  Sampling sampling{};
  std::vector<StudyWorkload> workloads{};
  std::vector<StudyStrategy> strategies{};
  std::vector<std::string> launch_costs{};  // "5us"; empty: the machine's own
  CompareView view = CompareView::Stream;
  MemoryModel memory = MemoryModel::Detailed;
  bool warm_l2 = false;
  int repeat = 1;
  bool decode = false;                                // measure exposed decode
  std::vector<StudyMetric> metrics{};                 // empty: the default ones
  std::vector<std::pair<std::string, int>> pareto{};  // name and line
  std::optional<std::vector<DesignCost>> cost{};
};

/// Throws Error beginning with file and line for whatever is not exactly right.
[[nodiscard]] Study load_study(const std::string& path);
[[nodiscard]] Study parse_study(const std::string& text, const std::string& file);

/// The keys that a launch cost sets.
inline constexpr const char* kLaunchKeys[] = {"launch.vector", "launch.cube", "launch.mix",
                                              "launch.native"};

}  // namespace dvmsim
