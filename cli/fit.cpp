#include <fmt/core.h>

#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/table_run.h"
#include "cli/validation/fit.h"
#include "traces/output.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// The hardware file that the fitted one builds on, as an absolute path; empty: the built-in
/// machine.
std::string base_of(const TableRun& run, const FitOptions& options) {
  if (!options.base.empty()) return fs::absolute(options.base).string();
  if (!run.overrides.hardware.empty()) return run.overrides.hardware;
  std::set<std::string> files;
  for (const TableRow& row : run.table.rows) {
    if (row.gated) files.insert(row.hardware);
  }
  if (files.size() > 1) {
    throw Error(run.table.path + ": the rows are of several machines; say --base FILE");
  }
  if (files.empty() || files.begin()->empty()) return {};
  return fs::absolute(fs::path(run.table.folder) / *files.begin()).lexically_normal().string();
}

}  // namespace

int fit(const FitOptions& options) {
  OutputFile file(options.output);
  TableRun run(options.from);
  const std::string base = base_of(run, options);
  const Machine machine = machine_from(base, run.overrides.sets);
  std::vector<FitParameter> parameters;
  std::set<std::string> keys;
  for (const std::string& text : options.parameters) {
    parameters.push_back(parse_fit_parameter(text, machine));
    if (!keys.insert(parameters.back().quantity.key).second) {
      throw Error("--parameter " + text + ": is there twice");
    }
  }
  const Fitted fitted =
      fit(run.table, run.overrides, parameters, {options.folds, options.rounds}, run.pool);
  const fs::path folder = fs::absolute(options.output).parent_path();
  const std::string relative =
      base.empty() ? "" : fs::path(base).lexically_relative(folder).string();
  const std::string yaml = to_yaml(fitted, parameters, run.overrides.sets, run.table, relative,
                                   fs::path(options.output).stem().string());
  (void)parse_machine(yaml, options.output, folder.string());  // what is written can be read
  file.write(yaml);
  file.commit();
  fmt::print("{}{} ({} runs)\n", print(fitted, parameters), options.output, run.pool.runs());
  return kGood;
}

}  // namespace dvmsim
