// What a row of a validation table reads from a run: an expression over the figures of its report.
// Owns the grammar: + - * / ( ), numbers, and figures by name; ref.NAME is a figure of the row's
// reference run, for ratios and differences of two runs.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "traces/report.h"

namespace dvmsim {

/// Figures of a report by the names they have in its JSON, nested ones as "memory.hbm_read_bytes";
/// those of "profiler" without that prefix.
using Figures = std::map<std::string, double, std::less<>>;
[[nodiscard]] Figures figures_of(const RunReport& report);

class Metric {
 public:
  Metric() = default;
  /// Throws Error beginning with `where`.
  Metric(std::string_view text, const std::string& where);

  /// Throws Error for a figure the run does not have. `reference`: of the reference run, if any.
  [[nodiscard]] double value(const Figures& figures, const Figures* reference = nullptr) const;
  /// Reads ref.something.
  [[nodiscard]] bool needs_reference() const;
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  /// In postfix order.
  struct Term {
    enum class Kind : char { Number, Figure, Add, Subtract, Multiply, Divide };
    Kind kind = Kind::Number;
    double number = 0;
    std::string name{};
  };
  class Parser;

  std::string text_{}, where_{};
  std::vector<Term> terms_{};
};

}  // namespace dvmsim
