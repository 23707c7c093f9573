#include "cli/options/sweep.h"

#include <CLI/CLI.hpp>

namespace dvmsim {

void add_sweep(CLI::App& app, SweepOptions& options) {
  app.add_option("STUDY", options.study, "study file")->required();
  app.add_option("-o,--output", options.output,
                 "folder of results (default: the study's name with .sweep, here)");
  app.add_option("--jobs", options.jobs, "worker processes (0: one per processor)")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--json", options.json,
                 "everything found (default: sweep.json in the folder); - for standard output");
  app.add_option("--csv", options.csv, "a row per point (default: points.csv in the folder)");
  app.add_option("--html", options.html, "everything found as one HTML page to write");
  app.add_flag("--collect", options.collect, "run nothing; put together what there is");
  app.add_option_function<std::string>(
      "--part", [&options](const std::string& text) { options.part = parse_part(text, "--part"); },
      "run only part I of N, as I/N from 0/N; writes no tables");
  app.add_option("--slurm", options.slurm, "submit a Slurm job array of so many tasks")
      ->check(CLI::Range(1, 100000));
  app.add_option("--sbatch", options.sbatch, "further options for sbatch, \"-p long -t 60\"");
  app.footer(
      "The form of a study file is told in cli/study.h; configs/studies/ has examples.\n"
      "Results are kept one by one in results*.log in the folder: the same command goes on where "
      "an\n"
      "earlier one stopped. A point that cannot be run is a row with the reason. Exit code 1: no "
      "point\n"
      "has a result, or --collect misses some.");
}

void check_sweep(const SweepOptions& sweep) {
  if (sweep.collect + (sweep.slurm > 0) + sweep.part.has_value() > 1) {
    throw Error("--collect, --slurm and --part: one at a time");
  }
  if (!sweep.sbatch.empty() && sweep.slurm == 0) throw Error("--sbatch: only with --slurm");
  const bool writes = !sweep.json.empty() || !sweep.csv.empty() || !sweep.html.empty();
  if ((sweep.slurm > 0 || sweep.part) && writes) {
    throw Error(
        "--json, --csv and --html: tables are written by the run that collects; leave them out");
  }
}

}  // namespace dvmsim
