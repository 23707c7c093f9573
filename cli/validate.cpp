#include <fmt/core.h>

#include <optional>

#include "cli/commands.h"
#include "cli/measure.h"
#include "cli/table_run.h"
#include "cli/text/files.h"
#include "cli/validation/ablation.h"
#include "cli/validation/plot.h"
#include "cli/validation/print.h"
#include "cli/validation/sensitivity.h"
#include "traces/output.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

int compare_rows(TableRun& run, const ValidateOptions& options) {
  std::optional<OutputFile> json, plot;
  if (!options.json.empty() && options.json != "-") json.emplace(options.json);
  if (!options.plot.empty()) plot.emplace(options.plot);
  const Score result = score(run.table, run.overrides, run.pool);
  const std::string report = to_json(run.table, result);
  if (json) {
    json->write(report);
    json->commit();
  }
  if (plot) {
    plot->write(to_svg(result));
    plot->commit();
  }
  if (options.json == "-") {
    fmt::print("{}", report);
  } else {
    fmt::print("{}", print(run.table, result, options.failures_only));
  }
  return result.pass() ? kGood : kCheckFailed;
}

int show_ablation(TableRun& run, const ValidateOptions& options) {
  const std::string path =
      options.ablation.empty() ? find_config("validation/ablation.yaml") : options.ablation;
  const auto mechanisms = parse_mechanisms(read_text(path), path);
  // Rows that are only listed say nothing about what the model should be able to do.
  std::erase_if(run.table.rows, [](const TableRow& row) { return !row.gated; });
  if (run.table.rows.empty()) throw Error(run.table.path + ": no gated rows to ablate with");
  fmt::print("{}", print(ablate(run.table, run.overrides, mechanisms, run.pool)));
  return kGood;
}

int show_sensitivity(TableRun& run, const ValidateOptions& options) {
  const auto machine_of = [&](const Words& words) {
    return machine_of_case(words, run.table.folder);
  };
  bool any = false;
  for (const TableRow& row : run.table.rows) {
    if (row.command.empty()) continue;
    any = true;
    const auto effects = sensitivity(run.table, row, run.overrides, machine_of, run.pool);
    fmt::print("{}", print(row, effects, options.sensitivity));
  }
  if (!any) throw Error("--sensitivity: no such row has a case");
  return kGood;
}

}  // namespace

int validate(const ValidateOptions& options) {
  const bool study = options.ablate || options.sensitivity > 0;
  if (study && (!options.json.empty() || !options.plot.empty() || options.failures_only)) {
    throw Error("--json, --plot and --failures: not with --ablate or --sensitivity");
  }
  if (options.ablate && options.sensitivity > 0) {
    throw Error("--ablate and --sensitivity: one at a time");
  }
  if (!options.ablation.empty() && !options.ablate) throw Error("--mechanisms: only with --ablate");
  TableRun run(options.from);
  if (options.ablate) return show_ablation(run, options);
  if (options.sensitivity > 0) return show_sensitivity(run, options);
  return compare_rows(run, options);
}

}  // namespace dvmsim
