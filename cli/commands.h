// The verbs of the command line, a source each. They return the exit code: 0 good, 1 a check
// failed, 3 simulated fault; bad input is an Error.
#pragma once

#include <string>

#include "cli/options/options.h"

namespace dvmsim {

inline constexpr int kGood = 0, kCheckFailed = 1, kBadInput = 2, kFaulted = 3;

int run_job(const CommandLine& line);  // run, op
/// Many runs of a model through one session, as options.stream says.
int run_stream(const RunOptions& options);
int compile_model(const CommandLine& line);
int disassemble_file(const std::string& file);
int assemble_file(const std::string& file, const std::string& output);
int check_config(const std::string& file, const std::vector<std::string>& sets);
int show_config(const std::string& file, const std::vector<std::string>& sets, bool as_json);
/// The report in `file` as an HTML page.
int write_page(const std::string& file, const std::string& output);
int bench();
int bench_compile(const BenchOptions& options);
int validate(const ValidateOptions& options);
int fit(const FitOptions& options);
int diff(const DiffOptions& options);
int regress(const RegressOptions& options);
int compare(const CompareOptions& options);
int sweep(const SweepOptions& options);
int reduce(const CommandLine& line);

}  // namespace dvmsim
