#include "cli/comparison/stream_measure.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <new>

#include "cli/comparison/device_measure.h"
#include "cli/comparison/timed_device.h"
#include "cli/features.h"
#include "cli/strategy_constants.h"
#include "cli/workload.h"
#include "compiler/runtime/session.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Account = TimedDevice::Account;
using Free = TimedDevice::Free;

double us_of(std::int64_t ns) {
  return static_cast<double>(ns) / 1000.0;
}

double cycles_to_us(Cycles cycles, const Machine& machine) {
  return static_cast<double>(cycles.count()) * 1e6 /
         static_cast<double>(machine.clock.core.count());
}

/// Runs the stream through one session.
class StreamRun {
 public:
  /// `known`: times of launches by shape; where it is empty they are simulated and noted in it.
  StreamRun(const StreamSetup& setup, const std::vector<Machine>& machines,
            const StrategyConstants& constants, std::vector<LaunchBodies>& known)
      : setup_(setup),
        machines_(machines),
        device_(machines, sim_options(setup.options)),
        session_(*setup.graph, machines.front(), device_,
                 options_of(setup.options, device_, constants)),
        known_(known) {
    for (const auto& [output, input] : setup.stream->state) session_.carry(output, input);
  }

  void run(StrategyFigures& figures) {
    const ShapeStream& stream = *setup_.stream;
    figures.shapes.resize(stream.shapes.size());
    figures.streams.resize(costs_);
    std::vector<bool> seen(figures.shapes.size(), false);
    for (std::size_t i = 0; i < stream.steps.size(); ++i) {
      const auto at = static_cast<std::size_t>(stream.steps[i]);
      if (!stream.fresh.empty() && stream.fresh[i]) session_.forget_carried();
      const Session::Carried before = seen[at] ? Session::Carried() : session_.carried();
      const std::vector<double> latency = step(at, figures, !seen[at]);
      for (std::size_t cost = 0; cost < costs_; ++cost) {
        figures.streams[cost].latency_us.push_back(latency[cost]);
      }
      if (!seen[at]) again(at, before, latency, figures.shapes[at]);
      seen[at] = true;
    }
    total(figures);
  }

 private:
  static SessionOptions options_of(const RunOptions& options, TimedDevice& device,
                                   const StrategyConstants& constants) {
    SessionOptions session = session_options(options, device.simulator(), mode_of(options));
    session.constants = constants;
    return session;
  }

  RunResult run_shape(std::size_t shape) {
    const Bindings& dims = setup_.stream->shapes[shape];
    std::map<std::string, Tensor> inputs;
    if (mode_of(setup_.options) == Mode::Functional) {
      add_missing_inputs(inputs, *setup_.graph, dims, setup_.options.seed);
      for (const auto& [output, input] : setup_.stream->state) carry_or_clear(inputs, input);
    }
    RunResult result = session_.run(dims, inputs);
    if (result.fault) throw Error("simulated fault: " + result.fault.text);
    return result;
  }

  /// State comes from the step before; that of a first step is zeros.
  void carry_or_clear(std::map<std::string, Tensor>& inputs, const std::string& input) const {
    const Tensor drawn = inputs.at(input);
    inputs.erase(input);
    if (session_.carried_shape(input) == nullptr) {
      inputs.emplace(input, Tensor(drawn.dtype(), drawn.shape()));
    }
  }

  [[nodiscard]] std::vector<std::int64_t> now() const {
    std::vector<std::int64_t> times;
    for (std::size_t cost = 0; cost < costs_; ++cost) times.push_back(device_.spent(cost).host_ns);
    return times;
  }
  [[nodiscard]] std::vector<double> since(const std::vector<std::int64_t>& begin) const {
    std::vector<double> latency;
    for (std::size_t cost = 0; cost < costs_; ++cost) {
      latency.push_back(us_of(device_.spent(cost).host_ns - begin[cost]));
    }
    return latency;
  }

  /// A step of the stream; the first one of its shape is told about.
  std::vector<double> step(std::size_t shape, StrategyFigures& figures, bool first) {
    device_.use(Account::Stream);
    const bool functional = mode_of(setup_.options) == Mode::Functional;
    const bool simulate = known_[shape].empty() || functional;
    if (simulate) {
      device_.simulate();
    } else {
      device_.play(known_[shape]);
    }
    const auto begin = now();
    const TimeSpent before = device_.spent(0);
    const std::int64_t launches = device_.launches();
    const RunResult result = run_shape(shape);
    if (simulate) known_[shape] = device_.noted();
    figures.code_bytes = std::max(figures.code_bytes, result.code_bytes);
    figures.ahead_us += us_of(result.ahead_ns);
    if (first) {
      const TimeSpent after = device_.spent(0);
      ShapeFigures& of = figures.shapes[shape];
      const Cycles cycles = after.head + after.body - before.head - before.body;
      of.device_us = us_of_cycles(cycles);
      of.compile_us = us_of(result.compile_ns);
      of.encode_us = us_of(result.encode_ns);
      of.dispatch_us = us_of(result.dispatch_ns);
      of.ahead_us = us_of(result.ahead_ns);
      of.launches = device_.launches() - launches;
      of.operators = result.operators;
      of.elements = result.elements;
      of.padded_elements = result.padded_elements;
    }
    return since(begin);
  }

  /// The same sizes and state once more, beside the stream.
  void again(std::size_t shape, const Session::Carried& before, const std::vector<double>& first,
             ShapeFigures& of) {
    of.first_us = first;
    const Session::Carried after = session_.carried();
    session_.carry_again(before);
    device_.use(Account::Again);
    device_.play(known_[shape]);
    const auto begin = now();
    if (mode_of(setup_.options) == Mode::Functional) device_.simulate();
    (void)run_shape(shape);
    of.again_us = since(begin);
    session_.carry_again(after);
  }

  void total(StrategyFigures& figures) {
    device_.use(Account::Stream);
    for (std::size_t cost = 0; cost < costs_; ++cost) {
      StreamFigures& stream = figures.streams[cost];
      const TimeSpent spent = device_.spent(cost);
      stream.total_us = us_of(spent.host_ns);
      stream.head_us = us_of_cycles(spent.head);
      stream.body_us = us_of_cycles(spent.body);
      const std::int64_t compiled = device_.spent(cost, Free::Compiling).host_ns;
      stream.exposed_compile_us = us_of(spent.host_ns - compiled);
      stream.exposed_encode_us = us_of(compiled - device_.spent(cost, Free::Encoding).host_ns);
    }
  }

  [[nodiscard]] double us_of_cycles(Cycles cycles) const {
    return cycles_to_us(cycles, machines_.front());
  }

  const StreamSetup& setup_;
  const std::vector<Machine>& machines_;
  TimedDevice device_;
  Session session_;
  std::vector<LaunchBodies>& known_;
  std::size_t costs_ = machines_.size();
};

/// The shape in the middle by time on the device.
int middle_of(const std::vector<ShapeFigures>& shapes) {
  std::vector<int> order;
  for (std::size_t i = 0; i < shapes.size(); ++i) order.push_back(static_cast<int>(i));
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return shapes[static_cast<std::size_t>(a)].device_us <
           shapes[static_cast<std::size_t>(b)].device_us;
  });
  return order[order.size() / 2];
}

/// In the shape in the middle; nothing where the host drives the graph.
void measure_decode(const StreamSetup& setup, StrategyFigures& figures) {
  const int shape = middle_of(figures.shapes);
  const auto exposed = exposed_decode(setup, setup.stream->shapes[static_cast<std::size_t>(shape)]);
  if (exposed) figures.decode = {shape, exposed->free_us, exposed->exposed_us};
}

/// The figures of the device alone, if they are asked for.
void add_device(const StreamSetup& setup, const std::vector<Machine>& machines,
                const StrategyConstants& constants, StrategyFigures& figures) {
  if (!setup.device || !figures.refused.empty()) return;
  const bool decode = find_strategy(setup.options.strategy).path == CodePath::Bytecode;
  std::vector<DeviceFigures> device = measure_device(setup, machines, constants, decode);
  for (std::size_t i = 0; i < device.size(); ++i) figures.shapes[i].device = std::move(device[i]);
}

StrategyFigures measure_once(const StreamSetup& setup, const std::vector<Machine>& machines,
                             const StrategyConstants& constants, std::vector<LaunchBodies>& known) {
  StrategyFigures figures;
  try {
    known.resize(setup.stream->shapes.size());
    StreamRun(setup, machines, constants, known).run(figures);
  } catch (const Error& error) {
    figures.refused = error.what();
  } catch (const std::bad_alloc&) {
    figures.refused = "not enough memory";
  }
  return figures;
}

/// As published and as measured for this project.
std::vector<std::pair<std::string, StrategyConstants>> variants_of(const RunOptions& options,
                                                                   const std::string& name) {
  StrategyConstants constants = constants_of(options);
  if (!find_strategy(options.strategy).specializes) return {{name, constants}};
  std::vector<std::pair<std::string, StrategyConstants>> variants;
  constants.jit.compiler = JitCompiler::Published;
  variants.emplace_back(name + " (s)", constants);
  constants.jit.compiler = JitCompiler::Measured;
  variants.emplace_back(name + " (ms)", constants);
  return variants;
}

/// What of the constants decides which launches there are: alike, their times are the same.
std::string launched_by(const StrategyConstants& constants) {
  const auto& jit = constants.jit;
  const auto& bucket = constants.bucket;
  std::string text = fmt::format("{} {} {} {} {}", jit.recompile_limit, jit.automatic_dynamic,
                                 jit.max_autotune, bucket.least, bucket.growth);
  for (std::int64_t size : bucket.sizes) text += " " + std::to_string(size);
  return text;
}

}  // namespace

std::vector<std::vector<StrategyFigures>> measure_stream(const StreamSetup& setup,
                                                         const std::string& name) {
  const Strategy& strategy = find_strategy(setup.options.strategy);
  const std::vector<std::string> features = names_of(features_of(setup.options));
  std::map<std::string, std::vector<LaunchBodies>> known;
  std::vector<std::vector<StrategyFigures>> all;
  std::optional<StrategyFigures::Decode> decode;
  for (std::size_t i = 0; i < setup.machines.size(); ++i) {
    all.emplace_back();
    RunOptions options = setup.options;
    const std::vector<std::string>& constants = setup.constants[i];
    options.sets.insert(options.sets.end(), constants.begin(), constants.end());
    for (const auto& [title, values] : variants_of(options, name)) {
      StrategyFigures figures =
          measure_once(setup, *setup.machines[i], values, known[launched_by(values)]);
      add_device(setup, *setup.machines[i], values, figures);
      figures.name = title;
      figures.strategy = setup.options.strategy;
      figures.features = features;
      if (strategy.path == CodePath::Bytecode && figures.refused.empty()) {
        if (!decode) measure_decode(setup, figures);
        if (!decode) decode = figures.decode;
        figures.decode = decode;
      }
      all.back().push_back(std::move(figures));
    }
  }
  return all;
}

bool same_cores(const Machine& a, const Machine& b) {
  Machine alike = b;
  alike.host = a.host;
  alike.launch.vector = a.launch.vector;
  alike.launch.cube = a.launch.cube;
  alike.launch.mix = a.launch.mix;
  alike.launch.native = a.launch.native;
  alike.launch.per_core = a.launch.per_core;
  alike.launch.stream_depth = a.launch.stream_depth;
  return hash_of(alike) == hash_of(a);
}

}  // namespace dvmsim
