// A table of published measurements and the runs they are compared with. Owns the form of the file;
// runs nothing. Columns, in any order (needed: id, case, metric, measured):
//
//   id         names the row, once
//   group      rows that are judged together (default: all)
//   chip       for people
//   hardware   hardware file; none: the built-in machine
//   case       a command line: op matmul 256x512 512x128 --l2 warm, or run loop.s --arg n=5;
//              empty: the model cannot express the row, and `gate` says what is missing
//   reference  a second command line, for ratios and differences of two runs
//   metric     what is read from the report: a figure, or an expression (metric.h)
//   measured   a number, or a range as 20..21
//   unit       for people; the metric must give the same
//   tolerance  as in 5%; empty: listed, not gated
//   gate       yes (or empty), or why the row is only listed
//   source, note
//
// Paths are relative to the table. Other columns are refused. A comment line
//   #gate GROUP median=6% p90=10% worst=20%
// is a limit on the errors of the gated rows of a group, any of the three.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/validation/csv.h"
#include "cli/validation/metric.h"

namespace dvmsim {

struct TableRow {
  int line = 0;
  std::string id{}, group{"all"}, chip{}, hardware{}, command{}, reference{};
  Metric metric{};
  double low = 0, high = 0;  // measured; equal unless it is a range
  std::string unit{};
  std::optional<double> tolerance{};  // 0.05 for 5 %
  bool gated = false;
  std::string reason{};  // why not gated
  std::string source{}, note{};
};

struct GroupLimit {
  std::string group{};
  std::optional<double> median{}, p90{}, worst{};
};

struct Table {
  std::string path{}, folder{};
  std::vector<TableRow> rows{};
  std::vector<GroupLimit> limits{};
};

/// Throws Error with file and line. Takes a profiler's operator summary as well (msprof.h).
/// `tolerance`: of rows that state none.
[[nodiscard]] Table parse_table(std::string_view text, const std::string& path,
                                std::optional<double> tolerance = {});

/// "5%" or "12.5 %" as a fraction. Throws Error beginning with `where`.
[[nodiscard]] double parse_percent(const std::string& text, const std::string& where);
/// The words of a command line; "..." keeps blanks. Throws Error beginning with `where`.
[[nodiscard]] std::vector<std::string> words_of(std::string_view text, const std::string& where);

}  // namespace dvmsim
