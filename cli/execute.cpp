#include "cli/execute.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "cli/features.h"
#include "cli/schedule_file.h"
#include "cli/strategy_constants.h"
#include "cli/value_check.h"
#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "sim/device/device.h"
#include "traces/operators.h"
#include "traces/replay.h"
#include "traces/stats.h"
#include "vm/base/error.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

struct Measured {
  Cycles cycles{};
  std::int64_t decode = 0;
  bool good = false;
};

/// How a job is run once more: without data unless something on the device decides by it.
struct Again {
  const Job& job;
  const Module* module = nullptr;  // of the run before; none where the host drives the graph
  const RunOptions& options;
  Mode mode = Mode::Timing;
};

/// The same launches once more, on a machine that differs in what decoding costs.
Measured run_again(const Again& again, const Machine& machine, bool free_firmware) {
  const RunOptions& options = again.options;
  SimOptions sim = sim_options(options);
  sim.mode = again.mode;
  sim.free_firmware = free_firmware;
  SimDevice device(machine, sim);
  ScheduleOverrides overrides = load_overrides(options);
  const SessionOptions with = session_options(options, device, again.mode, &overrides);
  std::optional<Session> session;
  if (again.module == nullptr) {
    session.emplace(*again.job.graph, machine, device, with);
  } else {
    Module module = *again.module;
    module.machine = hash_of(machine);
    session.emplace(std::move(module), machine, device, with);
  }
  Measured measured;
  for (int i = 0; i < options.repeat; ++i) {
    Stats stats;
    const RunResult result =
        session->run(again.module == nullptr ? again.job.dims : Bindings{}, again.job.inputs);
    if (result.fault || result.launches.empty()) return {};
    for (const LaunchReport& launch : result.launches) {
      if (launch.assumed > 0 && mode_of(options) == Mode::Functional) return {};
      stats.add(launch);
    }
    stats.close();
    measured = {stats.cycles(), stats.firmware().decode.count(), true};
  }
  return measured;
}

constexpr const char* kAssumedLists =
    "what group lists hold that neither a constant nor --input gives: groups count as equal";

bool assumes(const RunResult& result) {
  return std::any_of(result.launches.begin(), result.launches.end(),
                     [](const LaunchReport& launch) { return launch.assumed > 0; });
}

bool decides_by_data(const Module& module) {
  for (const ModuleStep& step : module.steps) {
    if (step.kind != ModuleStep::Kind::Launch) return true;
  }
  return false;
}

bool has_bytecode(const Module& module) {
  for (const ModuleStep& step : module.steps) {
    if (step.path != CodePath::Native) return true;
  }
  return false;
}

/// What decoding costs at each profile: cycles over those of the same commands with free firmware.
void measure_decode(RunReport& report, const Module* module, const Machine& machine, const Job& job,
                    const RunOptions& options) {
  if (report.firmware.instructions == 0) return;
  if (module != nullptr && !has_bytecode(*module)) return;
  if (find_strategy(options.strategy).path != CodePath::Bytecode && module == nullptr) return;
  Again again{job, module, options};
  if (module == nullptr || decides_by_data(*module)) again.mode = mode_of(options);
  Measured free = run_again(again, machine, true);
  if (!free.good && mode_of(options) == Mode::Functional) {
    again.mode = Mode::Functional;
    free = run_again(again, machine, true);
  }
  if (!free.good) return;
  for (std::size_t i = 0; i < report.firmware.by_profile.size(); ++i) {
    Machine variant = machine;
    variant.firmware.profile = static_cast<DecodeProfile>(i);
    const Measured run = run_again(again, variant, false);
    if (!run.good) continue;
    const std::int64_t exposed = (run.cycles - free.cycles).count();
    report.firmware.by_profile[i] = RunReport::Decode{run.cycles.count(), run.decode, exposed};
    if (variant.firmware.profile == machine.firmware.profile) {
      report.firmware.exposed_cycles = exposed;
    }
  }
}

/// What changes cycles and is not the default.
Named settings_of(const RunOptions& options) {
  Named settings;
  if (options.memory != MemoryModel::Detailed) {
    settings.emplace_back("memory", options.memory == MemoryModel::Ideal ? "ideal" : "closed-form");
  }
  if (options.warm_l2) settings.emplace_back("l2", "warm");
  if (!options.tiling.empty()) settings.emplace_back("tiling", options.tiling);
  if (!options.schedule.empty()) settings.emplace_back("schedule", options.schedule);
  if (options.cores != 0) settings.emplace_back("cores", std::to_string(options.cores));
  if (options.repeat != 1) settings.emplace_back("repeat", std::to_string(options.repeat));
  std::string bypassed;
  for (const std::string& name : options.bypass) bypassed += (bypassed.empty() ? "" : ", ") + name;
  if (!bypassed.empty()) settings.emplace_back("bypass", bypassed);
  return settings;
}

void fill_from(RunReport& report, const RunOptions& options, const Job& job,
               const RunResult& result) {
  report.model = job.name;
  report.strategy = result.module == nullptr ? options.strategy : result.module->strategy;
  report.options = settings_of(options);
  if (!job.module) report.features = names_of(features_of(options));
  report.dims.assign(job.dims.begin(), job.dims.end());
  report.host.program_bytes = result.program_bytes;
  report.host.synchronisations = result.host.synchronisations;
  report.host.bytes_read = result.host.bytes_read;
  report.host.iterations = result.host.iterations;
  report.host.nodes = result.host.nodes;
  const OperatorCounts& operators = result.operators;
  if (operators.framework > 0) {
    report.host.operators = {operators.written,
                             operators.framework,
                             {operators.rerolled.begin(), operators.rerolled.end()}};
  }
  report.device_memory = {result.memory.weights, result.memory.inputs_outputs,
                          result.memory.intermediates, result.memory.programs};
}

}  // namespace

Capacity capacity_of(const Machine& machine, const RunOptions& options) {
  const int groups = options.cores;
  Capacity capacity;
  for (CoreKind kind : {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified}) {
    const bool unified = kind == CoreKind::Unified;
    if (unified != machine.cores.unified) continue;
    const int all = unified ? machine.cores.cube : machine.cores_of(kind);
    const int share =
        groups > 0 && machine.cores.cube > 0 ? all * groups / machine.cores.cube : all;
    capacity.cores[static_cast<std::size_t>(kind)] = std::min(all, std::max(1, share));
  }
  if (options.memory == MemoryModel::Ideal) return capacity;
  capacity.hbm_bytes_per_cycle = hbm_read_rate(machine).per_cycle().value();
  capacity.hbm_write_cost = machine.hbm.write_cost.value();
  capacity.l2_bytes_per_cycle = machine.l2.read.per_cycle().value();
  capacity.l2_write_cost =
      machine.l2.read.per_cycle().value() / machine.l2.write.per_cycle().value();
  return capacity;
}

Mode mode_of(const RunOptions& options) {
  return options.mode.value_or(Mode::Functional);
}

SimOptions sim_options(const RunOptions& options) {
  SimOptions sim;
  sim.mode = mode_of(options);
  sim.memory = options.memory;
  sim.workers = options.workers;
  return sim;
}

SessionOptions session_options(const RunOptions& options, SimDevice& device, Mode mode,
                               ScheduleOverrides* overrides) {
  SessionOptions session;
  session.overrides = overrides;
  session.strategy = &find_strategy(options.strategy);
  session.constants = constants_of(options);
  session.features = features_of(options);
  session.tiling = parse_tiling(options.tiling).value_or(Tiling::Cost);
  session.cores = options.cores;
  session.mode = mode;
  if (options.warm_l2 || !options.bypass.empty()) {
    session.before_run = [&](const std::string& name, std::uint64_t address, Bytes size) {
      const auto& bypassed = options.bypass;
      if (std::find(bypassed.begin(), bypassed.end(), name) != bypassed.end() ||
          std::find(bypassed.begin(), bypassed.end(), "all") != bypassed.end()) {
        device.bypass(address, size);
      } else if (options.warm_l2) {
        device.warm(address, size);
      }
    };
  }
  return session;
}

void check_bypassed(const RunOptions& options, const Graph* graph, const Module* module) {
  std::set<std::string> names{"all"};
  if (module != nullptr) {
    for (const ModuleTensor& tensor : module->tensors) names.insert(tensor.name);
  } else if (graph != nullptr) {
    for (const Value& value : graph->values) names.insert(value.name);
  }
  for (const std::string& name : options.bypass) {
    if (!names.contains(name)) {
      throw Error("--bypass " + name + ": no tensor of the model has this name");
    }
  }
}

Execution execute(const Job& job, const Machine& machine, const RunOptions& options,
                  const Probes& listeners, Progress* progress) {
  SimDevice device(machine, sim_options(options));
  ScheduleOverrides overrides = load_overrides(options);
  const SessionOptions with = session_options(options, device, mode_of(options), &overrides);
  Session session = job.module ? Session(*job.module, machine, device, with)
                               : Session(*job.graph, machine, device, with);
  const std::int64_t clock = machine.clock.core.count();
  const Module* module = session.prepared(job.dims);
  if (module != nullptr) check_used(overrides);
  if (progress != nullptr && module != nullptr) {
    progress->expect(launches_of(module->steps), true);
  }
  for (int i = 1; i < options.repeat; ++i) {
    const RunResult warm_up = session.run(job.dims, job.inputs);
    if (warm_up.fault) return {{}, {}, {}, {}, warm_up.fault};
  }
  Stats stats;
  Busy busy;
  Probes probes = listeners;
  Demands demands(machine);
  Operators operators(machine);
  probes.insert(probes.end(), {&stats, &busy, &demands, &operators});
  std::optional<Replay> replay;
  if (options.critical_path) probes.push_back(&replay.emplace(machine));
  std::optional<Timeline> timeline;
  std::optional<Listing> listing;
  if (options.detail || !options.html.empty()) {
    probes.push_back(&timeline.emplace(clock));
    probes.push_back(&listing.emplace());
  }
  device.listen(probes);
  const std::int64_t start_ns = device.host_ns();
  RunResult result = session.run(job.dims, job.inputs);
  device.listen({});
  if (result.fault) return {{}, {}, {}, {}, result.fault};
  check_used(overrides);

  for (const LaunchReport& launch : result.launches) stats.add(launch);
  stats.close();
  Execution execution;
  RunReport& report = execution.report;
  fill(report, stats, clock);
  fill(report, busy, clock);
  report.operators = operators.sums();
  report.hardware = machine.name;
  report.machine_hash = hash_of(machine);
  report.e2e_us = static_cast<double>(device.host_ns() - start_ns) / 1000.0;
  report.not_modelled = not_modelled();
  for (const std::string& line : assumptions_of(options)) report.not_modelled.push_back(line);
  if (assumes(result)) report.not_modelled.emplace_back(kAssumedLists);
  fill_from(report, options, job, result);
  check_bypassed(options, job.graph ? &*job.graph : nullptr, result.module);
  report.roofline = roofline(stats, demands, capacity_of(machine, options));
  if (replay) {
    report.critical_path = critical_path(*replay, machine, floors_of(report.roofline));
    if (!options.trace.empty()) execution.path = path_slices(*replay, machine);
  }
  if (timeline) {
    report.timeline = timeline->close(stats.first_dispatch(), stats.end());
    report.listing = listing->report();
  }
  if (options.decode) measure_decode(report, result.module, machine, job, options);
  if (options.check) {
    report.check = check_values(result.outputs, evaluate(*job.graph, job.inputs));
  }
  execution.outputs = std::move(result.outputs);
  execution.output_names = std::move(result.output_names);
  return execution;
}

}  // namespace dvmsim
