#include "cli/measure.h"

#include <filesystem>

#include "cli/job.h"
#include "cli/machine.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

CommandLine command_line_of(const Words& words) {
  std::vector<const char*> argv = {"dvmsim"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  const Parsed parsed = parse_command_line(static_cast<int>(argv.size()), argv.data());
  if (!parsed.line) throw Error("case: " + trimmed(parsed.text));
  const auto verb = parsed.line->verb;
  if (verb != CommandLine::Verb::Run && verb != CommandLine::Verb::Op) {
    throw Error("case: '" + words[0] + "' measures nothing; use run or op");
  }
  return *parsed.line;
}

void place(std::string& path, const std::string& folder) {
  if (!path.empty() && fs::path(path).is_relative()) path = (fs::path(folder) / path).string();
}

}  // namespace

Machine machine_of_case(const Words& words, const std::string& folder) {
  RunOptions run = command_line_of(words).run;
  place(run.hardware, folder);
  return machine_from(run.hardware, run.sets);
}

RunReport report_of(const Words& words, const std::string& folder, bool decode) {
  CommandLine line = command_line_of(words);
  RunOptions& run = line.run;
  if (!run.json.empty() || !run.trace.empty() || !run.output.empty() || run.check) {
    throw Error("case: --json, --trace, --output and --check do nothing here; leave them out");
  }
  place(run.model, folder);
  place(run.hardware, folder);
  for (auto& [name, file] : run.inputs) place(file, folder);
  run.decode = run.decode && decode;
  const Prepared prepared = prepare(line);
  Execution execution = execute(prepared.job, prepared.machine, prepared.options, {});
  if (execution.fault) throw Error("simulated fault: " + execution.fault.text);
  return std::move(execution.report);
}

Figures measure(const Words& words, const std::string& folder) {
  return figures_of(report_of(words, folder, false));
}

}  // namespace dvmsim
