#include "cli/sweep_point.h"

#include <new>

#include "cli/features.h"
#include "cli/stream/stream_run.h"
#include "cli/workload.h"
#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Graph graph_of(const StudyWorkload& work) {
  return work.model.empty() ? graph_of(work.op, work.op_shapes)
                            : load_model(work.model, work.floats);
}

}  // namespace

PointRunner::PointRunner(const SweepPlan& plan) : plan_(plan) {
  for (const StudyWorkload& work : plan.study.workloads) {
    try {
      Job job;
      job.name = work.name;
      job.graph = graph_of(work);
      jobs_.push_back(std::move(job));
    } catch (const Error& error) {
      throw Error(plan.study.file + ":" + std::to_string(work.line) + ": " + error.what());
    }
  }
  // What is wrong at every point is wrong once.
  for (const StudyStrategy& strategy : plan.study.strategies) {
    RunOptions options;
    options.strategy = strategy.strategy;
    options.features = strategy.features;
    try {
      (void)features_of(options);
    } catch (const Error& error) {
      throw Error(plan.study.file + ":" + std::to_string(strategy.line) + ": " + error.what());
    }
  }
}

RunOptions PointRunner::options_of(const SweepPoint& point) const {
  const Study& study = plan_.study;
  const StudyStrategy& strategy = study.strategies[plan_.designs[point.design].strategy];
  const SweepCase& at = plan_.cases[point.at];
  const StudyWorkload& work = study.workloads[at.workload];
  RunOptions options;
  options.dims = at.dims;
  options.mode = work.mode;
  options.seed = work.seed;
  options.strategy = strategy.strategy;
  options.sets = plan_.constants(plan_.designs[point.design]);
  options.features = strategy.features;
  options.tiling = strategy.tiling;
  options.cores = strategy.cores;
  options.memory = study.memory;
  options.warm_l2 = study.warm_l2;
  options.repeat = study.repeat;
  options.decode = study.decode;
  options.critical_path = false;
  return options;
}

PointResult PointRunner::run_stream(const SweepPoint& point) const {
  const std::size_t workload = plan_.cases[point.at].workload;
  const Stream stream = load_stream(plan_.study.workloads[workload].trace);
  const RunOptions options = options_of(point);
  StreamRun run(*jobs_[workload].graph, stream, plan_.machine(plan_.designs[point.design]),
                options);
  PointResult result{PointResult::Status::Ok, "", {}};
  for (const StreamStep& step : steps_of(stream)) {
    Fault fault;
    const StreamReport::Step row = run.run(step, {}, fault);
    if (fault) return {PointResult::Status::Fault, fault.text, {}};
    const std::pair<const char*, double> figures[] = {
        {"cycles", static_cast<double>(row.cycles)},
        {"e2e_us", row.e2e_us},
        {"task_us", row.task_us},
        {"host.compile_us", row.compile_us},
        {"host.encode_us", row.encode_us},
        {"host.launches", static_cast<double>(row.launches)}};
    for (const auto& [name, value] : figures) result.figures[name] += value;
  }
  return result;
}

PointResult PointRunner::run(const SweepPoint& point) {
  using Status = PointResult::Status;
  try {
    if (!plan_.study.workloads[plan_.cases[point.at].workload].trace.empty()) {
      return run_stream(point);
    }
    const RunOptions options = options_of(point);
    Job& job = jobs_[plan_.cases[point.at].workload];
    job.inputs = read_inputs(*job.graph, options);
    job.dims = bindings_of(*job.graph, options, job.inputs);
    if (options.mode == Mode::Functional) {
      add_missing_inputs(job.inputs, *job.graph, job.dims, options.seed);
    }
    const Machine& machine = plan_.machine(plan_.designs[point.design]);
    const Execution execution = execute(job, machine, options, {});
    if (execution.fault) return {Status::Fault, execution.fault.text, {}};
    return {Status::Ok, "", figures_of(execution.report)};
  } catch (const Error& error) {
    return {Status::Refused, error.what(), {}};
  } catch (const std::bad_alloc&) {
    return {Status::Refused, "not enough memory", {}};
  }
}

}  // namespace dvmsim
