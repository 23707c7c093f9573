#include <fmt/core.h>

#include <filesystem>
#include <string_view>

#include "cli/commands.h"
#include "cli/features.h"
#include "cli/files.h"
#include "cli/job.h"
#include "cli/machine.h"
#include "cli/strategy_constants.h"
#include "cli/workload.h"
#include "compiler/codegen/compile.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
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

}  // namespace

int compile_model(const CommandLine& line) {
  const RunOptions& options = line.run;
  const Features features = features_of(options);
  const Machine machine = machine_from(options.hardware, machine_sets(options.sets));
  const Strategy& strategy = find_strategy(options.strategy);
  if (strategy.captures) {
    throw Error("--strategy " + options.strategy +
                ": compiles what it captures while it runs; run the model instead");
  }
  const Graph written = load_model(options.model, options.floats, known_inputs(options));
  const Graph graph = bind_symbols(infer_shapes(written), bindings_of(written, options, {}));
  if (line.dump == Dump::Graph) {
    fmt::print("{}", print_graph(graph, {true, true}));
    return kGood;
  }
  const StagePlan plan = plan_stage(graph);
  if (!plan.whole) {
    throw Error(options.model + ": " + driven_by(plan) +
                ": what follows depends on values, so the host drives the model; run it instead");
  }
  std::string schedules, groups;
  CompileOptions how;
  how.fusion = strategy.fusion;
  how.features = features;
  how.path = path_of(strategy, features);
  how.machine_hash = hash_of(machine);
  how.tiling = parse_tiling(options.tiling).value_or(Tiling::Cost);
  how.cores = options.cores;
  how.schedules = &schedules;
  how.groups = &groups;
  CompileWork work;
  Module module = compile(graph, as_planned(machine, how.path), how, &work);
  module.strategy = std::string(strategy.name);
  if (!line.output.empty()) {
    const auto bytes = save(module);
    write_file(line.output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  switch (line.dump) {
    case Dump::Groups:
      fmt::print("{}", groups);
      break;
    case Dump::Schedule:
      fmt::print("{}", schedules);
      break;
    case Dump::Bytecode:
      fmt::print("{}", bytecode_text(module));
      break;
    default:
      fmt::print("{}", overview(module, work));
  }
  return kGood;
}

}  // namespace dvmsim
