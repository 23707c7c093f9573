#include <fmt/core.h>

#include <sys/wait.h>
#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

#include "cli/commands.h"
#include "cli/page.h"
#include "cli/progress.h"
#include "cli/strategy_constants.h"
#include "cli/sweep/outcome.h"
#include "cli/sweep/plan.h"
#include "cli/sweep/report.h"
#include "cli/sweep/result_log.h"
#include "cli/sweep/slurm.h"
#include "cli/sweep_point.h"
#include "cli/text/files.h"
#include "cli/text/hash.h"
#include "cli/workers.h"
#include "traces/output.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
constexpr const char* kProgram = "/proc/self/exe";

std::string folder_of(const SweepOptions& options) {
  const std::string folder =
      options.output.empty() ? fs::path(options.study).stem().string() + ".sweep" : options.output;
  std::error_code fault;
  fs::create_directories(folder, fault);
  if (fault) throw Error(folder + ": cannot be made: " + fault.message());
  return folder;
}

/// Did the worker end by its own doing, so that it would do so again?
bool own_doing(int status) {
  if (!WIFSIGNALED(status)) return true;
  const int by = WTERMSIG(status);
  return by == SIGABRT || by == SIGSEGV || by == SIGBUS || by == SIGFPE || by == SIGILL;
}

PointResult lost_result(int status) {
  const std::string how = WIFSIGNALED(status)
                              ? std::string("was ended by a signal: ") + strsignal(WTERMSIG(status))
                              : fmt::format("ended with code {}", WEXITSTATUS(status));
  return {PointResult::Status::Aborted, "its process " + how + "; run it alone to see why", {}};
}

/// Runs what has no result yet; results come to the log as they are found.
class SweepRun {
 public:
  SweepRun(const SweepPlan& plan, const SweepOptions& options, const std::string& folder)
      : plan_(plan), jobs_(worker_count(options.jobs)), log_(log_file(options, folder)) {
    known_ = results_in(folder);
    std::set<std::uint64_t> seen;
    for (std::size_t p = 0; p < plan.points.size(); ++p) {
      const SweepPoint& point = plan.points[p];
      const auto number = static_cast<std::int64_t>(p);
      if (options.part && number % options.part->second != options.part->first) continue;
      if (!plan.machines[plan.designs[point.design].machine].refused.empty()) continue;
      if (!seen.insert(point.key).second) continue;
      if (known_.contains(point.key)) {
        ++before_;
      } else {
        wanted_.push_back(p);
      }
    }
  }

  void run(PointRunner& runner) {
    if (wanted_.empty()) return;
    Progress progress;
    const std::int64_t all = static_cast<std::int64_t>(wanted_.size()) + before_;
    std::int64_t finished = before_;
    progress.expect(all, false, before_);
    std::string broken;
    Work work;
    work.task = [&](std::size_t index) -> std::string {
      const SweepPoint& point = plan_.points[wanted_[index]];
      const PointResult result = runner.run(point);
      try {
        log_.append(point.key, result);
        return "";
      } catch (const Error& error) {
        return error.what();
      }
    };
    work.done = [&](std::size_t, const std::string& fault) {
      if (!fault.empty()) broken = fault;
      progress.step(fmt::format("{} of {} points", ++finished, all));
    };
    work.lost = [&](std::size_t index, int status) {
      const PointResult result = lost_result(status);
      const std::uint64_t key = plan_.points[wanted_[index]].key;
      if (own_doing(status)) {
        log_.append(key, result);
      } else {
        killed_[key] = result;
      }
      progress.step(fmt::format("{} of {} points", ++finished, all));
    };
    run_in_workers(wanted_.size(), jobs_, work);
    if (!broken.empty()) throw Error(broken);
  }

  /// Results that are not in the log, because another try may go better.
  [[nodiscard]] const PointResults& killed() const { return killed_; }

 private:
  static std::string log_file(const SweepOptions& options, const std::string& folder) {
    if (!options.part) return folder + "/results.log";
    return fmt::format("{}/results-{}-of-{}.log", folder, options.part->first,
                       options.part->second);
  }

  const SweepPlan& plan_;
  int jobs_;
  ResultLog log_;
  PointResults known_{}, killed_{};
  std::vector<std::size_t> wanted_{};
  std::int64_t before_ = 0;
};

/// What each strategy rests on that has no source, and which of it the study varies.
std::vector<std::string> assumptions(const Study& study) {
  std::vector<std::string> lines;
  const ConstantsFile constants = constants_from("", {});
  std::set<std::string> varied;
  for (const StudyAxis& axis : study.axes) varied.insert(axis.keys.begin(), axis.keys.end());
  for (const StudyStrategy& strategy : study.strategies) {
    std::string fixed, moved;
    for (const std::string& each : constants.with(strategy.sets).assumed_of(strategy.strategy)) {
      const std::string key = each.substr(0, each.find('='));
      varied.contains(key) ? moved += " " + key : fixed += " " + each;
    }
    const std::string begin = "strategy " + strategy.name + " rests on numbers without a source:";
    if (!fixed.empty()) lines.push_back(begin + fixed);
    if (!moved.empty()) lines.push_back(begin + moved + ", varied here");
  }
  return lines;
}

/// The tables a sweep writes, opened before it runs.
class SweepFiles {
 public:
  SweepFiles(const SweepOptions& options, const std::string& folder)
      : csv_(options.csv.empty() ? folder + "/points.csv" : options.csv) {
    if (!options.html.empty()) page_.emplace(options.html);
    if (options.json == "-") return;
    json_.emplace(options.json.empty() ? folder + "/sweep.json" : options.json);
  }
  void write(const SweepOutcome& outcome) {
    std::vector<std::string> caveats = not_modelled();
    std::string rests;
    for (const std::string& line : assumptions(outcome.plan->study)) {
      caveats.push_back(line);
      rests += line + "\n";
    }
    const std::string json = to_json(outcome, caveats);
    csv_.write(to_csv(outcome));
    csv_.commit();
    if (page_) page_->write(json);
    if (!json_) {
      fmt::print("{}", json);
      return;
    }
    json_->write(json);
    json_->commit();
    fmt::print("{}\n{}written: {}, {}{}\n", summary(outcome), rests, csv_.path(), json_->path(),
               page_ ? ", " + page_->path() : "");
  }

 private:
  OutputFile csv_;
  std::optional<OutputFile> json_{};
  std::optional<PageFile> page_{};
};

int submit_sweep(const SweepOptions& options, const std::string& folder) {
  SlurmJob job;
  job.program = fs::read_symlink(kProgram).string();
  job.study = fs::absolute(options.study).lexically_normal().string();
  job.folder = fs::absolute(folder).lexically_normal().string();
  job.tasks = options.slurm;
  job.jobs = options.jobs;
  job.sbatch = options.sbatch;
  fmt::print("{}", submit(job));
  return kGood;
}

}  // namespace

int sweep(const SweepOptions& options) {
  const SweepPlan plan = plan_sweep(load_study(options.study), fnv1a(read_text(kProgram)));
  const SweepForms forms = sweep_forms(plan);
  PointRunner runner(plan);
  const std::string folder = folder_of(options);
  if (options.slurm > 0) return submit_sweep(options, folder);
  if (options.part) {
    SweepRun(plan, options, folder).run(runner);
    return kGood;
  }
  SweepFiles files(options, folder);
  PointResults killed;
  if (!options.collect) {
    SweepRun run(plan, options, folder);
    run.run(runner);
    killed = run.killed();
  }
  PointResults results = results_in(folder);
  results.merge(killed);
  const SweepOutcome outcome = outcome_of(plan, forms, results);
  files.write(outcome);
  using Status = PointResult::Status;
  const bool complete = outcome.count(Status::Missing) == 0;
  return complete && outcome.count(Status::Ok) > 0 ? kGood : kCheckFailed;
}

}  // namespace dvmsim
