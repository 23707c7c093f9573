// A stream of inputs through one session, as a server would see them.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/features.h"
#include "cli/job.h"
#include "cli/machine.h"
#include "cli/npy.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/schedule_file.h"
#include "cli/strategy_constants.h"
#include "cli/stream.h"
#include "cli/value_check.h"
#include "cli/workload.h"
#include "compiler/graph/eval.h"
#include "sim/device/device.h"
#include "traces/output.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (ValueId id : graph.inputs) names.push_back(graph.value(id).name);
  return names;
}

/// FNV-1a over the bytes of all outputs.
std::uint64_t digest_of(const std::vector<Tensor>& outputs) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const Tensor& output : outputs) {
    for (std::byte byte : output.bytes()) {
      hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
    }
  }
  return hash;
}

/// Runs the steps one by one.
class StreamRun {
 public:
  StreamRun(const Graph& graph, const Stream& stream, const Machine& machine,
            const RunOptions& options)
      : graph_(graph),
        stream_(stream),
        options_(options),
        device_(machine, sim_options(options)),
        overrides_(load_overrides(options)),
        session_(graph, machine, device_,
                 session_options(options, device_, mode_of(options), &overrides_)) {
    state_ = state_of(stream, graph.output_names, input_names(graph));
    for (const auto& [output, input] : state_) session_.carry(output, input);
    clock_hz_ = machine.clock.core.count();
  }

  /// When all steps have run.
  void check_overrides() const { check_used(overrides_); }

  /// The row of one step; a fault ends the stream.
  StreamReport::Step run(const StreamStep& step, Progress& progress, Fault& fault) {
    if (step.group->fresh) {
      session_.forget_carried();
      last_outputs_.clear();
    }
    std::map<std::string, Tensor> inputs;
    const Bindings dims = prepare(step, inputs);
    device_.listen(progress.listeners());
    const std::int64_t start_ns = device_.host_ns();
    const RunResult result = session_.run(dims, inputs);
    device_.listen({});
    fault = result.fault;
    if (fault) return {};
    check_bypassed(options_, &graph_, result.module);
    return row_of(dims, inputs, result, start_ns);
  }

 private:
  [[nodiscard]] bool is_state(const std::string& input) const {
    for (const auto& [from, to] : state_) {
      if (to == input) return true;
    }
    return false;
  }

  /// Sizes and the inputs that are not carried over.
  Bindings prepare(const StreamStep& step, std::map<std::string, Tensor>& inputs) {
    RunOptions options;
    options.dims = step.dims;
    options.shapes = step.shapes;
    options.inputs = step.group->inputs;
    inputs = read_inputs(graph_, options);
    bool first = false;
    for (const auto& [output, input] : state_) {
      if (inputs.contains(input)) continue;
      const std::vector<std::int64_t>* shape = session_.carried_shape(input);
      if (shape != nullptr) options.shapes.emplace_back(input, *shape);
      first = first || shape == nullptr;
    }
    if (first) {
      options.dims.insert(options.dims.end(), stream_.initial.begin(), stream_.initial.end());
    }
    const Bindings dims = bindings_of(graph_, options, inputs);
    if (mode_of(options_) == Mode::Timing) {
      inputs.clear();
      return dims;
    }
    std::map<std::string, Tensor> all = inputs;
    add_missing_inputs(all, graph_, dims, step.seed);
    for (auto& [name, tensor] : all) {
      const bool given = inputs.contains(name);
      if (!given && session_.carried_shape(name) != nullptr) continue;
      // State that no step has made yet is zeros.
      inputs[name] =
          given || !is_state(name) ? std::move(tensor) : Tensor(tensor.dtype(), tensor.shape());
    }
    return dims;
  }

  StreamReport::Step row_of(const Bindings& dims, std::map<std::string, Tensor>& inputs,
                            const RunResult& result, std::int64_t start_ns) {
    StreamReport::Step row;
    row.dims.assign(dims.begin(), dims.end());
    row.compile_us = static_cast<double>(result.compile_ns) / 1000.0;
    row.encode_us = static_cast<double>(result.encode_ns) / 1000.0;
    row.cached = !result.compiled;
    row.launches = static_cast<std::int64_t>(result.launches.size());
    row.synchronisations = result.host.synchronisations;
    row.iterations = result.host.iterations;
    Cycles tasks, first = result.launches.empty() ? Cycles() : result.launches[0].first_dispatch;
    Cycles end = first;
    for (const LaunchReport& launch : result.launches) {
      tasks += launch.end - launch.begin;
      first = std::min(first, launch.first_dispatch);
      end = std::max(end, launch.end);
    }
    row.cycles = (end - first).count();
    row.task_us = static_cast<double>(tasks.count()) * 1e6 / static_cast<double>(clock_hz_);
    row.e2e_us = static_cast<double>(device_.host_ns() - start_ns) / 1000.0;
    row.memory_bytes = result.memory.total();
    if (mode_of(options_) == Mode::Timing) return row;
    row.digest = digest_of(result.outputs);
    if (options_.check) {
      for (const auto& [name, tensor] : last_outputs_) inputs.try_emplace(name, tensor);
      row.check = check_values(result.outputs, evaluate(graph_, inputs));
    }
    for (const auto& [output, input] : state_) {
      for (std::size_t i = 0; i < result.output_names.size(); ++i) {
        if (result.output_names[i] == output) last_outputs_[input] = result.outputs[i];
      }
    }
    return row;
  }

  const Graph& graph_;
  const Stream& stream_;
  const RunOptions& options_;
  SimDevice device_;
  ScheduleOverrides overrides_;
  Session session_;
  Named state_{};
  std::map<std::string, Tensor> last_outputs_{};  // by the input they go to, for checks
  std::int64_t clock_hz_ = 1;
};

void refuse_with_stream(const RunOptions& options) {
  const auto refuse = [](bool given, const std::string& option, const std::string& instead) {
    if (given) throw Error("--stream with " + option + ": " + instead);
  };
  const std::string in_file = "say it in the stream file";
  refuse(!options.dims.empty(), "--dim", in_file);
  refuse(!options.shapes.empty(), "--shape", in_file);
  refuse(!options.inputs.empty(), "--input", in_file);
  refuse(!options.known.empty(), "--known", "a step's values are its own; leave it out");
  refuse(!options.scalars.empty(), "--arg", "it is for assembled programs");
  refuse(!options.launch.empty(), "--launch", "it is for assembled programs");
  refuse(options.repeat != 1, "--repeat", in_file);
  refuse(!options.output.empty(), "--output", "run a single step without --stream");
  refuse(!options.trace.empty(), "--trace", "run a single step without --stream");
  refuse(options.model.ends_with(".dvm"), options.model, "its sizes are fixed; run the model");
}

}  // namespace

int run_stream(const RunOptions& options) {
  (void)features_of(options);
  refuse_with_stream(options);
  const Machine machine = machine_from(options.hardware, machine_sets(options.sets));
  const Stream stream = load_stream(options.stream);
  const std::vector<StreamStep> steps = steps_of(stream);
  const Graph graph = load_model(options.model, options.floats);
  std::optional<OutputFile> json, csv;
  std::optional<PageFile> page;
  if (!options.json.empty() && options.json != "-") json.emplace(options.json);
  if (!options.csv.empty()) csv.emplace(options.csv);
  if (!options.html.empty()) page.emplace(options.html);

  StreamReport report;
  report.model = std::filesystem::path(options.model).filename().string();
  report.stream = std::filesystem::path(options.stream).filename().string();
  report.strategy = options.strategy;
  report.hardware = machine.name;
  report.clock_mhz = static_cast<double>(machine.clock.core.count()) / 1e6;
  report.not_modelled = not_modelled();
  for (const std::string& line : assumptions_of(options)) report.not_modelled.push_back(line);
  {
    Progress progress;
    progress.expect(static_cast<std::int64_t>(steps.size()), false);
    StreamRun run(graph, stream, machine, options);
    for (const StreamStep& step : steps) {
      Fault fault;
      try {
        report.steps.push_back(run.run(step, progress, fault));
      } catch (const Error& error) {
        throw Error(fmt::format("{}:{}: step {}: {}", stream.file, step.group->line,
                                report.steps.size(), error.what()));
      }
      if (fault) {
        fmt::print(stderr, "dvmsim: simulated fault: {}\n", fault.text);
        return kFaulted;
      }
      progress.step();
    }
    run.check_overrides();
  }
  Named written;
  if (json) {
    json->write(to_json(report));
    json->commit();
    written.emplace_back("report", json->path());
  }
  if (csv) {
    csv->write(to_csv(report));
    csv->commit();
    written.emplace_back("table", csv->path());
  }
  if (page) {
    page->write(to_json(report));
    written.emplace_back("page", page->path());
  }
  fmt::print("{}", options.json == "-" ? to_json(report) : summary(report, written));
  return report.pass() ? kGood : kCheckFailed;
}

}  // namespace dvmsim
