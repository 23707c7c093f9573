// How far the simulator is from what was measured: the error of every row, and of every group the
// median, the 90th percentile and the worst. Owns what passes and what does not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/validation/pool.h"
#include "cli/validation/table.h"

namespace dvmsim {

/// What holds for all cases of a table: a user's overrides. Paths are those of the table's folder
/// or absolute.
struct Overrides {
  std::string hardware{};           // instead of every row's
  std::vector<std::string> sets{};  // after every row's own
  std::string memory{};
};

/// The command line of a row's case (or of `command`), complete: with its hardware file and the
/// overrides.
[[nodiscard]] Words words_of_case(const TableRow& row, const std::string& command,
                                  const Overrides& overrides);

struct RowScore {
  const TableRow* row = nullptr;
  std::optional<double> simulated{};  // none: not run, or failed
  double error = 0;                   // signed fraction of what was measured; 0 inside a range
  std::string failure{};              // why a case that should have run has no value

  [[nodiscard]] bool failed() const;  // gated, and beyond its tolerance or not run
};

struct GroupScore {
  std::string group{};
  bool gated = false;
  std::size_t rows = 0;                   // that have a value
  double median = 0, p90 = 0, worst = 0;  // of the absolute errors
  std::string worst_id{};
  std::vector<std::string> beyond{};  // "median 7.1 % > 6 %": limits of the table that do not hold
};

struct Score {
  std::vector<RowScore> rows{};      // as in the table
  std::vector<GroupScore> groups{};  // in order of appearance; the gated rows of a group first
  [[nodiscard]] bool pass() const;
};

/// Runs what is not in the pool yet. Rows point into the table. Throws Error for a metric that its
/// run does not have.
[[nodiscard]] Score score(const Table& table, const Overrides& overrides, Pool& pool);
/// All cases of the table, for Pool::run.
[[nodiscard]] std::vector<Words> cases_of(const Table& table, const Overrides& overrides);

/// Signed error of a value against a measured range.
[[nodiscard]] double error_of(double simulated, double low, double high);
/// The middle one, or the mean of the middle two.
[[nodiscard]] double median(const std::vector<double>& sorted);

}  // namespace dvmsim
