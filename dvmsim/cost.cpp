#include "dvmsim/cost.h"

#include "cli/execute.h"
#include "cli/operator_graph.h"
#include "compiler/graph/text.h"
#include "vm/base/error.h"
#include "vm/machine/machine.h"

namespace dvmsim::api {
namespace {

RunOptions run_options(const Options& options) {
  RunOptions run;
  run.strategy = options.strategy;
  run.tiling = options.tiling;
  run.cores = options.cores;
  run.warm_l2 = options.warm_l2;
  run.memory = options.memory == Memory::Ideal        ? MemoryModel::Ideal
               : options.memory == Memory::ClosedForm ? MemoryModel::ClosedForm
                                                      : MemoryModel::Detailed;
  run.mode = Mode::Timing;
  run.decode = run.critical_path = false;
  if (!run.tiling.empty() && !parse_tiling(run.tiling)) {
    throw Error("tiling '" + run.tiling + "': unknown; use cost, dvm, dvm-v1, dvm-v2 or dvm-v3");
  }
  if (run.cores < 0) throw Error("cores: a number of cores, or 0 for all");
  return run;
}

Cost run(dvmsim::Graph graph, Bindings dims, const Machine& machine, const Options& options) {
  Job job;
  job.name = graph.name;
  job.graph = std::move(graph);
  job.dims = std::move(dims);
  const Execution execution = execute(job, machine, run_options(options), {});
  if (execution.fault) throw Error("simulated fault: " + execution.fault.text);
  const RunReport& report = execution.report;
  Cost cost;
  cost.cycles = report.cycles;
  cost.task_us = report.task_us;
  cost.e2e_us = report.e2e_us;
  cost.launches = report.host.launches;
  cost.program_bytes = report.host.program_bytes;
  cost.hbm_read_bytes = report.memory.hbm_read_bytes;
  cost.hbm_write_bytes = report.memory.hbm_write_bytes;
  cost.l2_hit_bytes = report.memory.l2_hit_bytes;
  cost.peak_bytes = report.device_memory.peak_bytes();
  cost.ideal_cycles = report.roofline.ideal_cycles;
  cost.bound = name_of(report.roofline.verdict);
  cost.limiter = report.roofline.limiter;
  return cost;
}

/// Every symbol has a size, and every size a symbol.
Bindings bindings_of(const dvmsim::Graph& graph, const std::map<std::string, std::int64_t>& dims) {
  Bindings bindings(dims.begin(), dims.end());
  for (const std::string& symbol : graph.symbols) {
    if (!dims.contains(symbol)) throw Error("dimension '" + symbol + "' has no size");
  }
  for (const auto& [name, size] : dims) {
    const auto& symbols = graph.symbols;
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end()) {
      throw Error("dimension '" + name + "': the graph has none of this name");
    }
    if (size < 0) throw Error("dimension '" + name + "': a size cannot be negative");
  }
  return bindings;
}

}  // namespace

struct Simulator::State {
  Machine machine = default_machine();
};

Simulator::Simulator() : state_(std::make_unique<State>()) {}
Simulator::Simulator(const std::string& hardware_file)
    : state_(std::make_unique<State>(State{load_machine(hardware_file)})) {}
Simulator::Simulator(const Simulator& other) : state_(std::make_unique<State>(*other.state_)) {}
Simulator::Simulator(Simulator&& other) noexcept = default;
Simulator& Simulator::operator=(Simulator other) noexcept {
  state_.swap(other.state_);
  return *this;
}
Simulator::~Simulator() = default;

void Simulator::set(const std::string& key, const std::string& value) {
  set(std::map<std::string, std::string>{{key, value}});
}

void Simulator::set(const std::map<std::string, std::string>& values) {
  Machine changed = state_->machine;
  for (const auto& [key, value] : values) apply_set(changed, key + "=" + value);
  check(changed);
  state_->machine = std::move(changed);
}

std::string Simulator::get(const std::string& key) const {
  return value_of(state_->machine, key);
}

const std::string& Simulator::name() const {
  return state_->machine.name;
}

Cost Simulator::cost(const Operator& what, const Options& options) const {
  OpOptions op;
  op.op = what.name;
  op.shapes = what.shapes;
  const auto dtype = parse_dtype(what.dtype);
  if (!dtype) throw Error("dtype '" + what.dtype + "': unknown; use f16, bf16, f32, i8 ...");
  op.dtype = *dtype;
  op.attributes.assign(what.attributes.begin(), what.attributes.end());
  for (const Shape& shape : what.shapes) {
    for (std::int64_t size : shape) {
      if (size < 0) throw Error("op " + what.name + ": a size cannot be negative");
    }
  }
  return run(graph_of(op), {}, state_->machine, options);
}

Cost Simulator::cost(const Graph& what, const Options& options) const {
  dvmsim::Graph graph = parse_graph(what.text, "graph");
  Bindings dims = bindings_of(graph, what.dims);
  return run(std::move(graph), std::move(dims), state_->machine, options);
}

}  // namespace dvmsim::api
