#include <fmt/core.h>

#include <optional>

#include "cli/commands.h"
#include "cli/table_run.h"
#include "cli/validation/plot.h"
#include "cli/validation/print.h"
#include "traces/output.h"

namespace dvmsim {

int validate(const ValidateOptions& options) {
  std::optional<OutputFile> json, plot;
  if (!options.json.empty() && options.json != "-") json.emplace(options.json);
  if (!options.plot.empty()) plot.emplace(options.plot);
  TableRun run(options.from);
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

}  // namespace dvmsim
