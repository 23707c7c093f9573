#include "cli/stream/stream_run.h"

#include <algorithm>

#include "cli/npy.h"
#include "cli/value_check.h"
#include "cli/workload.h"
#include "compiler/graph/eval.h"
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

}  // namespace

StreamRun::StreamRun(const Graph& graph, const Stream& stream, const Machine& machine,
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

StreamReport::Step StreamRun::run(const StreamStep& step, const Probes& listeners, Fault& fault) {
  if (step.group->fresh) {
    session_.forget_carried();
    last_outputs_.clear();
  }
  std::map<std::string, Tensor> inputs;
  const Bindings dims = prepare(step, inputs);
  device_.listen(listeners);
  const std::int64_t start_ns = device_.host_ns();
  const RunResult result = session_.run(dims, inputs);
  device_.listen({});
  fault = result.fault;
  if (fault) return {};
  check_bypassed(options_, &graph_, result.module);
  return row_of(dims, inputs, result, start_ns);
}

bool StreamRun::is_state(const std::string& input) const {
  for (const auto& [from, to] : state_) {
    if (to == input) return true;
  }
  return false;
}

/// Sizes and the inputs that are not carried over.
Bindings StreamRun::prepare(const StreamStep& step, std::map<std::string, Tensor>& inputs) {
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

StreamReport::Step StreamRun::row_of(const Bindings& dims, std::map<std::string, Tensor>& inputs,
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

}  // namespace dvmsim
