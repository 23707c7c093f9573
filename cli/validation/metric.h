// What a row of a validation table reads from a run: an expression over the figures of its report,
// by name; ref.NAME is a figure of the row's reference run, for ratios and differences of two runs.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cli/text/expression.h"
#include "traces/report.h"

namespace dvmsim {

/// Figures of a report by the names they have in its JSON, nested ones as "memory.hbm_read_bytes";
/// those of "profiler" without that prefix.
using Figures = std::map<std::string, double, std::less<>>;
[[nodiscard]] Figures figures_of(const RunReport& report);
/// Can a run have a figure of this name?
[[nodiscard]] bool is_figure(std::string_view name);
/// The names of all figures, a blank between.
[[nodiscard]] std::string figure_list();

class Metric {
 public:
  Metric() = default;
  /// Throws Error beginning with `where`.
  Metric(std::string_view text, const std::string& where);

  /// Throws Error for a figure the run does not have. `reference`: of the reference run, if any.
  [[nodiscard]] double value(const Figures& figures, const Figures* reference = nullptr) const;
  /// Reads ref.something.
  [[nodiscard]] bool needs_reference() const;
  [[nodiscard]] const std::string& text() const { return expression_.text(); }

 private:
  std::string where_{};
  Expression expression_{};
};

}  // namespace dvmsim
