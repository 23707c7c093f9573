#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/files.h"
#include "cli/machine.h"
#include "cli/npy.h"
#include "cli/progress.h"
#include "cli/workload.h"
#include "traces/output.h"
#include "traces/perfetto.h"
#include "vm/base/error.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// What a run will write, opened before it: a bad path costs no simulation.
class Outputs {
 public:
  Outputs(const RunOptions& options, const Machine& machine) : folder_(options.output) {
    if (!options.json.empty() && options.json != "-") json_.emplace(options.json);
    if (!folder_.empty()) {
      std::error_code fault;
      fs::create_directories(folder_, fault);
      if (fault) throw Error(folder_ + ": cannot be made: " + fault.message());
      const OutputFile probe(folder_ + "/probe");
    }
    if (options.trace.empty()) return;
    PerfettoOptions trace;
    trace.path = options.trace;
    trace.level = options.trace_level;
    trace.budget = options.trace_budget;
    trace.clock_hz = machine.clock.core.count();
    trace.machine = machine.name;
    if (options.trace_window) {
      trace.from = Cycles(options.trace_window->first);
      trace.to = Cycles(options.trace_window->second);
    }
    trace_.emplace(std::move(trace));
  }

  [[nodiscard]] Probes listeners() { return trace_ ? Probes{&*trace_} : Probes{}; }

  void write_trace() {
    if (!trace_) return;
    trace_->close();
    written_.emplace_back("trace", trace_->describe());
  }
  void write_values(const Execution& execution) {
    if (folder_.empty()) return;
    for (std::size_t i = 0; i < execution.outputs.size(); ++i) {
      std::string name = execution.output_names[i];
      std::replace(name.begin(), name.end(), '/', '_');
      save_npy(folder_ + "/" + name + ".npy", execution.outputs[i]);
    }
    written_.emplace_back("values", folder_);
  }
  void write_report(const RunReport& report) {
    if (!json_) return;
    json_->write(to_json(report));
    json_->commit();
    written_.emplace_back("report", json_->path());
  }
  [[nodiscard]] const Named& written() const { return written_; }

 private:
  std::string folder_;
  std::optional<OutputFile> json_{};
  std::optional<Perfetto> trace_{};
  Named written_{};
};

Execution execute_with_progress(const Job& job, const Machine& machine, const RunOptions& options,
                                Probes listeners) {
  Progress progress;
  listeners.push_back(&progress);
  return execute(job, machine, options, listeners, &progress);
}

int report_fault(const Fault& fault) {
  fmt::print(stderr, "dvmsim: simulated fault: {}\n", fault.text);
  return kFaulted;
}

int run_job(const Job& job, const Machine& machine, const RunOptions& options) {
  Outputs outputs(options, machine);
  const Execution execution = execute_with_progress(job, machine, options, outputs.listeners());
  outputs.write_trace();
  if (execution.fault) return report_fault(execution.fault);
  outputs.write_values(execution);
  outputs.write_report(execution.report);
  if (options.json == "-") {
    fmt::print("{}", to_json(execution.report));
  } else {
    fmt::print("{}", summary(execution.report, outputs.written()));
  }
  return execution.report.check && !execution.report.check->pass ? kCheckFailed : kGood;
}

void refuse_features(const RunOptions& options) {
  for (const auto& [name, on] : options.features) {
    throw Error("--feature " + name + ": strategy " + options.strategy + " has no such feature");
  }
}

Job job_of(std::string name, Graph graph, const RunOptions& options) {
  Job job;
  job.name = std::move(name);
  auto inputs = read_inputs(graph, options);
  job.dims = bindings_of(graph, options, inputs);
  if (mode_of(options) == Mode::Functional) {
    add_missing_inputs(inputs, graph, job.dims, options.seed);
    job.inputs = std::move(inputs);
  }
  job.graph = std::move(graph);
  return job;
}

/// Inputs of a compiled module have their shapes; they may only be given whole.
Job job_of_module(const std::string& path, const Machine& machine, const RunOptions& options) {
  if (options.check) throw Error("--check eval: " + path + " holds no graph; run the model itself");
  if (!options.dims.empty() || !options.shapes.empty()) {
    throw Error("--dim and --shape: the sizes in " + path + " are fixed; run the model itself");
  }
  Job job;
  job.name = fs::path(path).filename().string();
  job.module = load_module(read_bytes(path), path);
  for (const Program& program : job.module->programs) isa::check(program, machine, path);
  if (mode_of(options) == Mode::Timing) return job;
  for (const auto& [name, file] : options.inputs) {
    const auto is_it = [&, wanted = name](int index) {
      return job.module->tensors[static_cast<std::size_t>(index)].name == wanted;
    };
    const auto& known = job.module->inputs;
    if (std::none_of(known.begin(), known.end(), is_it)) {
      throw Error("--input " + name + ": " + path + " has no such input");
    }
    job.inputs[name] = load_npy(file);
  }
  std::int64_t position = 0;
  for (int index : job.module->inputs) {
    const ModuleTensor& tensor = job.module->tensors[static_cast<std::size_t>(index)];
    const Fill random{Fill::Kind::Random, options.seed * 1000 + ++position, 1.0};
    if (job.inputs.contains(tensor.name)) continue;
    job.inputs[tensor.name] = is_float(tensor.dtype) ? filled(tensor.dtype, tensor.shape, random)
                                                     : Tensor(tensor.dtype, tensor.shape);
  }
  return job;
}

}  // namespace

int run_model(const RunOptions& options) {
  refuse_features(options);
  if (!options.stream.empty()) return run_stream(options);
  const Machine machine = machine_from(options.hardware, options.sets);
  if (options.model.ends_with(".dvm")) {
    return run_job(job_of_module(options.model, machine, options), machine, options);
  }
  const std::string name = fs::path(options.model).filename().string();
  return run_job(job_of(name, load_model(options.model, options.floats), options), machine,
                 options);
}

int run_op(const OpOptions& op, const RunOptions& given) {
  refuse_features(given);
  RunOptions options = given;
  const bool needs_values = options.check || !options.output.empty() || !options.inputs.empty();
  if (!options.mode) options.mode = needs_values ? Mode::Functional : Mode::Timing;
  const Machine machine = machine_from(options.hardware, options.sets);
  std::string name = op.op;
  for (const auto& shape : op.shapes) {
    name += " ";
    for (std::size_t i = 0; i < shape.size(); ++i) {
      name += (i == 0 ? "" : "x") + std::to_string(shape[i]);
    }
  }
  return run_job(job_of(name + " " + std::string(name_of(op.dtype)), graph_of(op), options),
                 machine, options);
}

}  // namespace dvmsim
