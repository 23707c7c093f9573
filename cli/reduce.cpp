// `reduce`: a smaller graph that still shows what is looked for, and the command that shows it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/execute.h"
#include "cli/job.h"
#include "cli/machine.h"
#include "cli/process.h"
#include "cli/reduction/edits.h"
#include "cli/reduction/reducer.h"
#include "cli/strategy_constants.h"
#include "cli/text/files.h"
#include "cli/validation/metric.h"
#include "cli/value_check.h"
#include "cli/workload.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// "host.launches > 1": two expressions over figures of a report.
class Condition {
 public:
  explicit Condition(const std::string& text) {
    constexpr std::array<std::string_view, 6> kSigns = {"<=", ">=", "==", "!=", "<", ">"};
    for (std::string_view sign : kSigns) {
      const std::size_t at = text.find(sign);
      if (at == std::string::npos) continue;
      sign_ = sign;
      left_ = Metric(text.substr(0, at), "--if");
      right_ = Metric(text.substr(at + sign.size()), "--if");
      return;
    }
    throw Error("--if '" + text + "': compare two figures with <, <=, ==, !=, >= or >");
  }
  [[nodiscard]] bool holds(const RunReport& report) const {
    const Figures figures = figures_of(report);
    const double left = left_.value(figures), right = right_.value(figures);
    if (sign_ == "<=") return left <= right;
    if (sign_ == ">=") return left >= right;
    if (sign_ == "==") return left == right;
    if (sign_ == "!=") return left != right;
    return sign_ == "<" ? left < right : left > right;
  }

 private:
  std::string_view sign_{};
  Metric left_{}, right_{};
};

/// A folder of its own for the files of tries, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string name =
        (fs::temp_directory_path() / "dvmsim-reduce-").string() + std::string(6, 'X');
    if (mkdtemp(name.data()) == nullptr) throw Error(name + ": cannot be made");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_{};
};

std::vector<std::string> dim_words(const Bindings& dims) {
  std::vector<std::string> words;
  for (const auto& [name, size] : dims) {
    words.emplace_back("--dim");
    words.push_back(fmt::format("{}={}", name, size));
  }
  return words;
}

/// Is a graph interesting? Each is run in a process of its own.
class Question {
 public:
  explicit Question(const CommandLine& line)
      : asked_(line.reduce),
        options_(line.run),
        machine_(machine_from(line.run.hardware, machine_sets(line.run.sets))) {
    if (!asked_.condition.empty()) condition_.emplace(asked_.condition);
    options_.decode = false;
    options_.dims.clear();
    options_.shapes.clear();
    // What only costs time here: figures of the report that nobody asks for.
    options_.critical_path = condition_.has_value();
  }

  [[nodiscard]] bool operator()(const ReductionCase& of) const {
    if (!asked_.test.empty()) {
      const std::string file = scratch_.file("candidate.graph");
      write_file(file, of.text);
      std::vector<std::string> words = {file};
      for (std::string& word : dim_words(of.dims)) words.push_back(std::move(word));
      return command_code(asked_.test, words) == 0;
    }
    const int code = child_code([&] { return run(of); });
    return asked_.exit_code ? code == *asked_.exit_code : code == kYes;
  }

 private:
  static constexpr int kYes = 0, kNo = 1;

  /// In the child: the answer, or what run would have exited with.
  [[nodiscard]] int run(const ReductionCase& of) const {
    try {
      const Graph graph = parse_graph(of.text, "candidate.graph");
      if (asked_.exit_code)
        return exit_code(execute(job(graph, of, options_), machine_, options_, {}));
      return is_interesting(graph, of) ? kYes : kNo;
    } catch (const Error& error) {
      if (!asked_.exit_code) return kNo;
      const bool said =
          std::string_view(error.what()).find(asked_.message) != std::string_view::npos;
      return said ? kBadInput : kNoCode;
    }
  }
  static constexpr int kNoCode = 120;  // none of run's

  [[nodiscard]] static int exit_code(const Execution& execution) {
    if (execution.fault) return kFaulted;
    return execution.report.check && !execution.report.check->pass ? kCheckFailed : kGood;
  }

  static Job job(const Graph& graph, const ReductionCase& of, RunOptions options) {
    options.dims.assign(of.dims.begin(), of.dims.end());
    return job_of("candidate.graph", graph, options);
  }

  [[nodiscard]] bool is_interesting(const Graph& graph, const ReductionCase& of) const {
    const Job job_here = job(graph, of, options_);
    const Execution execution = execute(job_here, machine_, options_, {});
    if (asked_.fault) {
      return execution.fault && execution.fault.text.find(asked_.message) != std::string::npos;
    }
    if (execution.fault) return false;
    if (condition_) return condition_->holds(execution.report);
    if (asked_.differs_from.empty()) return fails(*execution.report.check);
    RunOptions other = options_;
    other.strategy = asked_.differs_from;
    const Execution reference = execute(job_here, machine_, other, {});
    return !reference.fault && fails(check_values(execution.outputs, reference.outputs));
  }

  [[nodiscard]] bool fails(const RunReport::Check& check) const {
    return asked_.tolerance ? check.max_rel_err > *asked_.tolerance : !check.pass;
  }

  ReduceOptions asked_;
  RunOptions options_;
  Machine machine_;
  std::optional<Condition> condition_{};
  Scratch scratch_{};
};

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

/// The words that make a run the same, beside the model and its sizes.
std::vector<std::string> setting_words(const RunOptions& run) {
  std::vector<std::string> words = {"--strategy", run.strategy};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--hw", run.hardware);
  for (const std::string& set : run.sets) add("--set", set);
  std::string features;
  for (const auto& [name, on] : run.features) {
    features += (features.empty() ? "" : ",") + std::string(on ? "+" : "-") + name;
  }
  add("--feature", features);
  add("--strategies", run.strategies);
  add("--tiling", run.tiling);
  add("--schedule", run.schedule);
  if (run.cores != 0) add("--cores", std::to_string(run.cores));
  if (run.seed != 1) add("--seed", std::to_string(run.seed));
  if (run.mode == Mode::Timing) add("--mode", "timing");
  if (run.memory != MemoryModel::Detailed) {
    add("--memory", run.memory == MemoryModel::Ideal ? "ideal" : "closed-form");
  }
  if (run.warm_l2) add("--l2", "warm");
  return words;
}

/// The one command that shows what was looked for.
std::string reproduction(const CommandLine& line, const Bindings& dims) {
  const ReduceOptions& asked = line.reduce;
  if (!asked.test.empty()) {
    std::string text = asked.test + " " + shell_word(asked.output);
    for (const std::string& word : dim_words(dims)) text += " " + shell_word(word);
    return text;
  }
  const bool run = asked.fault || asked.exit_code || (line.run.check && !asked.tolerance);
  std::vector<std::string> words = {"dvmsim", run ? "run" : "reduce", asked.output};
  for (const std::string& word : dim_words(dims)) words.push_back(word);
  for (const std::string& word : setting_words(line.run)) words.push_back(word);
  if (line.run.check) words.insert(words.end(), {"--check", "eval"});
  if (!asked.differs_from.empty()) {
    words.insert(words.end(), {"--differs-from", asked.differs_from});
  }
  if (asked.tolerance)
    words.insert(words.end(), {"--tolerance", fmt::format("{}", *asked.tolerance)});
  if (!asked.condition.empty()) words.insert(words.end(), {"--if", asked.condition});
  if (!run) words.insert(words.end(), {"--tries", "0"});
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_word(word);
  return text;
}

std::string size_text(const Graph& graph) {
  const auto count = [](std::int64_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  return fmt::format("{}, {}, {}", count(std::ssize(graph.nodes), "node"),
                     count(std::ssize(graph.inputs), "input"),
                     count(elements_of(graph), "element"));
}

void refuse_inputs(const RunOptions& options) {
  if (!options.known.empty() || !options.inputs.empty()) {
    throw Error("reduce: inputs come and go, so their values are random; leave out --input");
  }
}

}  // namespace

int reduce(const CommandLine& line) {
  refuse_inputs(line.run);
  const ReduceOptions& asked = line.reduce;
  if (!asked.differs_from.empty()) check_strategy(asked.differs_from, "--differs-from");
  const Question question(line);
  const Graph written = load_model(line.run.model, line.run.floats);
  const Bindings dims = bindings_of(written, line.run, {});
  const Graph graph = infer_shapes(written);
  const auto tell = [](const Graph& smaller, std::int64_t tries) {
    fmt::print(stderr, "reduce: {} after {} tries\n", size_text(smaller), tries);
  };
  const auto ask = [&](const ReductionCase& of) { return question(of); };
  Reducer reducer(ask, tell, std::max<std::int64_t>(1, asked.tries));
  if (asked.tries == 0) {
    const bool yes = question({print_graph(graph, {.types = false}), dims});
    fmt::print("{}: {}\n", line.run.model, yes ? "interesting" : "not interesting");
    return yes ? kGood : kCheckFailed;
  }
  const auto found = reducer.run(graph, dims);
  if (!found) {
    throw Error(line.run.model +
                ": does not show what is looked for, so there is nothing to reduce");
  }
  const std::string command = reproduction(line, found->dims);
  write_file(asked.output, "# " + command + "\n" + found->text);
  fmt::print("{}: {}; was {} ({} tries)\n{}reproduce: {}\n", asked.output,
             size_text(reducer.graph()), size_text(graph), reducer.tries(), found->text, command);
  return kGood;
}

}  // namespace dvmsim
