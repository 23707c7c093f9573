#include <fmt/core.h>

#include <chrono>
#include <filesystem>
#include <string_view>

#include "cli/commands.h"
#include "cli/features.h"
#include "cli/job.h"
#include "cli/machine.h"
#include "cli/pass_report.h"
#include "cli/remarks_json.h"
#include "cli/schedule_file.h"
#include "cli/strategy_constants.h"
#include "cli/text/files.h"
#include "cli/workload.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"
#include "compiler/runtime/stage.h"
#include "compiler/runtime/strategy/strategy.h"
#include "vm/base/error.h"
#include "vm/firmware/mode.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

std::string bytecode_text(const Module& module) {
  std::string text;
  for (const Program& program : module.programs) text += isa::disassemble(program) + "\n";
  return text;
}

std::string overview(const Module& module, const CompileWork& work) {
  std::int64_t bytes = 0;
  for (const Program& program : module.programs) bytes += program.bytes();
  return fmt::format("{}: {} nodes in {} launches; {} programs, {} bytes; workspace {} bytes\n",
                     module.name, work.nodes, module.steps.size(), module.programs.size(), bytes,
                     module.workspace_bytes);
}

/// A graph that the device can run in one module.
Graph whole_graph(const RunOptions& options) {
  const Graph written = load_model(options.model, options.floats, known_inputs(options));
  return bind_symbols(infer_shapes(written), bindings_of(written, options, {}));
}

/// What is collected while compiling, for people.
struct Collected {
  explicit Collected(Dump dump) : passes(dump == Dump::Changes) {}
  PassReport passes;
  std::string schedules{}, groups{};
  std::vector<GraphRemarks> remarks{};
  std::vector<ScheduleDecision> decisions{};
};

CompileOptions options_of(const RunOptions& options, const CompileViews& views,
                          ScheduleOverrides& overrides, Collected& collected) {
  const Strategy& strategy = find_strategy(options.strategy);
  CompileOptions how;
  how.fusion = strategy.fusion;
  how.features = features_of(options);
  how.path = path_of(strategy, how.features);
  how.tiling = parse_tiling(options.tiling).value_or(Tiling::Cost);
  how.cores = options.cores;
  how.overrides = &overrides;
  const Dump dump = views.dump;
  if (views.time_passes || dump == Dump::Passes || dump == Dump::Changes) {
    how.observer = collected.passes.observer();
  }
  if (dump == Dump::Schedule) how.schedules = &collected.schedules;
  if (dump == Dump::Groups) how.groups = &collected.groups;
  if (dump == Dump::Remarks || !views.remarks.empty()) how.remarks = &collected.remarks;
  if (dump == Dump::Overrides) how.decisions = &collected.decisions;
  return how;
}

/// Compiles, and measures what takes long beside the passes.
Module compile_timed(const Graph& graph, const Machine& machine, const CompileOptions& how,
                     CompileWork& work, PassReport& passes) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::chrono::nanoseconds in_passes{};
  CompileOptions timed = how;
  if (how.observer) {
    timed.observer = [&](const PassStep& step) {
      in_passes += step.time;
      how.observer(step);
    };
  }
  Plan plan(graph, {}, machine, timed);
  const auto planned = Clock::now();
  passes.add_time("fuse, lower", planned - start - in_passes);
  Module module = plan.compile(&work);
  passes.add_time("schedule, encode", Clock::now() - planned);
  return module;
}

void show(const CompileViews& views, const Collected& collected, const Module& module,
          const CompileWork& work) {
  if (views.time_passes) fmt::print(stderr, "{}", collected.passes.times());
  switch (views.dump) {
    case Dump::Passes:
      fmt::print("{}", collected.passes.table());
      break;
    case Dump::Changes:
      fmt::print("{}", collected.passes.changes());
      break;
    case Dump::Groups:
      fmt::print("{}", collected.groups);
      break;
    case Dump::Remarks:
      fmt::print("{}", to_text(collected.remarks));
      break;
    case Dump::Schedule:
      fmt::print("{}", collected.schedules);
      break;
    case Dump::Overrides:
      fmt::print("{}", to_yaml(collected.decisions));
      break;
    case Dump::Bytecode:
      fmt::print("{}", bytecode_text(module));
      break;
    case Dump::None:
    case Dump::Graph:
      if (views.remarks != "-") fmt::print("{}", overview(module, work));
  }
}

}  // namespace

int compile_model(const CommandLine& line) {
  const RunOptions& options = line.run;
  const Machine machine = machine_from(options.hardware, machine_sets(options.sets));
  if (find_strategy(options.strategy).captures) {
    throw Error("--strategy " + options.strategy +
                ": compiles what it captures while it runs; run the model instead");
  }
  if (line.views.remarks == "-" && line.views.dump != Dump::None) {
    throw Error("--remarks -: standard output is for one thing; leave out --dump");
  }
  Collected collected(line.views.dump);
  ScheduleOverrides overrides = load_overrides(options);
  CompileOptions how = options_of(options, line.views, overrides, collected);
  how.machine_hash = hash_of(machine);
  const Graph graph = whole_graph(options);
  if (line.views.dump == Dump::Graph) {
    fmt::print("{}", print_graph(graph, {true, true}));
    return kGood;
  }
  const StagePlan plan = plan_stage(graph);
  if (!plan.whole) {
    throw Error(options.model + ": " + driven_by(plan) +
                ": what follows depends on values, so the host drives the model; run it instead");
  }
  CompileWork work;
  Module module = compile_timed(graph, as_planned(machine, how.path), how, work, collected.passes);
  check_used(overrides);
  module.strategy = options.strategy;
  const bool may_enable = how.path == CodePath::Bytecode;
  if (!collected.remarks.empty() && may_enable) {
    note_attention(collected.remarks.front(), graph, {machine, how.features});
  }
  if (!line.output.empty()) {
    const auto bytes = save(module);
    write_file(line.output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  if (!line.views.remarks.empty()) {
    const std::string name = std::filesystem::path(options.model).filename().string();
    const std::string json = to_json(name, collected.remarks);
    if (line.views.remarks == "-") {
      fmt::print("{}", json);
    } else {
      write_file(line.views.remarks, json);
    }
  }
  show(line.views, collected, module, work);
  return kGood;
}

}  // namespace dvmsim
