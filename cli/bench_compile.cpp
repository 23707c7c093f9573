// How long compiling takes, operator by operator, and beside it other compilers on the same
// kernels.
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/compile_cases.h"
#include "cli/compile_timing.h"
#include "cli/peers/table.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string percentiles(const CompileTiming::Samples& samples) {
  return fmt::format("{:8.1f}{:8.1f}{:8.1f}", percentile(samples, 0.5), percentile(samples, 0.9),
                     percentile(samples, 0.99));
}

void print_row(const std::string& name, const CompileTiming& timing) {
  const std::string instructions =
      timing.instructions.empty() ? "-"
                                  : fmt::format("{:.0f}", percentile(timing.instructions, 0.5));
  fmt::print("  {:<28}{}  {}  {}  {}{:>14}\n", name, percentiles(timing.first),
             percentiles(timing.cold), percentiles(timing.patched), percentiles(timing.cached),
             instructions);
}

std::vector<CompileCase> cases_of(const std::string& only) {
  std::vector<CompileCase> cases;
  for (const CompileCase& each : compile_cases()) {
    if (each.name.find(only) != std::string_view::npos) cases.push_back(each);
  }
  if (cases.empty()) throw Error("bench compile --only " + only + ": no case has this in its name");
  return cases;
}

void print_kind(CompileCase::Kind kind, const std::vector<CompileCase>& cases,
                const Machine& machine, const Strategy& strategy, bool instructions) {
  CompileTiming all;
  for (const CompileCase& each : cases) {
    if (each.kind != kind) continue;
    CompileTiming timing = measure_compile(each, machine, strategy);
    if (instructions) count_compile(each, machine, strategy, timing);
    print_row(std::string(each.name), timing);
    all.add(timing);
  }
  if (all.cold.empty()) return;
  print_row(kind == CompileCase::Kind::Vector ? "ALL VECTOR" : "ALL PRODUCTS", all);
}

}  // namespace

int bench_compile(const BenchOptions& options) {
  const Machine machine = default_machine();
  const std::vector<CompileCase> cases = cases_of(options.only);
  const Strategy& strategy = find_strategy(options.strategy);
  fmt::print(
      "compile time on this computer as {}, us of CPU: median, 90 and 99 of 100\n"
      "  first: from the graph; cold: its plan is there, bound to other sizes; patched: and sizes "
      "like these were\n  compiled for (--feature parametric); cached: run before\n"
      "  instructions: of the processor for an operator of the graph, compiled cold\n"
      "  {:<28}{:>24}  {:>24}  {:>24}  {:>24}{:>14}\n",
      options.strategy, "", "first", "cold", "patched", "cached", "instructions");
  for (const auto kind : {CompileCase::Kind::Vector, CompileCase::Kind::Product}) {
    print_kind(kind, cases, machine, strategy, options.instructions);
  }
  return compare_with_peers(cases, machine) ? kGood : kCheckFailed;
}

}  // namespace dvmsim
