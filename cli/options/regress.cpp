#include "cli/options/regress.h"

#include <CLI/CLI.hpp>

namespace dvmsim {
namespace {

void add_most(CLI::App& app, std::size_t& most) {
  app.add_option("--top", most, "rows shown of each table, and of each row's parts; 0: all")
      ->capture_default_str();
}

}  // namespace

void add_diff(CLI::App& app, DiffOptions& options) {
  app.add_option("BEFORE", options.before, "report of run --json or op --json")->required();
  app.add_option("AFTER", options.after, "another one")->required();
  app.add_option("--json", options.json, "all of it to a file; - for standard output alone");
  add_most(app, options.most);
}

void add_regress(CLI::App& app, RegressOptions& options) {
  app.add_option("FILE", options.list, "YAML list of cases (default: the project's own)");
  app.add_option("--case", options.cases, "only the case of this name")->allow_extra_args(false);
  app.add_option("--set", options.sets, "change a parameter in every case, key=value with its unit")
      ->allow_extra_args(false);
  app.add_flag("--update", options.update, "record what is measured now as the baselines");
  app.add_option("--junit", options.junit, "results as JUnit XML");
  app.add_option("--markdown", options.markdown, "results as a page in Markdown");
  add_most(app, options.most);
  app.footer(
      "Baselines lie beside the list: FILE.yaml has FILE.json. Every figure must be as recorded,\n"
      "unless the case states a tolerance. Exit code 1: something moved, for better or worse;\n"
      "--update accepts it.");
}

}  // namespace dvmsim
