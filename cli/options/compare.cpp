#include "cli/options/compare.h"

#include <CLI/CLI.hpp>

#include "cli/options/values.h"

namespace dvmsim {

void add_compare(CLI::App& app, CompareOptions& options) {
  app.add_option("STUDY", options.study, "study file: machines, workloads, strategies")->required();
  app.add_option("--strategies", options.strategies, kConstantsHelp);
  app.add_option("--set", options.sets, "change a constant of a strategy, jit.workers=16")
      ->allow_extra_args(false);
  app.add_option_function<std::string>(
         "--view",
         [&options](const std::string& text) { options.view = parse_view(text, "--view"); },
         "stream: runs as a host sees them; device: launches alone: bytes, gains and their bounds "
         "(default: the study's)")
      ->type_name("stream|device");
  app.add_option("--json", options.json, "everything found, to a file; - for standard output");
  app.add_option("--csv", options.csv, "a row per machine, workload, strategy and launch cost");
  app.add_option("--html", options.html, "everything found as one HTML page to write");
  app.add_option("--trace", options.trace,
                 "the first run of the first workload under every strategy, side by side, for "
                 "ui.perfetto.dev");
  app.add_option("--jobs", options.jobs, "worker processes (0: one per processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

}  // namespace dvmsim
