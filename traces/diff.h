// What moved between two runs: totals, operators with their pipes, reasons and instructions, the
// whole device's pipes and reasons, firmware, host, memory, critical path. What did not move is not
// in it. Owns the comparison and its forms; the figures are Record's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "traces/record.h"

namespace dvmsim {

/// A figure that moved, or one of whose parts did. Rows are sorted by how much they moved.
struct Moved {
  std::string name{};
  std::string unit{};                       // "cycles", "us", "bytes", "" (a count)
  std::optional<double> before{}, after{};  // empty: the run has no such thing
  std::string note{};
  std::vector<Moved> parts{};

  [[nodiscard]] double change() const { return after.value_or(0) - before.value_or(0); }
};

struct Diff {
  struct Section {
    std::string name{};
    std::string what{};  // the figures count what
    std::vector<Moved> rows{};
  };
  std::string before{}, after{};        // titles of the runs
  std::vector<std::string> warnings{};  // what else differs: machine, model, strategy ...
  std::vector<Section> sections{};      // without empty ones

  [[nodiscard]] bool moved() const { return !sections.empty(); }
};

/// Operators are matched by name; those of fused kernels by the graph operators they share: if one
/// run launches 'a, b' and the other 'a' and 'b', the two are compared with the one.
[[nodiscard]] Diff compare(const Record& before, const Record& after);

/// For people: at most `most` rows of a section and `most` parts of a row; 0: all.
[[nodiscard]] std::string to_text(const Diff& diff, std::size_t most);
/// All of it. Members: schema, before, after, warnings, moved, sections: [{name, rows: [{name,
/// unit, before, after, change, note, parts}]}]; before or after is null if it is not there.
[[nodiscard]] std::string to_json(const Diff& diff);

}  // namespace dvmsim
