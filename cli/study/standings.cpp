#include "cli/study/standings.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "cli/text/text_table.h"

namespace dvmsim {
namespace {

constexpr std::size_t kMostLevels = 6, kRuns = 3;

Standings::Wins sorted(const std::map<std::string, int>& counts) {
  Standings::Wins wins(counts.begin(), counts.end());
  std::stable_sort(wins.begin(), wins.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return wins;
}

/// Which level each value of the axis belongs to, and the levels' texts.
std::vector<std::size_t> levels_of(const StandingsAxis& axis, std::vector<std::string>& texts) {
  const std::size_t count = axis.values.size();
  const std::size_t levels = count > kMostLevels ? kRuns : count;
  std::vector<std::size_t> level(count);
  texts.assign(levels, "");
  for (std::size_t i = 0; i < count; ++i) {
    level[i] = i * levels / count;
    std::string& text = texts[level[i]];
    if (text.empty()) {
      text = axis.values[i];
    } else {
      text = text.substr(0, text.find("..")) + ".." + axis.values[i];
    }
  }
  return level;
}

double share_of(const Standings::Level& level, const std::string& winner) {
  for (const auto& [name, count] : level.wins) {
    if (name == winner) return static_cast<double>(count) / level.points;
  }
  return 0;
}

/// How far two levels of so many draws differ, but in one case of a hundred or so.
double chance(double share, double a, double b) {
  constexpr double kDeviations = 2.6;
  return kDeviations * std::sqrt(share * (1 - share) * (1 / a + 1 / b));
}

Standings::Axis axis_of(const StandingsAxis& axis, std::size_t index,
                        const std::vector<StandingsPoint>& points, const Standings& all,
                        std::size_t drawn) {
  Standings::Axis made{axis.name, 0, {}};
  std::vector<std::string> texts;
  const std::vector<std::size_t> level_of = levels_of(axis, texts);
  std::vector<std::map<std::string, int>> counts(texts.size());
  for (const StandingsPoint& point : points) {
    if (point.winner.empty() || point.values[index] < 0) continue;
    ++counts[level_of[static_cast<std::size_t>(point.values[index])]][point.winner];
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Standings::Level level{texts[i], 0, sorted(counts[i])};
    for (const auto& [winner, count] : level.wins) level.points += count;
    if (level.points > 0) made.levels.push_back(std::move(level));
  }
  const double draws = static_cast<double>(drawn) / all.points;  // of a point
  made.by_chance = drawn > 0;
  for (const auto& [winner, count] : all.wins) {
    const double share = static_cast<double>(count) / all.points;
    for (const Standings::Level& a : made.levels) {
      for (const Standings::Level& b : made.levels) {
        const double moved = share_of(a, winner) - share_of(b, winner);
        made.moved = std::max(made.moved, moved);
        const bool more = moved > chance(share, draws * a.points, draws * b.points);
        made.by_chance = made.by_chance && !more;
      }
    }
  }
  return made;
}

std::string wins_text(const Standings::Wins& wins, int points) {
  std::string text;
  for (const auto& [winner, count] : wins) {
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", winner, 100.0 * count / points);
  }
  return text;
}

}  // namespace

StandingsAxis standings_axis(const std::string& name, const std::vector<std::string>& texts) {
  StandingsAxis axis{name, {}};
  for (const std::string& text : texts) {
    if (std::find(axis.values.begin(), axis.values.end(), text) == axis.values.end()) {
      axis.values.push_back(text);
    }
  }
  if (axis.values.size() <= kMostLevels) return axis;
  std::stable_sort(axis.values.begin(), axis.values.end(), [](const auto& a, const auto& b) {
    return std::strtod(a.c_str(), nullptr) < std::strtod(b.c_str(), nullptr);
  });
  return axis;
}

Standings standings_of(const std::vector<StandingsAxis>& axes,
                       const std::vector<StandingsPoint>& points, std::size_t drawn) {
  Standings standings;
  std::map<std::string, int> counts;
  for (const StandingsPoint& point : points) {
    if (point.winner.empty()) continue;
    ++standings.points;
    ++counts[point.winner];
  }
  standings.wins = sorted(counts);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    standings.axes.push_back(axis_of(axes[i], i, points, standings, drawn));
  }
  std::stable_sort(
      standings.axes.begin(), standings.axes.end(),
      [](const Standings::Axis& a, const Standings::Axis& b) { return a.moved > b.moved; });
  return standings;
}

std::string to_text(const Standings& standings, const std::string& of) {
  if (standings.points == 0) return "";
  std::string text = fmt::format("\n{}: {} of {} points\n", of,
                                 wins_text(standings.wins, standings.points), standings.points);
  TextTable table({true, false, true});
  table.add({"axis", "moves", "who wins where"});
  std::string others;
  for (const Standings::Axis& axis : standings.axes) {
    if (axis.levels.size() < 2) continue;
    if (axis.by_chance) {
      others += (others.empty() ? "" : ", ") + axis.name;
      continue;
    }
    std::string levels;
    for (const Standings::Level& level : axis.levels) {
      levels += fmt::format("{}{}: {}", levels.empty() ? "" : "; ", level.text,
                            wins_text(level.wins, level.points));
    }
    table.add({axis.name, fmt::format("{:.0f} %", 100 * axis.moved), levels});
  }
  if (!others.empty()) others = "  no more than chance: " + others + "\n";
  return text + table.text() + others;
}

}  // namespace dvmsim
