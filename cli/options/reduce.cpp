#include "cli/options/reduce.h"

#include <CLI/CLI.hpp>

#include "vm/base/error.h"

namespace dvmsim {

void add_reduce(CLI::App& app, ReduceOptions& options, std::string& check) {
  app.add_option("--check", check, "eval: its values fail the check against the definition");
  app.add_option("--tolerance", options.tolerance,
                 "largest max_rel_err that passes (default: what the types allow)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--differs-from", options.differs_from,
                 "its values differ from those under this strategy");
  app.add_flag("--fault", options.fault, "it ends in a simulated fault");
  app.add_option("--exit", options.exit_code,
                 "run ends with this code (128 and a signal's number if it crashes)")
      ->check(CLI::Range(0, 255));
  app.add_option("--message", options.message,
                 "with --exit 2 or --fault: which its error contains");
  app.add_option("--if", options.condition,
                 "a condition on figures of the report: 'host.launches > 1'");
  app.add_option(
      "--test", options.test,
      "a command that is given the graph's file (and --dim of its symbols) and exits with "
      "0 if it is interesting");
  app.add_option("--tries", options.tries, "most graphs to try; 0: only say whether this one is")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("-o,--output", options.output, ".graph file to write")->capture_default_str();
  app.footer(
      "Outputs, nodes, inputs and sizes are taken away while what you look for stays; the file's "
      "first\n"
      "line is the command that shows it. Ask one of --check, --differs-from, --fault, --exit, "
      "--if "
      "and\n"
      "--test. A try runs in a process of its own, so crashes can be reduced (--exit 134: an "
      "abort).");
}

void check_reduce(const ReduceOptions& options, bool check) {
  const int asked = static_cast<int>(check) + static_cast<int>(options.fault) +
                    static_cast<int>(!options.differs_from.empty()) +
                    static_cast<int>(options.exit_code.has_value()) +
                    static_cast<int>(!options.condition.empty()) +
                    static_cast<int>(!options.test.empty());
  if (asked != 1) {
    throw Error(
        "reduce: give one of --check eval, --differs-from, --fault, --exit, --if and --test");
  }
  if (options.tolerance && !check && options.differs_from.empty()) {
    throw Error("--tolerance: of --check eval and --differs-from");
  }
  if (!options.message.empty() && !options.fault && options.exit_code.value_or(0) != 2) {
    throw Error("--message: of --fault and --exit 2");
  }
}

}  // namespace dvmsim
