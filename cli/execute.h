// Runs a job on the simulator and measures it: everything between the options and the report.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/options/options.h"
#include "cli/progress.h"
#include "compiler/graph/graph.h"
#include "compiler/module/module.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "traces/report.h"
#include "traces/roofline.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// A graph to compile, or a module that is.
struct Job {
  std::string name{};
  std::optional<Graph> graph{};  // as written
  std::optional<Module> module{};
  Bindings dims{};
  std::map<std::string, Tensor> inputs{};  // none in timing mode
};

struct Execution {
  RunReport report{};
  std::vector<Tensor> outputs{};
  std::vector<std::string> output_names{};
  std::vector<PathSlice> path{};  // if a trace is wanted
  Fault fault{};
};

[[nodiscard]] Mode mode_of(const RunOptions& options);
[[nodiscard]] SimOptions sim_options(const RunOptions& options);
/// What the cores that a run may use, L2 and HBM do at best.
[[nodiscard]] Capacity capacity_of(const Machine& machine, const RunOptions& options);
[[nodiscard]] SessionOptions session_options(const RunOptions& options, SimDevice& device,
                                             Mode mode, ScheduleOverrides* overrides = nullptr);

/// Throws Error if --bypass names no tensor of the module, or of the graph if the host drives it:
/// that would change nothing, in silence.
void check_bypassed(const RunOptions& options, const Graph* graph, const Module* module);

/// Runs options.repeat times; the last one is listened to and reported. `progress`, if there is
/// one, is told how much is to be done.
[[nodiscard]] Execution execute(const Job& job, const Machine& machine, const RunOptions& options,
                                const Probes& listeners, Progress* progress = nullptr);

}  // namespace dvmsim
