#include "traces/diff.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace dvmsim {
namespace {

std::string unit_of(const std::string& figure) {
  if (figure.ends_with("_us")) return "us";
  if (figure.ends_with("_bytes") || figure.ends_with(".bytes_read")) return "bytes";
  return figure.ends_with("cycles") ? "cycles" : "";
}

/// Names in the order of `first`, then those that only `second` has.
template <class Key, class Value>
using Sides = std::vector<std::pair<Key, std::pair<std::optional<Value>, std::optional<Value>>>>;
template <class Key, class Value>
Sides<Key, Value> join(const std::vector<std::pair<Key, Value>>& first,
                       const std::vector<std::pair<Key, Value>>& second) {
  Sides<Key, Value> all;
  std::map<Key, std::size_t> known;
  for (const auto& [key, value] : first) {
    known.emplace(key, all.size());
    all.push_back({key, {value, std::nullopt}});
  }
  for (const auto& [key, value] : second) {
    const auto [at, is_new] = known.emplace(key, all.size());
    if (is_new) all.push_back({key, {std::nullopt, std::nullopt}});
    all[at->second].second.second = value;
  }
  return all;
}

double largest_part(const Moved& row) {
  double most = 0;
  for (const Moved& part : row.parts) {
    most = std::max({most, std::abs(part.change()), largest_part(part)});
  }
  return most;
}

/// Most moved first; ties by what is inside, then in the order they came.
void sort(std::vector<Moved>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const Moved& a, const Moved& b) {
    const double left = std::abs(a.change()), right = std::abs(b.change());
    return left != right ? left > right : largest_part(a) > largest_part(b);
  });
}

void add(std::vector<Moved>& rows, Moved row) {
  if (row.before != row.after || !row.parts.empty()) rows.push_back(std::move(row));
}

using Figures = std::vector<std::pair<std::string, double>>;

/// Of the figures whose name begins with `prefix`, without it.
Figures figures_of(const std::vector<Record::Figure>& figures, const std::string& prefix) {
  Figures some;
  for (const auto& [name, value] : figures) {
    if (name.starts_with(prefix)) some.emplace_back(name.substr(prefix.size()), value);
  }
  return some;
}

std::vector<Moved> moved_figures(const Figures& before, const Figures& after) {
  std::vector<Moved> rows;
  for (const auto& [name, sides] : join(before, after)) {
    add(rows, {name, unit_of(name), sides.first, sides.second, "", {}});
  }
  return rows;
}

template <class Value>
std::vector<std::pair<std::string, Value>> listed(const std::map<std::string, Value>& map) {
  return {map.begin(), map.end()};
}

std::vector<Moved> moved_instructions(const Record::Unit& before, const Record::Unit& after) {
  std::vector<Moved> rows;
  for (const auto& [name, sides] : join(listed(before.instructions), listed(after.instructions))) {
    const auto &a = sides.first, &b = sides.second;
    Moved row{name, "cycles", {}, {}, "", {}};
    if (a) row.before = static_cast<double>(a->cycles);
    if (b) row.after = static_cast<double>(b->cycles);
    const std::int64_t was = a ? a->commands : 0, is = b ? b->commands : 0;
    if (was != is) {
      row.note = std::to_string(was) + " => " + std::to_string(is) + " commands";
    } else if (row.before == row.after) {
      continue;
    } else {
      row.note = std::to_string(is) + (is == 1 ? " command" : " commands");
    }
    rows.push_back(std::move(row));
  }
  sort(rows);
  return rows;
}

/// A row for a pipe and a reason: "vector work", with the instructions that moved below the work.
std::vector<Moved> moved_reasons(const std::vector<Record::Unit>& before,
                                 const std::vector<Record::Unit>& after) {
  std::vector<std::pair<std::string, Record::Unit>> first, second;
  for (const Record::Unit& unit : before) first.emplace_back(unit.name, unit);
  for (const Record::Unit& unit : after) second.emplace_back(unit.name, unit);
  std::vector<Moved> rows;
  const Record::Unit none;
  for (const auto& [name, sides] : join(first, second)) {
    const Record::Unit& a = sides.first ? *sides.first : none;
    const Record::Unit& b = sides.second ? *sides.second : none;
    std::vector<Moved> instructions = moved_instructions(a, b);
    for (const auto& [reason, cycles] : join(listed(a.reasons), listed(b.reasons))) {
      Moved row{name + " " + reason, "cycles", {}, {}, "", {}};
      row.before = static_cast<double>(cycles.first.value_or(0));
      row.after = static_cast<double>(cycles.second.value_or(0));
      if (reason == "work") row.parts = std::move(instructions);
      add(rows, std::move(row));
    }
  }
  sort(rows);
  return rows;
}

/// Cycles by reason, all pipes together.
std::map<std::string, std::int64_t> reasons_of(const Record& record) {
  std::map<std::string, std::int64_t> sums;
  for (const Record::Unit& unit : record.units) {
    for (const auto& [reason, cycles] : unit.reasons) sums[reason] += cycles;
  }
  return sums;
}

/// The work of every operator, by instruction.
Record::Unit instructions_of(const Record& record) {
  Record::Unit sum;
  for (const Record::Operator& each : record.operators) {
    for (const Record::Unit& unit : each.units) {
      for (const auto& [name, met] : unit.instructions) {
        sum.instructions[name].commands += met.commands;
        sum.instructions[name].cycles += met.cycles;
      }
    }
  }
  return sum;
}

std::vector<Moved> moved_sums(const std::vector<std::pair<std::string, std::int64_t>>& before,
                              const std::vector<std::pair<std::string, std::int64_t>>& after) {
  std::vector<Moved> rows;
  for (const auto& [name, sides] : join(before, after)) {
    add(rows, {name,
               "cycles",
               static_cast<double>(sides.first.value_or(0)),
               static_cast<double>(sides.second.value_or(0)),
               "",
               {}});
  }
  sort(rows);
  return rows;
}

std::vector<std::string> members_of(const std::string& label) {
  std::vector<std::string> members;
  for (std::size_t at = 0;;) {
    const std::size_t end = label.find(", ", at);
    members.push_back(label.substr(at, end - at));
    if (end == std::string::npos) return members;
    at = end + 2;
  }
}

/// Operators of either run that compute the same part of the graph.
struct Match {
  std::vector<const Record::Operator*> before{}, after{};
};

/// Labels that share a graph operator belong together.
class Matching {
 public:
  Matching(const Record& before, const Record& after) {
    for (const auto& each : before.operators) place(each.name).before.push_back(&each);
    for (const auto& each : after.operators) place(each.name).after.push_back(&each);
  }

  /// One by one where both runs launch the same labels.
  [[nodiscard]] std::vector<Match> take() {
    std::vector<Match> all;
    for (const Match& match : matches_) {
      if (!same_labels(match)) {
        if (!match.before.empty() || !match.after.empty()) all.push_back(match);
        continue;
      }
      for (const auto* one : match.before) {
        const auto other = std::find_if(match.after.begin(), match.after.end(),
                                        [&](const auto* each) { return each->name == one->name; });
        all.push_back({{one}, {*other}});
      }
    }
    return all;
  }

 private:
  static bool same_labels(const Match& match) {
    std::set<std::string> first, second;
    for (const auto* each : match.before) first.insert(each->name);
    for (const auto* each : match.after) second.insert(each->name);
    return first == second;
  }
  Match& place(const std::string& label) {
    const std::vector<std::string> members = members_of(label);
    std::size_t home = matches_.size();
    for (const std::string& member : members) {
      const auto known = home_.find(member);
      if (known != home_.end()) home = std::min(home, known->second);
    }
    if (home == matches_.size()) matches_.emplace_back();
    for (const std::string& member : members) {
      const auto [known, is_new] = home_.emplace(member, home);
      if (!is_new && known->second != home) merge(known->second, home);
    }
    return matches_[home];
  }
  void merge(std::size_t from, std::size_t to) {
    for (auto& [member, home] : home_) {
      if (home == from) home = to;
    }
    const auto move = [](auto& source, auto& target) {
      target.insert(target.end(), source.begin(), source.end());
      source.clear();
    };
    move(matches_[from].before, matches_[to].before);
    move(matches_[from].after, matches_[to].after);
  }

  std::vector<Match> matches_{};
  std::map<std::string, std::size_t> home_{};  // of each graph operator
};

/// Several operators as one.
Record::Operator sum_of(const std::vector<const Record::Operator*>& operators) {
  Record::Operator sum;
  std::map<std::string, double> figures;
  std::map<std::string, Record::Unit> units;
  for (const auto* each : operators) {
    sum.name += (sum.name.empty() ? "" : " | ") + each->name;
    for (const auto& [name, value] : each->figures) figures[name] += value;
    for (const Record::Unit& unit : each->units) {
      Record::Unit& all = units[unit.name];
      all.name = unit.name;
      for (const auto& [reason, cycles] : unit.reasons) all.reasons[reason] += cycles;
      for (const auto& [name, met] : unit.instructions) {
        all.instructions[name].commands += met.commands;
        all.instructions[name].cycles += met.cycles;
      }
    }
  }
  for (const auto& [name, value] : figures) sum.figures.push_back({name, value});
  for (auto& [name, unit] : units) sum.units.push_back(std::move(unit));
  return sum;
}

constexpr const char* kCycles = "cycles";
constexpr const char* kExposed = "exposed_cycles";

Moved moved_operator(const Match& match) {
  const Record::Operator before = sum_of(match.before), after = sum_of(match.after);
  Moved row;
  row.unit = kCycles;
  row.name = match.after.empty() ? before.name : after.name;
  if (match.before.empty()) row.note = "only after";
  if (match.after.empty()) row.note = "only before";
  if (row.note.empty() && before.name != after.name) row.note = "before: " + before.name;
  const bool in_both = !match.before.empty() && !match.after.empty();
  if (in_both) row.parts = moved_reasons(before.units, after.units);
  const auto figures = moved_figures(figures_of(before.figures, ""), figures_of(after.figures, ""));
  for (const Moved& figure : figures) {
    if (in_both && figure.name != kCycles) row.parts.push_back(figure);
  }
  for (const auto& [name, value] : before.figures) {
    if (name == kCycles) row.before = value;
  }
  for (const auto& [name, value] : after.figures) {
    if (name == kCycles) row.after = value;
  }
  return row;
}

std::vector<Moved> moved_operators(const Record& before, const Record& after) {
  std::vector<Moved> rows;
  for (const Match& match : Matching(before, after).take()) add(rows, moved_operator(match));
  sort(rows);
  return rows;
}

void warn(Diff& diff, const Record& before, const Record& after) {
  for (const auto& [name, sides] : join(before.subject, after.subject)) {
    const std::string a = sides.first.value_or(""), b = sides.second.value_or("");
    if (a == b) continue;
    const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
    if (name == "machine_hash") {
      diff.warnings.push_back("parameters of the machine");
    } else {
      diff.warnings.push_back(name + ": " + shown(a) + " => " + shown(b));
    }
  }
}

/// Warns of what one run alone has measured.
bool both(Diff& diff, const std::string& what, bool before, bool after) {
  if (before != after) {
    diff.warnings.push_back(what + (before ? ": measured => none" : ": none => measured"));
  }
  return before && after;
}

}  // namespace

Diff compare(const Record& before, const Record& after) {
  Diff diff;
  diff.before = title_of(before);
  diff.after = title_of(after);
  warn(diff, before, after);
  const auto section = [&](const std::string& name, const std::string& what,
                           std::vector<Moved> rows) {
    if (!rows.empty()) diff.sections.push_back({name, what, std::move(rows)});
  };
  const auto figures = [&](const std::string& prefix) {
    return moved_figures(figures_of(before.figures, prefix), figures_of(after.figures, prefix));
  };
  std::vector<Moved> totals = figures("");
  std::erase_if(totals, [](const Moved& row) { return row.name.find('.') != std::string::npos; });
  section("totals", "", std::move(totals));
  section("operators", "cycles of their launches; of the cores together below",
          moved_operators(before, after));
  section("pipes", "cycles of all cores together", moved_reasons(before.units, after.units));
  section("reasons", "cycles of all pipes together",
          moved_sums(listed(reasons_of(before)), listed(reasons_of(after))));
  section("instructions", "cycles of work of all cores together",
          moved_instructions(instructions_of(before), instructions_of(after)));
  const bool decode_before = !figures_of(before.figures, "decode.").empty();
  const bool decode_after = !figures_of(after.figures, "decode.").empty();
  std::vector<Moved> firmware = figures("firmware.");
  const bool decode = both(diff, "decode", decode_before, decode_after);
  if (!decode) std::erase_if(firmware, [](const auto& row) { return row.name == kExposed; });
  section("firmware", "", std::move(firmware));
  if (decode) section("decode", "", figures("decode."));
  section("host", "", figures("host."));
  section("memory", "bytes moved", figures("memory."));
  section("device memory", "bytes in use at the peak", figures("device_memory."));
  if (both(diff, "critical path", !before.path.empty(), !after.path.empty())) {
    section("critical path", "cycles", moved_sums(before.path, after.path));
  }
  return diff;
}

}  // namespace dvmsim
