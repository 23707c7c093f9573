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
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/strategy_constants.h"
#include "cli/stream/stream.h"
#include "cli/stream/stream_run.h"
#include "cli/workload.h"
#include "traces/output.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

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
        report.steps.push_back(run.run(step, progress.listeners(), fault));
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
