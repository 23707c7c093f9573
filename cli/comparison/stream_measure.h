// What one strategy does on one machine for one workload: every step of a stream of sizes, timed at
// every launch cost. Owns the measuring; what follows from the figures is break_even.h and the
// report.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/comparison/device_figures.h"
#include "cli/execute.h"
#include "cli/options/options.h"
#include "compiler/graph/graph.h"
#include "compiler/runtime/run_result.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// One set of sizes, when it comes first and when it comes again. Times in us, by launch cost.
struct ShapeFigures {
  std::vector<double> first_us{}, again_us{};
  double device_us = 0;  // of launches, at the machine's own launch cost
  double compile_us = 0, encode_us = 0, dispatch_us = 0, ahead_us = 0;  // of the host, first time
  std::int64_t launches = 0, elements = 0, padded_elements = 0;
  OperatorCounts operators{};  // dispatched one by one; none for strategies that fuse them
  std::optional<DeviceFigures> device{};  // if the study looks at it
};

/// The stream at one launch cost, in us.
struct StreamFigures {
  std::vector<double> latency_us{};  // by step: from the call until the host knows the result
  double total_us = 0;
  double head_us = 0, body_us = 0;  // of launches: before their cores start, and after
  double exposed_compile_us = 0;    // what the total loses if compiling is free
  double exposed_encode_us = 0;     // and if then encoding is free too
};

struct StrategyFigures {
  std::string name{}, strategy{};
  std::vector<std::string> features{}, assumed{};  // constants without a source: "jit.trace=5ms"
  std::string refused{};                           // not empty: why there are no figures
  std::vector<ShapeFigures> shapes{};              // by the workload's shapes
  std::vector<StreamFigures> streams{};            // by launch cost
  std::int64_t code_bytes = 0;
  double ahead_us = 0;  // compiling before anything runs
  /// What decoding adds to the time of one set of sizes' launches, at low, nominal and high cost.
  struct Decode {
    int shape = 0;
    double free_us = 0;  // of these launches, their cores at work, if decoding takes no time
    std::array<double, 3> exposed_us{};
  };
  std::optional<Decode> decode{};

  /// Exactly, for another process.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static StrategyFigures from_text(const std::string& text);
};

/// A stream: which set of sizes each step has.
struct ShapeStream {
  std::vector<Bindings> shapes{};  // each once, in the order of their first step
  std::vector<int> steps{};
  Named state{};              // output of a step, input of the next one
  std::vector<bool> fresh{};  // by step, if there is state: it forgets what was carried
};

struct StreamSetup {
  const Graph* graph = nullptr;
  const ShapeStream* stream = nullptr;
  /// Machines that differ in what the host and a launch's head cost only, so that cores work alike:
  /// each at every launch cost, its own first.
  std::vector<const std::vector<Machine>*> machines{};
  /// Of each machine, what is set of the strategy's constants: "jit.workers=4".
  std::vector<std::vector<std::string>> constants{};
  RunOptions options{};  // strategy, features, memory, L2, mode, seed
  bool device = false;   // also what the device alone does
};

/// By machine. Every set of sizes is simulated when it first comes; later steps, and the other
/// machines, take its launches' times. A jit is measured with published and with measured compile
/// times, the others give one result. What cannot run is an answer, not an Error.
[[nodiscard]] std::vector<std::vector<StrategyFigures>> measure_stream(const StreamSetup& setup,
                                                                       const std::string& name);
/// Do cores work alike on both?
[[nodiscard]] bool same_cores(const Machine& a, const Machine& b);

}  // namespace dvmsim
