// A case against its baseline: is it as recorded, and if not, what moved. Owns the verdict.
#pragma once

#include <string>
#include <vector>

#include "cli/regression/cases.h"
#include "traces/diff.h"
#include "traces/record.h"

namespace dvmsim {

struct CaseResult {
  enum class Kind : std::uint8_t {
    Same,
    Within,   // moved, and its tolerances allow it
    Moved,    // beyond a tolerance
    New,      // there is no baseline
    Gone,     // there is a baseline and no case
    Refused,  // could not be run
  };
  std::string name{};
  Kind kind = Kind::Same;
  Diff diff{};
  std::vector<std::string> why{};  // of Moved: "cycles 100 => 101 (+1.00 %), exact is asked for"
  std::string mostly{};            // what moved most: "'l0.act': vector work, vadd"
  std::string error{};             // of Refused
  double cycles_before = 0, cycles = 0, e2e_before = 0, e2e = 0;

  [[nodiscard]] bool pass() const { return kind == Kind::Same || kind == Kind::Within; }
};

/// Every figure must be within its tolerance: the case's for the figure, else for its group, else
/// for `all`, else exact. Unless the case states one that holds for `cycles`, operators, pipes and
/// critical path must be as recorded too. Throws Error for a tolerance of a figure that is in no
/// report.
[[nodiscard]] CaseResult judge(const RegressionCase& asked, const Record& baseline,
                               const Record& now);
/// Without a baseline.
[[nodiscard]] CaseResult judge_new(const RegressionCase& asked, const Record& now);

/// "12 of 14 cases are as recorded; 2 moved: 1 slower, 1 faster".
[[nodiscard]] std::string summary_of(const std::vector<CaseResult>& results);
/// "same", "within", "MOVED" ... and its figures, in columns of `width` for the names.
[[nodiscard]] std::string line_of(const CaseResult& result, std::size_t width);
/// What moved, refused or is missing: a paragraph; empty if nothing.
[[nodiscard]] std::string details_of(const CaseResult& result, std::size_t most);

}  // namespace dvmsim
