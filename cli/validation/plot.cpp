#include "cli/validation/plot.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/validation/print.h"

namespace dvmsim {
namespace {

constexpr double kLeft = 70, kTop = 30, kSide = 560, kBottom = kTop + kSide;
constexpr double kLegend = kLeft + kSide + 20;

/// Colours of eight groups, told apart in daltonism too; then again from the start.
constexpr std::array kLight = {"#0072b2", "#d55e00", "#009e73", "#aa4499",
                               "#8a6d00", "#44515c", "#cc3311", "#3355cc"};
constexpr std::array kDark = {"#56b4e9", "#ff9a4d", "#2fd6a3", "#e39bd3",
                              "#f0e442", "#b8c4ce", "#ff7d66", "#8fa8ff"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
    }
  }
  return out;
}

/// Whole decades around everything that is drawn.
struct Axis {
  int from = 0, to = 1;
  explicit Axis(const std::vector<RowScore>& rows) {
    double least = 1e300, most = 0;
    for (const RowScore& row : rows) {
      if (!row.simulated || *row.simulated <= 0) continue;
      least = std::min({least, *row.simulated, row.row->low});
      most = std::max({most, *row.simulated, row.row->high});
    }
    if (most == 0) return;
    from = static_cast<int>(std::floor(std::log10(least)));
    to = std::max(from + 1, static_cast<int>(std::ceil(std::log10(most))));
  }
  /// Distance from the origin of the axis.
  [[nodiscard]] double at(double value) const {
    return (std::log10(value) - from) / (to - from) * kSide;
  }
  [[nodiscard]] double x(double value) const { return kLeft + at(value); }
  [[nodiscard]] double y(double value) const { return kBottom - at(value); }
};

std::string style() {
  std::string text =
      "<style>svg{background:#fff;color:#222;font:12px sans-serif}text{fill:currentColor}"
      ".grid{stroke:currentColor;stroke-opacity:.15}.frame{stroke:currentColor;fill:none}"
      ".band{fill:currentColor;fill-opacity:.07}.listed{fill-opacity:0;stroke-width:1.5}";
  for (std::size_t i = 0; i < kLight.size(); ++i) {
    text += fmt::format(".g{}{{fill:{};stroke:{}}}", i, kLight[i], kLight[i]);
  }
  text += "@media(prefers-color-scheme:dark){svg{background:#181a1b;color:#ddd}";
  for (std::size_t i = 0; i < kDark.size(); ++i) {
    text += fmt::format(".g{}{{fill:{};stroke:{}}}", i, kDark[i], kDark[i]);
  }
  return text + "}</style>\n";
}

std::string band(const Axis& axis, double share) {
  const double least = std::pow(10.0, axis.from), most = std::pow(10.0, axis.to);
  return fmt::format(
      "<polygon class=\"band\" clip-path=\"url(#area)\" points=\"{:.1f},{:.1f} {:.1f},{:.1f} "
      "{:.1f},{:.1f} {:.1f},{:.1f}\"/>\n",
      axis.x(least), axis.y(least * (1 - share)), axis.x(most), axis.y(most * (1 - share)),
      axis.x(most), axis.y(most * (1 + share)), axis.x(least), axis.y(least * (1 + share)));
}

std::string grid(const Axis& axis) {
  std::string text = fmt::format(
      "<clipPath id=\"area\"><rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{2}\"/></clipPath>\n"
      "<rect class=\"frame\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{2}\"/>\n",
      kLeft, kTop, kSide);
  for (int decade = axis.from; decade <= axis.to; ++decade) {
    const double value = std::pow(10.0, decade);
    text += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}M{3} {4:.1f}H{5}\"/>\n"
        "<text x=\"{0:.1f}\" y=\"{6}\" text-anchor=\"middle\">{7:g}</text>\n"
        "<text x=\"{8}\" y=\"{9:.1f}\" text-anchor=\"end\">{7:g}</text>\n",
        axis.x(value), kTop, kBottom, kLeft, axis.y(value), kLeft + kSide, kBottom + 18, value,
        kLeft - 6, axis.y(value) + 4);
  }
  const double middle = kLeft + kSide / 2;
  text += fmt::format(
      "<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">measured, in the unit of each row</text>\n"
      "<text transform=\"translate(18,{2}) rotate(-90)\" text-anchor=\"middle\">simulated</text>\n",
      middle, kBottom + 40, kTop + kSide / 2);
  return text + fmt::format("<path class=\"frame\" d=\"M{} {}L{} {}\"/>\n", kLeft, kBottom,
                            kLeft + kSide, kTop);
}

std::string point(const RowScore& score, const Axis& axis, std::size_t colour) {
  const TableRow& row = *score.row;
  const double measured = std::clamp(*score.simulated, row.low, row.high);
  const std::string title =
      fmt::format("{} {}: measured {}, simulated {} {} ({:+.1f} %)\n{} : {}", row.id, row.chip,
                  short_number(measured), short_number(*score.simulated), row.unit,
                  score.error * 100, row.command, row.metric.text());
  return fmt::format(
      "<circle class=\"g{}{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{}</title></circle>\n",
      colour, row.gated ? "" : " listed", axis.x(measured), axis.y(*score.simulated),
      escaped(title));
}

}  // namespace

std::string to_svg(const Score& score) {
  const Axis axis(score.rows);
  std::vector<std::string> groups;
  std::string points;
  for (const RowScore& row : score.rows) {
    if (!row.simulated || *row.simulated <= 0) continue;
    const auto found = std::find(groups.begin(), groups.end(), row.row->group);
    const auto index = static_cast<std::size_t>(found - groups.begin());
    if (found == groups.end()) groups.push_back(row.row->group);
    points += point(row, axis, index % kLight.size());
  }
  std::string legend;
  double y = kTop + 10;
  for (std::size_t i = 0; i < groups.size(); ++i, y += 20) {
    legend += fmt::format(
        "<circle class=\"g{}\" cx=\"{}\" cy=\"{}\" r=\"4\"/><text x=\"{}\" y=\"{}\">{}</text>\n",
        i % kLight.size(), kLegend, y, kLegend + 10, y + 4, escaped(groups[i]));
  }
  legend += fmt::format(
      "<text x=\"{0}\" y=\"{1}\">bands: 5 % and 20 %</text>\n"
      "<text x=\"{0}\" y=\"{2}\">hollow: listed, not gated</text>\n",
      kLegend, y + 14, y + 34);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 660\" width=\"860\" "
         "height=\"660\">\n<title>Simulated against measured</title>\n" +
         style() + band(axis, 0.2) + band(axis, 0.05) + grid(axis) + points + legend + "</svg>\n";
}

}  // namespace dvmsim
