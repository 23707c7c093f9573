#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/job.h"
#include "cli/npy.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "traces/output.h"
#include "traces/perfetto.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// What a run will write, opened before it: a bad path costs no simulation.
class Outputs {
 public:
  Outputs(const RunOptions& options, const Machine& machine) : folder_(options.output) {
    if (!options.json.empty() && options.json != "-") json_.emplace(options.json);
    if (!options.html.empty()) page_.emplace(options.html);
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

  void write_trace(const std::vector<PathSlice>& path) {
    if (!trace_) return;
    trace_->draw_path(path);
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
  void write_report(const std::string& json) {
    if (!json_) return;
    json_->write(json);
    json_->commit();
    written_.emplace_back("report", json_->path());
  }
  void write_page(const RunReport& report) {
    if (!page_) return;
    page_->write(to_json(report));
    written_.emplace_back("page", page_->path());
  }
  [[nodiscard]] const Named& written() const { return written_; }

 private:
  std::string folder_;
  std::optional<OutputFile> json_{};
  std::optional<PageFile> page_{};
  std::optional<Perfetto> trace_{};
  Named written_{};
};

Execution execute_with_progress(const Job& job, const Machine& machine, const RunOptions& options,
                                Probes listeners) {
  Progress progress;
  for (Probe* listener : progress.listeners()) listeners.push_back(listener);
  return execute(job, machine, options, listeners, &progress);
}

int report_fault(const Fault& fault) {
  fmt::print(stderr, "dvmsim: simulated fault: {}\n", fault.text);
  return kFaulted;
}

int run_prepared(const Job& job, const Machine& machine, const RunOptions& options) {
  Outputs outputs(options, machine);
  Execution execution = execute_with_progress(job, machine, options, outputs.listeners());
  outputs.write_trace(execution.path);
  if (execution.fault) return report_fault(execution.fault);
  outputs.write_values(execution);
  RunReport& report = execution.report;
  outputs.write_page(report);
  if (!options.detail) {
    report.timeline.reset();
    report.listing.reset();
  }
  outputs.write_report(to_json(report));
  if (options.json == "-") {
    fmt::print("{}", to_json(report));
  } else {
    fmt::print("{}", summary(report, outputs.written()));
  }
  return report.check && !report.check->pass ? kCheckFailed : kGood;
}

}  // namespace

int run_job(const CommandLine& line) {
  if (!line.run.stream.empty()) return run_stream(line.run);
  const Prepared prepared = prepare(line);
  return run_prepared(prepared.job, prepared.machine, prepared.options);
}

}  // namespace dvmsim
