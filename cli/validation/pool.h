// Cases run in worker processes: a case that aborts takes its worker along and nothing else. Each
// distinct case runs once however often it is asked for. Results do not depend on the number of
// workers.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/validation/metric.h"

namespace dvmsim {

using Words = std::vector<std::string>;  // of a command line, without the program's name

struct Outcome {
  Figures figures{};
  std::string error{};  // not empty: the case has no figures
};

class Pool {
 public:
  /// Runs one case; throws Error for what cannot be run. Called in worker processes.
  using Runner = std::function<Figures(const Words& words)>;
  /// Called as cases finish.
  using Progress = std::function<void(std::size_t done, std::size_t all)>;

  /// `jobs` 0: in this process, one after the other.
  Pool(Runner runner, int jobs, Progress progress = {});

  /// Makes sure that every case has an outcome.
  void run(const std::vector<Words>& cases);
  /// Of a case that was run.
  [[nodiscard]] const Outcome& outcome(const Words& words) const { return done_.at(words); }
  [[nodiscard]] std::size_t runs() const { return done_.size(); }

 private:
  void run_here(const std::vector<Words>& cases);
  void run_apart(const std::vector<Words>& cases);

  Runner runner_;
  int jobs_;
  Progress progress_;
  std::map<Words, Outcome> done_{};
};

/// An outcome as text and back, exactly; what workers send.
[[nodiscard]] std::string to_text(const Outcome& outcome);
[[nodiscard]] Outcome outcome_of(const std::string& text);

}  // namespace dvmsim
