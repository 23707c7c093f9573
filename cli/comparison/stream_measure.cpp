#include "cli/comparison/stream_measure.h"

#include <algorithm>
#include <new>

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

/// Runs the stream through one session.
class StreamRun {
 public:
  /// `known`: times of launches by shape; where it is empty they are simulated and noted in it.
  StreamRun(const StreamSetup& setup, const StrategyConstants& constants,
            std::vector<LaunchBodies>& known)
      : setup_(setup),
        device_(*setup.machines, sim_options(setup.options)),
        session_(*setup.graph, setup.machines->front(), device_,
                 options_of(setup.options, device_, constants)),
        known_(known),
        costs_(setup.machines->size()) {}

  void run(StrategyFigures& figures) {
    figures.shapes.resize(setup_.stream->shapes.size());
    figures.streams.resize(costs_);
    std::vector<bool> seen(figures.shapes.size(), false);
    for (int shape : setup_.stream->steps) {
      const auto at = static_cast<std::size_t>(shape);
      const std::vector<double> latency = step(at, figures, !seen[at]);
      for (std::size_t cost = 0; cost < costs_; ++cost) {
        figures.streams[cost].latency_us.push_back(latency[cost]);
      }
      if (!seen[at]) again(at, latency, figures.shapes[at]);
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
    }
    RunResult result = session_.run(dims, inputs);
    if (result.fault) throw Error("simulated fault: " + result.fault.text);
    return result;
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
      of.elements = result.elements;
      of.padded_elements = result.padded_elements;
    }
    return since(begin);
  }

  /// The same sizes once more, beside the stream.
  void again(std::size_t shape, const std::vector<double>& first, ShapeFigures& of) {
    of.first_us = first;
    device_.use(Account::Again);
    device_.play(known_[shape]);
    const auto begin = now();
    if (mode_of(setup_.options) == Mode::Functional) device_.simulate();
    (void)run_shape(shape);
    of.again_us = since(begin);
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
    return static_cast<double>(cycles.count()) * 1e6 /
           static_cast<double>(setup_.machines->front().clock.core.count());
  }

  const StreamSetup& setup_;
  TimedDevice device_;
  Session session_;
  std::vector<LaunchBodies>& known_;
  std::size_t costs_;
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

void measure_decode(const StreamSetup& setup, StrategyFigures& figures) {
  const int shape = middle_of(figures.shapes);
  Job job;
  job.graph = *setup.graph;
  job.dims = setup.stream->shapes[static_cast<std::size_t>(shape)];
  RunOptions options = setup.options;
  options.decode = true;
  options.critical_path = false;
  options.mode = Mode::Timing;
  const Execution execution = execute(job, setup.machines->front(), options, {});
  const auto& profiles = execution.report.firmware.by_profile;
  if (execution.fault || !profiles[0] || !profiles[1] || !profiles[2]) return;
  const double clock = execution.report.clock_mhz;
  StrategyFigures::Decode& decode = figures.decode.emplace();
  decode.shape = shape;
  decode.cycles_us = static_cast<double>(execution.report.cycles) / clock;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    decode.exposed_us[i] = static_cast<double>(profiles[i]->exposed_cycles) / clock;
  }
}

StrategyFigures measure_once(const StreamSetup& setup, const std::string& name,
                             const StrategyConstants& constants, std::vector<LaunchBodies>& known) {
  StrategyFigures figures;
  figures.name = name;
  figures.strategy = setup.options.strategy;
  try {
    figures.features = names_of(features_of(setup.options));
    known.resize(setup.stream->shapes.size());
    StreamRun(setup, constants, known).run(figures);
    const bool bytecode = find_strategy(figures.strategy).path == CodePath::Bytecode;
    if (setup.decode && bytecode) measure_decode(setup, figures);
  } catch (const Error& error) {
    figures.refused = error.what();
  } catch (const std::bad_alloc&) {
    figures.refused = "not enough memory";
  }
  return figures;
}

}  // namespace

std::vector<StrategyFigures> measure_stream(const StreamSetup& setup, const std::string& name) {
  StrategyConstants constants = constants_of(setup.options);
  std::vector<LaunchBodies> known;
  std::vector<StrategyFigures> all;
  if (!find_strategy(setup.options.strategy).specializes) {
    all.push_back(measure_once(setup, name, constants, known));
    return all;
  }
  for (const JitCompiler compiler : {JitCompiler::Published, JitCompiler::Measured}) {
    constants.jit.compiler = compiler;
    const char* suffix = compiler == JitCompiler::Published ? " (s)" : " (ms)";
    all.push_back(measure_once(setup, name + suffix, constants, known));
  }
  return all;
}

}  // namespace dvmsim
