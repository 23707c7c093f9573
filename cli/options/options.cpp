#include "cli/options/options.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "cli/options/compare.h"
#include "cli/options/reduce.h"
#include "cli/options/regress.h"
#include "cli/options/sweep.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr const char* kVersion = "dvmsim 0.1";

/// The texts of a command line, before they are understood.
struct Raw {
  RunOptions run{};
  std::vector<std::string> dims{}, shapes{}, inputs{}, scalars{}, op_shapes{}, attributes{};
  std::string features{}, mode{}, memory{"detailed"}, l2{"cold"}, check{"none"}, decode{"all"},
      path{"all"};
  std::string level{"instruction"}, window{}, dtype{"f16"}, floats{}, dump{};
};

constexpr const char* kFloatsHelp = "compute the model's f32 in this type: f16 or bf16";

void understand_strategy(RunOptions& run, const Raw& raw) {
  if (!raw.floats.empty()) run.floats = parse_floats(raw.floats, "--dtype");
  check_strategy(run.strategy, "--strategy");
  if (!run.tiling.empty()) check_tiling(run.tiling, "--tiling");
  run.features = parse_features(raw.features, "--feature");
}

void understand_stream(const RunOptions& run) {
  if (run.detail && !run.stream.empty()) throw Error("--detail: of one run; leave out --stream");
  if (run.detail && run.json.empty()) throw Error("--detail: goes into a report; give --json too");
  if (run.csv.empty() || !run.stream.empty()) return;
  throw Error("--csv: a table of a stream's steps; give --stream too");
}

void understand_run(RunOptions& run, const Raw& raw) {
  understand_stream(run);
  run.memory = parse_memory(raw.memory, "--memory");
  run.warm_l2 = parse_l2(raw.l2, "--l2");
  run.check = choose<bool>("--check", raw.check, {{"none", false}, {"eval", true}});
  run.decode = choose<bool>("--decode", raw.decode, {{"all", true}, {"none", false}});
  run.critical_path = choose<bool>("--critical-path", raw.path, {{"all", true}, {"none", false}});
  if (!raw.mode.empty()) run.mode = parse_mode(raw.mode, "--mode");
  run.trace_level = choose<TraceLevel>("--trace-level", raw.level,
                                       {{"op", TraceLevel::Op},
                                        {"tile", TraceLevel::Tile},
                                        {"instruction", TraceLevel::Instruction}});
  understand_strategy(run, raw);
  for (const std::string& text : raw.dims) {
    const auto [name, size] = parse_named(text, "--dim");
    const std::int64_t value = parse_integer(size, "--dim " + name);
    if (value < 0) throw Error("--dim " + text + ": a size cannot be negative");
    run.dims.emplace_back(name, value);
  }
  for (const std::string& text : raw.shapes) {
    const auto [name, shape] = parse_named(text, "--shape");
    run.shapes.emplace_back(name, parse_shape(shape, "--shape " + name));
  }
  for (const std::string& text : raw.scalars) {
    const auto [name, value] = parse_named(text, "--arg");
    run.scalars.emplace_back(name, parse_integer(value, "--arg " + name));
  }
  for (const std::string& text : raw.inputs) run.inputs.push_back(parse_named(text, "--input"));
  if (!raw.window.empty()) {
    const auto ends = split(raw.window, ':');
    if (ends.size() != 2) throw Error("--trace-window " + raw.window + ": write FROM:TO in cycles");
    run.trace_window = {parse_integer(ends[0], "--trace-window"),
                        parse_integer(ends[1], "--trace-window")};
  }
  if (run.mode == Mode::Timing) {
    if (run.check) throw Error("--check eval: timing mode has no values; use --mode functional");
    if (!run.output.empty())
      throw Error("--output: timing mode has no values; use --mode functional");
  }
}

void understand_op(OpOptions& op, const Raw& raw) {
  for (const std::string& text : raw.op_shapes) op.shapes.push_back(parse_shape(text, "SHAPE"));
  for (const std::string& text : raw.attributes) {
    op.attributes.push_back(parse_named(text, "--attr"));
  }
  const auto dtype = parse_dtype(raw.dtype);
  if (!dtype) throw Error("--dtype " + raw.dtype + ": unknown; use f16, bf16, f32, i8 ...");
  op.dtype = *dtype;
}

void add_machine(CLI::App& app, Raw& raw) {
  app.add_option("--hw", raw.run.hardware, "hardware file (default: the built-in Ascend 910B1)");
  app.add_option("--set", raw.run.sets, "change a parameter, key=value with its unit")
      ->allow_extra_args(false);
}

void add_compile(CLI::App& app, Raw& raw) {
  add_machine(app, raw);
  app.add_option("--dim", raw.dims, "size of a symbolic dimension, name=N")
      ->allow_extra_args(false);
  app.add_option("--shape", raw.shapes, "shape of an input, name=2x3x48")->allow_extra_args(false);
  app.add_option("--strategy", raw.run.strategy, kStrategiesHelp)->capture_default_str();
  app.add_option("--strategies", raw.run.strategies, kConstantsHelp);
  app.add_option("--feature", raw.features, "switch features, +name,-name");
  app.add_option("--tiling", raw.run.tiling,
                 "cost, or a rule of DVM's: dvm, dvm-v1, dvm-v2, dvm-v3 (default: cost)");
  app.add_option("--schedule", raw.run.schedule,
                 "YAML of what to decide instead of the compiler: tiles, fusion (compile --dump "
                 "overrides writes one)");
  app.add_option("--cores", raw.run.cores, "cube cores to use, vector cores in proportion (0: all)")
      ->check(CLI::NonNegativeNumber);
}

void add_stream(CLI::App& app, Raw& raw) {
  app.add_option("--dtype", raw.floats, kFloatsHelp);
  app.add_option("--stream", raw.run.stream, "file of a stream of inputs, run one after another");
  app.add_option("--csv", raw.run.csv, "table of the stream's steps to write");
}

/// What a simulation depends on beside the model and the compiler.
void add_simulation(CLI::App& app, Raw& raw) {
  app.add_option("--seed", raw.run.seed, "of inputs not given")->capture_default_str();
  app.add_option("--mode", raw.mode, "functional or timing (no values, same cycles)");
  app.add_option("--memory", raw.memory, "ideal, closed-form or detailed")->capture_default_str();
  app.add_option("--l2", raw.l2, "cold or warm at the start")->capture_default_str();
}

void add_run(CLI::App& app, Raw& raw) {
  add_compile(app, raw);
  add_simulation(app, raw);
  app.add_option("--input", raw.inputs, "values of an input, name=FILE.npy")
      ->allow_extra_args(false);
  app.add_option("--known", raw.run.known,
                 "an input of --input whose values an ONNX model is compiled for: axes, sizes");
  app.add_option("--output", raw.run.output, "folder for the outputs as .npy");
  app.add_option("--bypass", raw.run.bypass, "input, constant or output that L2 does not keep; all")
      ->allow_extra_args(false);
  app.add_option("--repeat", raw.run.repeat, "run so often; the last is reported")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--workers", raw.run.workers, "threads that compute values beside the simulation")
      ->check(CLI::Range(0, 2))
      ->capture_default_str();
  app.add_option("--check", raw.check, "none, or eval: compare with the graph's definition")
      ->capture_default_str();
  app.add_option("--decode", raw.decode, "all: run again without values for exposed decode; none")
      ->capture_default_str();
  app.add_option("--critical-path", raw.path,
                 "all: the longest chain of work and waits, and what a faster pipe gains; none")
      ->capture_default_str();
  app.add_option("--trace", raw.run.trace, "Perfetto trace to write, .pftrace or .pftrace.gz");
  app.add_option("--trace-level", raw.level, "op, tile or instruction")->capture_default_str();
  app.add_option("--trace-window", raw.window, "only these cycles, FROM:TO");
  app.add_option("--trace-budget", raw.run.trace_budget, "most slices in the trace")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--json", raw.run.json, "report to write; - for standard output alone");
  app.add_option("--html", raw.run.html, "report as one HTML page to write");
  app.add_flag("--detail", raw.run.detail,
               "put the timeline and the listing of the page into --json too");
}

void add_op(CLI::App& app, OpOptions& op, Raw& raw) {
  app.add_option("OP", op.op, "as in the text form: matmul, softmax, add ...")->required();
  app.add_option("SHAPE", raw.op_shapes, "shapes of the inputs as stored, 128x256")->required();
  app.add_option("--dtype", raw.dtype, "of the inputs")->capture_default_str();
  app.add_option("--attr", raw.attributes, "attribute, name=value")->allow_extra_args(false);
  app.add_flag("--trans-a", op.trans_a, "the first input is stored transposed");
  app.add_flag("--trans-b", op.trans_b, "the second input is stored transposed");
  add_run(app, raw);
}

void add_table(CLI::App& app, TableOptions& from) {
  app.add_option("--hw", from.hardware, "hardware file for every case, instead of its own");
  app.add_option("--set", from.sets, "change a parameter in every case, key=value with its unit")
      ->allow_extra_args(false);
  app.add_option("--memory", from.memory,
                 "memory model of every case: ideal, closed-form or detailed")
      ->check(CLI::IsMember({"ideal", "closed-form", "detailed"}));
  app.add_option("--group", from.groups, "only rows of this group")->allow_extra_args(false);
  app.add_option("--id", from.ids, "only the row of this id")->allow_extra_args(false);
  app.add_option("--tolerance", from.tolerance, "of rows that state none, as 5%");
  app.add_option("--jobs", from.jobs, "worker processes (0: one per processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

constexpr const char* kValidateFooter =
    "A table is a CSV file with the columns id, group, chip, hardware, case, reference, metric,\n"
    "measured, unit, tolerance, gate, source, note (needed: id, case, metric, measured). A case "
    "is\n"
    "a command line: 'op matmul 256x512 512x128 --l2 warm' or 'run loop.s --arg n=5'; paths are\n"
    "relative to the table. A metric is a figure of the JSON report (task_us, core_us, cycles,\n"
    "aic_us, aic_mac_us, aic_mte2_us, aiv_vec_us ...) or an expression of them, such as\n"
    "aiv_vec_us*clock_mhz/200; ref.NAME is a figure of the reference run. 'gate' is yes, or why "
    "the\n"
    "row is only listed. An op_summary CSV of msprof is understood as it is.\n"
    "Exit code 1: a gated row or group is beyond its tolerance.";

void add_validate(CLI::App& app, ValidateOptions& options) {
  app.add_option("TABLE", options.from.table, "measurements (default: the published ones)");
  add_table(app, options.from);
  app.add_option("--json", options.json, "all rows and groups to a file; - for standard output");
  app.add_option("--plot", options.plot, "scatter of simulated against measured, as SVG");
  app.add_flag("--failures", options.failures_only, "print only rows beyond their tolerance");
  app.add_flag("--ablate", options.ablate,
               "switch each mechanism off in turn: what it buys, group by group");
  app.add_option("--mechanisms", options.ablation, "YAML list for --ablate (default: ours)");
  app.add_option("--sensitivity", options.sensitivity,
                 "the N parameters that move each case most when changed by 10 %")
      ->check(CLI::PositiveNumber);
  app.footer(kValidateFooter);
}

void add_fit(CLI::App& app, FitOptions& options) {
  app.add_option("TABLE", options.from.table, "measurements, as for validate")->required();
  add_table(app, options.from);
  app.add_option("--parameter", options.parameters,
                 "parameter to fit, key or key=low:high (default: half to twice)")
      ->allow_extra_args(false)
      ->required();
  app.add_option("--folds", options.folds, "parts for cross-validation; 1: none")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--rounds", options.rounds, "most rounds over all parameters")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--base", options.base,
                 "hardware file to begin with and to build on (default: that of the rows)");
  app.add_option("-o,--output", options.output, "hardware file to write")->required();
  app.footer(
      "Only gated rows are fitted. Each fold is held out once: its error with the parameters "
      "found\n"
      "on the others says how well they carry over. The file holds what fits all rows best.");
}

/// `config check` and `config show`.
std::pair<CLI::App*, CLI::App*> add_config(CLI::App& app, Raw& raw, CommandLine& line) {
  auto* config = app.add_subcommand("config", "hardware files");
  config->require_subcommand(1);
  auto* check = config->add_subcommand("check", "load a hardware file and say what is wrong");
  auto* show = config->add_subcommand("show", "print a hardware file in full, and its peaks");
  check->add_option("FILE", line.file, "hardware file")->required();
  show->add_option("FILE", line.file, "hardware file (default: the built-in Ascend 910B1)");
  show->add_flag("--json", line.as_json, "as JSON");
  for (auto* each : {check, show}) {
    each->add_option("--set", raw.run.sets, "change a parameter, key=value")
        ->allow_extra_args(false);
  }
  return {check, show};
}

void add_views(CLI::App& app, CompileViews& views, Raw& raw) {
  app.add_option("--dump", raw.dump,
                 "graph, passes (what each did), changes (the graph after each that changed it), "
                 "groups, remarks (of every edge: fused, or why not), schedule, overrides (a file "
                 "for --schedule) or bytecode");
  app.add_option("--remarks", views.remarks,
                 "the remarks as JSON to a file; - for standard output");
  app.add_flag("--time-passes", views.time_passes, "measured times to standard error");
}

Dump parse_dump(const std::string& text) {
  return choose<Dump>("--dump", text,
                      {{"graph", Dump::Graph},
                       {"passes", Dump::Passes},
                       {"changes", Dump::Changes},
                       {"groups", Dump::Groups},
                       {"remarks", Dump::Remarks},
                       {"schedule", Dump::Schedule},
                       {"overrides", Dump::Overrides},
                       {"bytecode", Dump::Bytecode}});
}

CLI::App* add_report(CLI::App& app, CommandLine& line) {
  auto* report = app.add_subcommand("report", "show a JSON report as an HTML page");
  report->add_option("FILE", line.file, "what --json has written")->required();
  report->add_option("--html", line.output, "page to write")->required();
  return report;
}

CLI::App* add_bench_compile(CLI::App& bench, CommandLine& line) {
  auto* compile = bench.add_subcommand("compile", "how long compiling takes, in percentiles");
  compile->add_option("--only", line.bench.only, "cases that have this in their name");
  compile->add_option("--strategy", line.bench.strategy, "whose features: dvm or resident")
      ->check(CLI::IsMember({"dvm", "resident"}));
  compile->add_flag("--instructions", line.bench.instructions,
                    "count the processor's instructions too, step by step: slow");
  return compile;
}

}  // namespace

Parsed parse_command_line(int argc, const char* const* argv) {
  using Verb = CommandLine::Verb;
  CLI::App app("A cycle-level simulator of a neural processor with its own compiler.", "dvmsim");
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion);
  Raw raw;
  CommandLine line;

  auto* run = app.add_subcommand("run", "compile a model and simulate it");
  run->add_option("MODEL", raw.run.model, ".onnx, .graph, .dvm or .s file")->required();
  run->add_option("--arg", raw.scalars, "value of a scalar of an assembled program, name=N")
      ->allow_extra_args(false);
  run->add_option("--launch", raw.run.launch,
                  "how an assembled program is launched, \"path=native cube=1 vector=2\"");
  add_run(*run, raw);
  add_stream(*run, raw);
  auto* op = app.add_subcommand("op", "simulate one operator, by default without values");
  add_op(*op, line.op, raw);
  auto* compile = app.add_subcommand("compile", "compile a model and show or keep the result");
  compile->add_option("MODEL", raw.run.model, ".onnx or .graph file")->required();
  compile->add_option("-o,--output", line.output, ".dvm file to write");
  compile->add_option("--dtype", raw.floats, kFloatsHelp);
  add_views(*compile, line.views, raw);
  add_compile(*compile, raw);
  auto* disasm = app.add_subcommand("disasm", "print the programs of a .dvm file");
  disasm->add_option("FILE", line.file, ".dvm file")->required();
  auto* assemble = app.add_subcommand("asm", "assemble a program");
  assemble->add_option("FILE", line.file, "assembler text")->required();
  assemble->add_option("-o,--output", line.output, ".dvm file to write")->required();
  const auto [check, show] = add_config(app, raw, line);
  auto* report = add_report(app, line);
  auto* bench = app.add_subcommand("bench", "measure dvmsim itself on this computer");
  auto* bench_compile = add_bench_compile(*bench, line);
  auto* validate = app.add_subcommand("validate", "compare the simulator with measurements");
  add_validate(*validate, line.validate);
  auto* fit = app.add_subcommand("fit", "fit parameters of the machine to measurements");
  add_fit(*fit, line.fit);
  auto* diff = app.add_subcommand("diff", "what moved between two runs, from their reports");
  add_diff(*diff, line.diff);
  auto* regress = app.add_subcommand("regress", "compare cases with their baselines");
  add_regress(*regress, line.regress);
  auto* compare = app.add_subcommand("compare", "strategies side by side on streams of shapes");
  add_compare(*compare, line.compare);
  auto* sweep = app.add_subcommand("sweep", "explore machines, workloads and strategies");
  add_sweep(*sweep, line.sweep);
  auto* reduce = app.add_subcommand("reduce", "shrink a graph while it stays interesting");
  reduce->add_option("MODEL", raw.run.model, ".onnx or .graph file")->required();
  reduce->add_option("--dtype", raw.floats, kFloatsHelp);
  add_compile(*reduce, raw);
  add_simulation(*reduce, raw);
  add_reduce(*reduce, line.reduce, raw.check);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    std::ostringstream out, err;
    const int code = app.exit(stop, out, err);
    return {std::nullopt, code == 0 ? 0 : 2, code == 0 ? out.str() : err.str()};
  }
  const std::pair<CLI::App*, Verb> verbs[] = {
      {run, Verb::Run},           {op, Verb::Op},         {compile, Verb::Compile},
      {disasm, Verb::Disasm},     {assemble, Verb::Asm},  {check, Verb::ConfigCheck},
      {show, Verb::ConfigShow},   {bench, Verb::Bench},   {bench_compile, Verb::BenchCompile},
      {validate, Verb::Validate}, {fit, Verb::Fit},       {diff, Verb::Diff},
      {regress, Verb::Regress},   {report, Verb::Report}, {sweep, Verb::Sweep},
      {compare, Verb::Compare},   {reduce, Verb::Reduce}};
  for (const auto& [subcommand, verb] : verbs) {
    if (subcommand->parsed()) line.verb = verb;
  }
  understand_run(raw.run, raw);
  understand_op(line.op, raw);
  check_sweep(line.sweep);
  if (line.verb == Verb::Reduce) check_reduce(line.reduce, raw.run.check);
  if (!raw.dump.empty()) line.views.dump = parse_dump(raw.dump);
  line.run = std::move(raw.run);
  return {std::move(line), 0, ""};
}

}  // namespace dvmsim
