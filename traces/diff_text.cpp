// A difference for people: columns of before, after and change, most moved first.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "traces/diff.h"
#include "traces/numbers.h"

namespace dvmsim {
namespace {

constexpr std::size_t kNameWidth = 46;

struct Line {
  std::string name{}, before{}, after{}, change{}, share{}, note{};
};

std::string number(double value, const std::string& unit) {
  return unit == "us" ? fmt::format("{:.3f}", value)
                      : grouped(static_cast<std::int64_t>(std::llround(value)));
}

/// Long names lose their middle: the ends of a fused kernel tell it apart.
std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) return name;
  const std::size_t tail = most / 2;
  return name.substr(0, most - tail - 3) + "..." + name.substr(name.size() - tail);
}

std::string share(const Moved& row) {
  if (!row.before || !row.after || *row.before == 0 || row.change() == 0) return "";
  const double percent = 100 * row.change() / *row.before;
  return std::abs(percent) < 0.005 ? "<0.01 %" : fmt::format("{:+.2f} %", percent);
}

void add(std::vector<Line>& lines, const Moved& row, std::size_t depth, std::size_t most) {
  Line line;
  line.name = std::string(2 * depth, ' ') + shortened(row.name, kNameWidth - 2 * depth);
  line.before = row.before ? number(*row.before, row.unit) : "-";
  line.after = row.after ? number(*row.after, row.unit) : "-";
  line.change = number(row.change(), row.unit);
  if (row.change() > 0) line.change = "+" + line.change;
  if (row.unit == "us" || row.unit == "bytes") line.change += row.unit == "us" ? " us" : " B";
  line.share = share(row);
  line.note = row.note;
  lines.push_back(std::move(line));
  const std::size_t shown = most == 0 ? row.parts.size() : std::min(most, row.parts.size());
  for (std::size_t i = 0; i < shown; ++i) add(lines, row.parts[i], depth + 1, most);
  if (shown < row.parts.size()) {
    lines.push_back({fmt::format("{:{}}and {} more", "", 2 * depth + 2, row.parts.size() - shown),
                     "", "", "", "", ""});
  }
}

std::string table(const std::vector<Line>& lines) {
  std::size_t name = 0, before = 0, after = 0, change = 0, share = 0;
  for (const Line& line : lines) {
    name = std::max(name, line.name.size());
    before = std::max(before, line.before.size());
    after = std::max(after, line.after.size());
    change = std::max(change, line.change.size());
    share = std::max(share, line.share.size());
  }
  std::string text;
  for (const Line& line : lines) {
    std::string row = "  " + line.name;
    if (!line.before.empty()) {
      row = fmt::format("  {:<{}}  {:>{}} => {:>{}}  {:>{}}  {:>{}}  {}", line.name, name,
                        line.before, before, line.after, after, line.change, change, line.share,
                        share, line.note);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

}  // namespace

std::string to_text(const Diff& diff, std::size_t most) {
  std::string text = diff.before + "\n";
  if (diff.after != diff.before) text += "=> " + diff.after + "\n";
  for (const std::string& warning : diff.warnings)
    text += "warning: not the same " + warning + "\n";
  if (!diff.moved()) return text + "nothing moved\n";
  for (const Diff::Section& section : diff.sections) {
    text += section.name + (section.what.empty() ? "" : " (" + section.what + ")") + "\n";
    std::vector<Line> lines;
    const std::size_t all = section.rows.size();
    const std::size_t shown = most == 0 ? all : std::min(most, all);
    for (std::size_t i = 0; i < shown; ++i) add(lines, section.rows[i], 0, most);
    if (shown < all) lines.push_back({fmt::format("and {} more", all - shown), {}, {}, {}, {}, {}});
    text += table(lines);
  }
  return text;
}

}  // namespace dvmsim
