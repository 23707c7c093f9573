// Fits parameters of a machine to the gated rows of a table. The objective is the mean robust error
// of the rows; the search changes one parameter at a time by a step that shrinks. Cross-validation
// holds out each part of the rows once, so that the error on rows that were not fitted is known.
// Nothing is random.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/validation/parameter.h"
#include "cli/validation/score.h"

namespace dvmsim {

struct FitParameter {
  Quantity quantity{};  // with the value the search begins with
  double low = 0, high = 0;
};

/// "key" (half to twice of its value on the machine) or "key=low:high"; bounds may have the unit of
/// the parameter. Throws Error naming the option.
[[nodiscard]] FitParameter parse_fit_parameter(const std::string& text, const Machine& machine);

/// How well some rows fit: the mean and the median of their absolute relative errors.
struct Closeness {
  std::size_t rows = 0;
  double mean = 0, median = 0;
};

struct Fold {
  std::vector<double> values{};  // by parameter, found on the other rows
  Closeness train{}, held_out{};
};

struct Fitted {
  std::vector<double> values{};  // by parameter, found on all rows
  Closeness before{}, after{};
  std::vector<Fold> folds{};
  [[nodiscard]] Closeness held_out() const;  // of all folds together, weighted by rows
};

struct FitSettings {
  int folds = 5;    // 1: no cross-validation
  int rounds = 40;  // most sweeps over all parameters
};

/// Rows that share a case are held out together. Throws Error for a table without gated rows and
/// for rows that do not run.
[[nodiscard]] Fitted fit(const Table& table, const Overrides& overrides,
                         const std::vector<FitParameter>& parameters, const FitSettings& settings,
                         Pool& pool);

/// Folds, errors and values for people.
[[nodiscard]] std::string print(const Fitted& fitted, const std::vector<FitParameter>& parameters);
/// A hardware file with the values found; `base` as it stands in the file, empty: the built-in
/// machine. Comments say what it was fitted to.
[[nodiscard]] std::string to_yaml(const Fitted& fitted, const std::vector<FitParameter>& parameters,
                                  const std::vector<std::string>& sets, const Table& table,
                                  const std::string& base, const std::string& name);

/// Rises with the square of small errors and linearly with large ones, so that one row that the
/// model cannot express does not decide.
[[nodiscard]] double robust(double error);

}  // namespace dvmsim
