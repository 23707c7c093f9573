#include "cli/regression/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "traces/numbers.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Kind = CaseResult::Kind;

constexpr const char* kCycles = "cycles";
constexpr const char* kAll = "all";

/// "host" of "host.launches".
std::string group_of(const std::string& figure) {
  return figure.substr(0, figure.find('.'));
}

const Tolerance* tolerance_for(const RegressionCase& asked, const std::string& figure) {
  const Tolerance *of_group = nullptr, *of_all = nullptr;
  for (const Tolerance& each : asked.tolerances) {
    if (each.figure == figure) return &each;
    if (each.figure == group_of(figure)) of_group = &each;
    if (each.figure == kAll) of_all = &each;
  }
  return of_group != nullptr ? of_group : of_all;
}

void check_tolerances(const RegressionCase& asked, const Record& now) {
  for (const Tolerance& each : asked.tolerances) {
    const bool known =
        each.figure == kAll ||
        std::any_of(now.figures.begin(), now.figures.end(), [&](const Record::Figure& figure) {
          return figure.name == each.figure || group_of(figure.name) == each.figure;
        });
    if (known) continue;
    std::string names;
    for (const auto& figure : now.figures) names += (names.empty() ? "" : ", ") + figure.name;
    throw Error(each.place + ": tolerance of '" + each.figure + "': a report has " + names +
                "; or all");
  }
}

std::string amount(const std::optional<double>& value) {
  if (!value) return "none";
  const double whole = std::nearbyint(*value);
  return whole == *value ? grouped(static_cast<std::int64_t>(whole))
                         : fmt::format("{:.3f}", *value);
}

std::string change(double before, double after) {
  if (before == 0 || before == after) return "";
  const double percent = 100 * (after - before) / before;
  return std::abs(percent) < 0.005 ? " (<0.01 %)" : fmt::format(" ({:+.2f} %)", percent);
}

std::map<std::string, double> by_name(const Record& record) {
  std::map<std::string, double> figures;
  for (const auto& [name, value] : record.figures) figures[name] = value;
  return figures;
}

void judge_figures(CaseResult& result, const RegressionCase& asked, const Record& baseline,
                   const Record& now) {
  const std::map<std::string, double> recorded = by_name(baseline), measured = by_name(now);
  std::vector<std::pair<std::string, std::optional<double>>> all;  // in the report's order
  for (const auto& [name, value] : now.figures) all.emplace_back(name, value);
  for (const auto& [name, value] : baseline.figures) {
    if (!measured.contains(name)) all.emplace_back(name, std::nullopt);
  }
  for (const auto& [name, after] : all) {
    std::optional<double> before;
    if (const auto found = recorded.find(name); found != recorded.end()) before = found->second;
    if (before == after) continue;
    const Tolerance* tolerance = tolerance_for(asked, name);
    const double share = tolerance == nullptr ? 0 : tolerance->share;
    if (std::isinf(share)) continue;
    if (before && after && std::abs(*after - *before) <= share * std::abs(*before)) continue;
    std::string text = name + " " + amount(before) + " => " + amount(after);
    if (before && after) text += change(*before, *after);
    text += share == 0 ? ", exact is asked for" : fmt::format(", {:g} % is allowed", 100 * share);
    result.why.push_back(std::move(text));
  }
}

void note_figures(CaseResult& result, const Record* baseline, const Record& now) {
  const auto figures = by_name(now);
  result.cycles = figures.at(kCycles);
  result.e2e = figures.at("e2e_us");
  if (baseline == nullptr) return;
  const auto recorded = by_name(*baseline);
  result.cycles_before = recorded.at(kCycles);
  result.e2e_before = recorded.at("e2e_us");
}

/// "'l0.act': vector work, vadd": the operator that moved most, and in it the pipe, the reason and
/// the instruction.
std::string culprit_of(const Diff& diff) {
  for (const Diff::Section& section : diff.sections) {
    if (section.name != "operators") continue;
    const Moved& row = section.rows.front();
    std::string text = "'" + row.name + "'";
    if (row.parts.empty()) return text;
    // Work comes before what waited for it.
    const auto work = std::find_if(row.parts.begin(), row.parts.end(),
                                   [](const Moved& part) { return !part.parts.empty(); });
    if (work == row.parts.end()) return text + ": " + row.parts.front().name;
    return text + ": " + work->name + ", " + work->parts.front().name;
  }
  return "";
}

std::string label_of(Kind kind) {
  constexpr const char* kLabels[] = {"same", "within", "MOVED", "NEW", "GONE", "REFUSED"};
  return kLabels[static_cast<std::size_t>(kind)];
}

}  // namespace

CaseResult judge(const RegressionCase& asked, const Record& baseline, const Record& now) {
  check_tolerances(asked, now);
  CaseResult result;
  result.name = asked.name;
  note_figures(result, &baseline, now);
  result.diff = compare(baseline, now);
  judge_figures(result, asked, baseline, now);
  const bool exact = tolerance_for(asked, kCycles) == nullptr;
  if (result.why.empty() && exact) {
    for (const Diff::Section& section : result.diff.sections) {
      if (section.name == "operators" || section.name == "pipes" ||
          section.name == "critical path") {
        result.why.push_back(section.name + " moved, exact is asked for");
      }
    }
  }
  if (!result.why.empty()) {
    result.kind = Kind::Moved;
  } else if (result.diff.moved()) {
    result.kind = Kind::Within;
  }
  result.mostly = culprit_of(result.diff);
  return result;
}

CaseResult judge_new(const RegressionCase& asked, const Record& now) {
  check_tolerances(asked, now);
  CaseResult result;
  result.name = asked.name;
  result.kind = Kind::New;
  note_figures(result, nullptr, now);
  return result;
}

std::string summary_of(const std::vector<CaseResult>& results) {
  std::size_t good = 0, slower = 0, faster = 0, other = 0;
  std::map<Kind, std::size_t> counts;
  for (const CaseResult& each : results) {
    good += each.pass() ? 1 : 0;
    ++counts[each.kind];
    if (each.kind != Kind::Moved) continue;
    ++(each.cycles > each.cycles_before   ? slower
       : each.cycles < each.cycles_before ? faster
                                          : other);
  }
  std::string text = fmt::format("{} of {} cases are as recorded", good, results.size());
  if (counts[Kind::Within] > 0) {
    text += fmt::format(", {} of them moved within their tolerances", counts[Kind::Within]);
  }
  if (counts[Kind::Moved] > 0) {
    text += fmt::format("; {} moved: {} slower, {} faster, {} in the same cycles",
                        counts[Kind::Moved], slower, faster, other);
  }
  if (counts[Kind::New] > 0) text += fmt::format("; {} without a baseline", counts[Kind::New]);
  if (counts[Kind::Gone] > 0)
    text += fmt::format("; {} baselines without a case", counts[Kind::Gone]);
  if (counts[Kind::Refused] > 0)
    text += fmt::format("; {} could not be run", counts[Kind::Refused]);
  return text;
}

std::string line_of(const CaseResult& result, std::size_t width) {
  std::string figures;
  if (result.kind == Kind::Same || result.kind == Kind::New) {
    figures = amount(result.cycles) + " cycles";
  } else if (result.kind == Kind::Within || result.kind == Kind::Moved) {
    figures = amount(result.cycles_before);
    if (result.cycles != result.cycles_before) figures += " => " + amount(result.cycles);
    figures += " cycles" + change(result.cycles_before, result.cycles);
    if (!result.mostly.empty()) figures += "; most in " + result.mostly;
  }
  std::string line =
      fmt::format("  {:<7}  {:<{}}  {}", label_of(result.kind), result.name, width, figures);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string details_of(const CaseResult& result, std::size_t most) {
  switch (result.kind) {
    case Kind::Same:
    case Kind::Within:
      return "";
    case Kind::New:
      return "there is no baseline; --update records it\n";
    case Kind::Gone:
      return "the list has no such case; --update forgets the baseline\n";
    case Kind::Refused:
      return result.error + "\n";
    case Kind::Moved:
      break;
  }
  std::string text = result.why.front();
  if (result.why.size() > 1) text += fmt::format("; and {} more", result.why.size() - 1);
  return text + "\n" + to_text(result.diff, most);
}

}  // namespace dvmsim
