#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/measure.h"
#include "cli/regression/ci.h"
#include "cli/regression/judge.h"
#include "cli/table_run.h"
#include "cli/text/files.h"
#include "traces/output.h"
#include "traces/report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using Kind = CaseResult::Kind;

/// Beside the list, under its name.
std::string baselines_of(const std::string& list) {
  return fs::path(list).replace_extension(".json").string();
}

bool keep(const RegressOptions& options, const std::string& name) {
  return options.cases.empty() ||
         std::find(options.cases.begin(), options.cases.end(), name) != options.cases.end();
}

std::vector<RegressionCase> cases_of(const RegressOptions& options, const std::string& list) {
  std::vector<RegressionCase> cases = parse_cases(read_text(list), list);
  for (const std::string& name : options.cases) {
    const bool known = std::any_of(cases.begin(), cases.end(),
                                   [&](const RegressionCase& each) { return each.name == name; });
    if (!known) throw Error("--case " + name + ": " + list + " has no such case");
  }
  std::erase_if(cases, [&](const RegressionCase& each) { return !keep(options, each.name); });
  for (RegressionCase& each : cases) {
    for (const std::string& set : options.sets) {
      each.words.insert(each.words.end(), {"--set", set});
    }
  }
  return cases;
}

struct Attempt {
  std::optional<Record> record{};
  std::string error{};  // why there is none
};

Attempt measure_case(const RegressionCase& asked, const std::string& folder) {
  try {
    return {parse_record(to_json(report_of(asked.words, folder, true)), asked.name), ""};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

/// As recorded before, what is measured now, and the verdicts.
struct Run {
  Records recorded{}, measured{};
  std::vector<CaseResult> results{};
};

Run run(const RegressOptions& options, const std::string& list) {
  Run run;
  const std::string path = baselines_of(list);
  std::error_code fault;
  if (fs::exists(path, fault)) run.recorded = parse_records(read_text(path), path);
  const std::string folder = fs::path(list).parent_path().string();
  const std::vector<RegressionCase> cases = cases_of(options, list);
  for (const RegressionCase& each : cases) {
    const Attempt attempt = measure_case(each, folder);
    if (!attempt.record) {
      CaseResult& refused = run.results.emplace_back();
      refused.name = each.name;
      refused.kind = Kind::Refused;
      refused.error = each.place + ": " + attempt.error;
      continue;
    }
    const auto recorded = run.recorded.find(each.name);
    run.results.push_back(recorded == run.recorded.end()
                              ? judge_new(each, *attempt.record)
                              : judge(each, recorded->second, *attempt.record));
    run.measured.emplace(each.name, *attempt.record);
  }
  if (!options.cases.empty()) return run;
  for (const auto& recorded : run.recorded) {
    const bool has_case = std::any_of(
        cases.begin(), cases.end(), [&](const auto& each) { return each.name == recorded.first; });
    if (has_case) continue;
    CaseResult& gone = run.results.emplace_back();
    gone.name = recorded.first;
    gone.kind = Kind::Gone;
  }
  return run;
}

void print(const std::vector<CaseResult>& results, std::size_t most) {
  std::size_t width = 0;
  for (const CaseResult& each : results) width = std::max(width, each.name.size());
  for (const CaseResult& each : results) fmt::print("{}", line_of(each, width));
  for (const CaseResult& each : results) {
    const bool explained = each.kind == Kind::Moved || each.kind == Kind::Refused;
    if (explained) fmt::print("\n{}\n{}", each.name, details_of(each, most));
  }
  fmt::print("\n{}\n", summary_of(results));
}

/// All baselines at once, or none of them.
int update(const Run& run, const RegressOptions& options, const std::string& list) {
  for (const CaseResult& each : run.results) {
    if (each.kind != Kind::Refused) continue;
    fmt::print("nothing is recorded: case '{}' could not be run\n", each.name);
    return kCheckFailed;
  }
  Records all = options.cases.empty() ? Records() : run.recorded;
  for (const auto& [name, record] : run.measured) all.insert_or_assign(name, record);
  const std::string path = baselines_of(list);
  write_file(path, to_json(all));
  fmt::print("{} holds {} baselines now\n", path, all.size());
  return kGood;
}

}  // namespace

int regress(const RegressOptions& options) {
  if (options.update && !options.sets.empty()) {
    throw Error("--update: not with --set; baselines are of the cases as they are listed");
  }
  const std::string list =
      options.list.empty() ? find_config("baselines/cases.yaml") : options.list;
  std::optional<OutputFile> junit, markdown;
  if (!options.junit.empty()) junit.emplace(options.junit);
  if (!options.markdown.empty()) markdown.emplace(options.markdown);
  const Run made = run(options, list);
  const std::string suite = "dvmsim regress " + fs::path(list).filename().string();
  if (junit) {
    junit->write(to_junit(made.results, suite, options.most));
    junit->commit();
  }
  if (markdown) {
    markdown->write(to_markdown(made.results, suite, options.most));
    markdown->commit();
  }
  print(made.results, options.most);
  if (options.update) return update(made, options, list);
  bool pass = true, moved = false;
  for (const CaseResult& each : made.results) {
    pass = pass && each.pass();
    moved = moved || (!each.pass() && each.kind != Kind::Refused);
  }
  if (moved) fmt::print("if that is meant: dvmsim regress --update, and commit the baselines\n");
  return pass ? kGood : kCheckFailed;
}

}  // namespace dvmsim
