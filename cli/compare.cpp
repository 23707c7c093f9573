// Strategies side by side: every workload of a study on every machine of it, as a stream of shapes.
#include <fmt/core.h>

#include <sys/wait.h>
#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/comparison/report.h"
#include "cli/execute.h"
#include "cli/features.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/strategy_constants.h"
#include "cli/stream/stream.h"
#include "cli/stream/stream_sizes.h"
#include "cli/study/machine_points.h"
#include "cli/study/study.h"
#include "cli/workers.h"
#include "cli/workload.h"
#include "compiler/graph/shape.h"
#include "traces/output.h"
#include "traces/perfetto.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr const char* kLaunchCosts[] = {"0us", "2us", "5us", "11us", "20us"};

/// A machine of the study at every launch cost, its own first.
struct ComparedMachine {
  std::string name{};
  std::vector<std::pair<std::string, std::string>> axes{};
  std::vector<Machine> at_cost{};
  std::vector<std::string> constants{};  // of strategies
};

std::vector<ComparedMachine> machines_of(Study study, const std::vector<std::string>& costs) {
  study.launch_costs.clear();
  std::vector<ComparedMachine> machines;
  for (const MachinePoint& point : machine_points(study)) {
    if (!point.refused.empty()) throw Error(study.file + ": " + point.refused);
    ComparedMachine machine;
    const std::string& name = study.hardware[static_cast<std::size_t>(point.hardware)].name;
    machine.name = name.empty() ? point.machine.name : name;
    for (std::size_t i = 0; i < point.axes.size(); ++i) {
      machine.axes.emplace_back(study.axes[i].name, point.axes[i]);
    }
    machine.constants = point.constants;
    machine.at_cost.push_back(point.machine);
    for (std::size_t i = 1; i < costs.size(); ++i) {
      Machine with = point.machine;
      for (const char* key : kLaunchKeys) apply_set(with, std::string(key) + "=" + costs[i]);
      check(with);
      machine.at_cost.push_back(std::move(with));
    }
    machines.push_back(std::move(machine));
  }
  return machines;
}

Graph graph_of(const StudyWorkload& work) {
  return work.model.empty() ? graph_of(work.op, work.op_shapes)
                            : load_model(work.model, work.floats);
}

ShapeStream stream_of(const std::vector<Bindings>& steps) {
  ShapeStream stream;
  for (const Bindings& step : steps) {
    auto found = std::find(stream.shapes.begin(), stream.shapes.end(), step);
    if (found == stream.shapes.end()) {
      stream.shapes.push_back(step);
      found = stream.shapes.end() - 1;
    }
    stream.steps.push_back(static_cast<int>(found - stream.shapes.begin()));
  }
  return stream;
}

/// The steps of the workload: the sizes it lists, or those of its stream file.
ShapeStream stream_of(const StudyWorkload& work, const Graph& graph) {
  if (!work.trace.empty()) {
    const RecordedSizes recorded = recorded_sizes(load_stream(work.trace), graph);
    ShapeStream stream = stream_of(recorded.steps);
    stream.state = recorded.state;
    stream.fresh = recorded.fresh;
    return stream;
  }
  std::vector<Bindings> steps;
  for (const DimSizes& sizes : work.sizes) {
    RunOptions options;
    options.dims = sizes;
    steps.push_back(bindings_of(graph, options, {}));
  }
  return stream_of(steps);
}

std::int64_t operators_of(const Graph& graph) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.op != Op::Reshape && node.op != Op::Identity &&
           info_of(node.op).pattern != Pattern::Host;
  });
}

struct ComparedWorkload {
  std::string name{}, kind{};
  Graph graph{};
  ShapeStream stream{};
  Mode mode = Mode::Timing;
  std::int64_t seed = 1;
};

std::vector<ComparedWorkload> workloads_of(const Study& study) {
  std::vector<ComparedWorkload> workloads;
  for (const StudyWorkload& work : study.workloads) {
    try {
      ComparedWorkload each{work.name, work.kind, infer_shapes(graph_of(work)),
                            {},        work.mode, work.seed};
      each.stream = stream_of(work, each.graph);
      workloads.push_back(std::move(each));
    } catch (const Error& error) {
      throw Error(study.file + ":" + std::to_string(work.line) + ": " + error.what());
    }
  }
  return workloads;
}

/// What of the machine's host model every strategy rests on.
std::vector<std::string> assumed_host(const Machine& machine) {
  std::vector<std::string> texts;
  for (const char* key : {"host.capture", "host.submit"}) {
    texts.push_back(std::string(key) + "=" + value_of(machine, key));
  }
  return texts;
}

/// Everything that is to be compared, and one task for each machine, workload and strategy.
class ComparisonRun {
 public:
  ComparisonRun(const CompareOptions& options, Study study)
      : study_(std::move(study)),
        constants_(constants_from(options.strategies, options.sets)),
        strategies_file_(options.strategies),
        sets_(options.sets) {
    report_.study = std::filesystem::path(study_.file).filename().string();
    report_.title = study_.title;
    report_.view = options.view.value_or(study_.view);
    report_.launch_costs = {"own"};
    if (study_.launch_costs.empty()) {
      for (const char* cost : kLaunchCosts) report_.launch_costs.emplace_back(cost);
    } else {
      report_.launch_costs.insert(report_.launch_costs.end(), study_.launch_costs.begin(),
                                  study_.launch_costs.end());
    }
    report_.constants = constants_.all;
    report_.not_modelled = not_modelled();
    machines_ = machines_of(study_, report_.launch_costs);
    workloads_ = workloads_of(study_);
    for (const StudyStrategy& strategy : study_.strategies) check_strategy(strategy);
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      const auto alike = std::find_if(groups_.begin(), groups_.end(), [&](const auto& group) {
        return same_cores(machines_[group.front()].at_cost[0], machines_[i].at_cost[0]);
      });
      if (alike == groups_.end()) {
        groups_.push_back({i});
      } else {
        alike->push_back(i);
      }
    }
  }

  ComparisonReport run(int jobs) {
    const std::size_t count = groups_.size() * workloads_.size() * study_.strategies.size();
    std::vector<std::string> results(count);
    Progress progress;
    progress.expect(static_cast<std::int64_t>(count), false);
    Work work;
    work.task = [&](std::size_t index) { return measure(index); };
    work.done = [&](std::size_t index, const std::string& result) {
      results[index] = result;
      progress.step(name_of(index));
    };
    work.lost = [&](std::size_t index, int status) {
      const std::string how =
          WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status)) : "itself";
      throw Error(fmt::format("{}: its process was ended by {}", name_of(index), how));
    };
    run_in_workers(count, worker_count(jobs), work);
    collect(results);
    return std::move(report_);
  }

  /// The first run of the first workload on the first machine, a lane for each strategy that runs
  /// it.
  void trace(OutputFile& file) const {
    const Machine& machine = machines_.front().at_cost.front();
    const ComparedWorkload& workload = workloads_.front();
    Job job;
    job.name = workload.name;
    job.graph = workload.graph;
    job.dims = workload.stream.shapes.front();
    PerfettoOptions drawing;
    drawing.clock_hz = machine.clock.core.count();
    drawing.machine = machine.name;
    for (const StudyStrategy& strategy : study_.strategies) {
      RunOptions options = options_of(strategy);
      options.mode = Mode::Timing;
      options.decode = options.critical_path = false;
      ++drawing.lane.number;
      drawing.lane.name = strategy.name;
      try {
        Perfetto lane(drawing, file);
        (void)execute(job, machine, options, {&lane});
        lane.close();
      } catch (const Error& error) {
        fmt::print(stderr, "dvmsim: {} has no lane in the trace: {}\n", strategy.name,
                   error.what());
      }
    }
  }

 private:
  struct Task {
    std::size_t group, workload, strategy;
  };
  [[nodiscard]] Task task_of(std::size_t index) const {
    const std::size_t strategies = study_.strategies.size();
    return {index / strategies / workloads_.size(), index / strategies % workloads_.size(),
            index % strategies};
  }
  [[nodiscard]] std::string name_of(std::size_t index) const {
    const Task task = task_of(index);
    return workloads_[task.workload].name + " " + study_.strategies[task.strategy].name;
  }

  static std::string key_of(const std::string& set) { return set.substr(0, set.find('=')); }
  /// What the machine's point sets of the constants that the strategy rests on.
  [[nodiscard]] std::vector<std::string> constants_of(std::size_t machine,
                                                      const std::string& strategy) const {
    std::vector<std::string> sets;
    for (const std::string& set : machines_[machine].constants) {
      if (rests_on(strategy, key_of(set))) sets.push_back(set);
    }
    return sets;
  }

  [[nodiscard]] RunOptions options_of(const StudyStrategy& strategy) const {
    RunOptions options;
    options.strategy = strategy.strategy;
    options.strategies = strategies_file_;
    options.sets = strategy.sets;
    for (const std::string& set : sets_) {
      if (rests_on(strategy.strategy, key_of(set))) options.sets.push_back(set);
    }
    options.features = strategy.features;
    options.tiling = strategy.tiling;
    options.cores = strategy.cores;
    options.memory = study_.memory;
    options.warm_l2 = study_.warm_l2;
    return options;
  }

  void check_strategy(const StudyStrategy& strategy) const {
    try {
      (void)features_of(options_of(strategy));
    } catch (const Error& error) {
      throw Error(study_.file + ":" + std::to_string(strategy.line) + ": " + error.what());
    }
  }

  /// The figures of a task: for each machine of the group how many, and each with its length.
  std::string measure(std::size_t index) const {
    const Task task = task_of(index);
    const ComparedWorkload& workload = workloads_[task.workload];
    const StudyStrategy& strategy = study_.strategies[task.strategy];
    StreamSetup setup;
    setup.graph = &workload.graph;
    setup.stream = &workload.stream;
    for (std::size_t machine : groups_[task.group]) {
      setup.machines.push_back(&machines_[machine].at_cost);
      setup.constants.push_back(constants_of(machine, strategy.strategy));
    }
    setup.options = options_of(strategy);
    setup.options.mode = workload.mode;
    setup.options.seed = workload.seed;
    setup.device = report_.view == CompareView::Device;
    std::string text;
    for (const auto& of_machine : measure_stream(setup, strategy.name)) {
      text += std::to_string(of_machine.size()) + " ";
      for (const StrategyFigures& figures : of_machine) {
        const std::string one = figures.to_text();
        text += std::to_string(one.size()) + " " + one;
      }
    }
    return text;
  }

  ComparedCase empty_case(std::size_t machine, std::size_t workload) const {
    ComparedCase fresh;
    fresh.machine = machines_[machine].name;
    fresh.axes = machines_[machine].axes;
    fresh.clock_mhz = static_cast<double>(machines_[machine].at_cost[0].clock.core.count()) / 1e6;
    fresh.workload = workloads_[workload].name;
    fresh.kind = workloads_[workload].kind;
    fresh.operators = operators_of(workloads_[workload].graph);
    fresh.stream = workloads_[workload].stream;
    return fresh;
  }

  void collect(const std::vector<std::string>& results) {
    for (std::size_t machine = 0; machine < machines_.size(); ++machine) {
      for (std::size_t i = 0; i < workloads_.size(); ++i) {
        report_.cases.push_back(empty_case(machine, i));
      }
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Task task = task_of(i);
      std::size_t at = 0;
      const auto number = [&] {
        const std::size_t begin = at;
        at = results[i].find(' ', begin) + 1;
        return std::stoul(results[i].substr(begin, at - 1 - begin));
      };
      for (std::size_t machine : groups_[task.group]) {
        ComparedCase& into = report_.cases[machine * workloads_.size() + task.workload];
        for (std::size_t left = number(); left > 0; --left) {
          const std::size_t size = number();
          into.strategies.push_back(
              figures_from(results[i].substr(at, size), machine, study_.strategies[task.strategy]));
          at += size;
        }
      }
    }
  }

  StrategyFigures figures_from(const std::string& text, std::size_t machine,
                               const StudyStrategy& strategy) const {
    StrategyFigures figures = StrategyFigures::from_text(text);
    figures.assumed = constants_.with(strategy.sets)
                          .with(constants_of(machine, strategy.strategy))
                          .assumed_of(strategy.strategy);
    const auto host = assumed_host(machines_[machine].at_cost[0]);
    figures.assumed.insert(figures.assumed.end(), host.begin(), host.end());
    return figures;
  }

  Study study_;
  ConstantsFile constants_;
  std::string strategies_file_;
  std::vector<std::string> sets_;
  std::vector<ComparedMachine> machines_{};
  std::vector<std::vector<std::size_t>> groups_{};  // of machines whose cores work alike
  std::vector<ComparedWorkload> workloads_{};
  ComparisonReport report_{};
};

bool nothing_ran(const ComparisonReport& report) {
  return std::all_of(report.cases.begin(), report.cases.end(), [](const ComparedCase& each) {
    return std::all_of(each.strategies.begin(), each.strategies.end(),
                       [](const StrategyFigures& one) { return !one.refused.empty(); });
  });
}

}  // namespace

int compare(const CompareOptions& options) {
  ComparisonRun run(options, load_study(options.study));
  std::optional<OutputFile> json, csv, trace;
  std::optional<PageFile> page;
  if (!options.json.empty() && options.json != "-") json.emplace(options.json);
  if (!options.csv.empty()) csv.emplace(options.csv);
  if (!options.html.empty()) page.emplace(options.html);
  if (!options.trace.empty()) trace.emplace(options.trace);
  const ComparisonReport report = run.run(options.jobs);
  if (csv) {
    csv->write(to_csv(report));
    csv->commit();
  }
  if (json) {
    json->write(to_json(report));
    json->commit();
  }
  if (page) page->write(to_json(report));
  if (trace) {
    run.trace(*trace);
    trace->commit();
  }
  if (options.json == "-") {
    fmt::print("{}", to_json(report));
  } else {
    fmt::print("{}", summary(report));
    for (const auto* file : {&json, &csv, &trace}) {
      if (*file) fmt::print("written: {}\n", (*file)->path());
    }
    if (page) fmt::print("written: {}\n", page->path());
  }
  return nothing_ran(report) ? kCheckFailed : kGood;
}

}  // namespace dvmsim
