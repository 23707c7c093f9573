#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "cli/comparison/report.h"
#include "cli/study/standings.h"
#include "cli/text/text_table.h"
#include "traces/stream_report.h"

namespace dvmsim {
namespace {

/// Three digits or so: "12.3 us", "4.57 ms", "1.61 s".
std::string time_text(double us) {
  const auto digits = [](double value) { return value < 9.995 ? 2 : value < 99.95 ? 1 : 0; };
  if (us < 999.5) return fmt::format("{:.{}f} us", us, digits(us));
  if (us < 999500) return fmt::format("{:.{}f} ms", us / 1e3, digits(us / 1e3));
  return fmt::format("{:.{}f} s", us / 1e6, digits(us / 1e6));
}

std::string size_text(std::int64_t bytes) {
  const auto size = static_cast<double>(bytes) / 1024;
  return size < 999.5 ? fmt::format("{:.1f} KiB", size) : fmt::format("{:.1f} MiB", size / 1024);
}

std::string share_text(double share) {
  const double percent = share * 100;
  if (percent == 0 || percent >= 99.95) return fmt::format("{:.0f} %", percent);
  return percent < 0.0995 ? fmt::format("{:.1g} %", percent) : fmt::format("{:.1f} %", percent);
}

constexpr std::size_t kMostCases = 32;

class Summary {
 public:
  explicit Summary(const ComparisonReport& report) : report_(report) {}

  std::string text() {
    text_ = fmt::format("{}\n", report_.title);
    for (std::size_t i = 0; i < report_.cases.size() && i < kMostCases; ++i) {
      const ComparedCase& each = report_.cases[i];
      heading(each);
      at_own_cost(each);
      by_cost(each);
      break_even(each);
    }
    if (report_.cases.size() > kMostCases) {
      text_ += fmt::format("\nand {} more cases, which --json, --csv and --html have\n",
                           report_.cases.size() - kMostCases);
    } else {
      over_workloads();
    }
    standings();
    footnotes();
    return std::move(text_);
  }

 private:
  /// Constants of the strategy itself that have no source.
  static std::vector<std::string> own_assumed(const StrategyFigures& one) {
    std::vector<std::string> own;
    std::copy_if(one.assumed.begin(), one.assumed.end(), std::back_inserter(own),
                 [](const std::string& text) { return !text.starts_with("host."); });
    return own;
  }
  /// Those that an axis of the study varies are named without a value.
  [[nodiscard]] std::vector<std::string> unvaried(std::vector<std::string> assumed) const {
    for (std::string& each : assumed) {
      for (const auto& [axis, value] : report_.cases.front().axes) {
        if (each.starts_with(axis + "=")) each = axis + " (varied)";
      }
    }
    return assumed;
  }
  static std::string marked(const StrategyFigures& one) {
    return one.name + (own_assumed(one).empty() ? "" : "*");
  }

  static std::string place_of(const ComparedCase& each) {
    std::string place = each.machine;
    for (const auto& [name, value] : each.axes) place += fmt::format(" {}={}", name, value);
    return place;
  }

  void heading(const ComparedCase& each) {
    text_ += fmt::format("\n{} on {}: {} runs of {} shapes, {} operators{}\n", each.workload,
                         place_of(each), each.stream.steps.size(), each.stream.shapes.size(),
                         each.operators, dispatched(each));
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty()) text_ += fmt::format("  {}: {}\n", one.name, one.refused);
    }
  }

  /// What strategies that dispatch operators one by one made of them.
  static std::string dispatched(const ComparedCase& each) {
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty() || one.shapes.front().operators.framework == 0) continue;
      const OperatorCounts& counts = one.shapes.front().operators;
      std::string text = fmt::format(", {} dispatched by the framework", counts.framework);
      const char* before = ": ";
      for (const auto& [kind, count] : counts.rerolled) {
        text += fmt::format("{}{} {}", before, kind, count);
        before = ", ";
      }
      return text;
    }
    return "";
  }

  void at_own_cost(const ComparedCase& each) {
    TextTable table({true, false});
    table.add({"launch cost: own", "total", "first", "p50", "p90", "p99", "max", "again", "device",
               "compile", "encode", "ahead", "launches", "decode l/n/h us", "code", "padding"});
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty()) continue;
      const StreamFigures& stream = one.streams.front();
      const auto tail = [&](double share) {
        return time_text(percentile(stream.latency_us, share));
      };
      const double steps = static_cast<double>(stream.latency_us.size());
      table.add({marked(one), time_text(stream.total_us), time_text(stream.latency_us.front()),
                 tail(0.5), tail(0.9), tail(0.99), tail(1), time_text(bargain_of(one, 0).again_us),
                 time_text((stream.head_us + stream.body_us) / steps),
                 time_text(stream.exposed_compile_us), time_text(stream.exposed_encode_us),
                 one.ahead_us > 0 ? time_text(one.ahead_us) : "-",
                 fmt::format("{}", one.shapes.front().launches), decode_text(one),
                 size_text(one.code_bytes), share_text(padding_share(one, each.stream))});
    }
    text_ += table.text();
  }

  static std::string decode_text(const StrategyFigures& one) {
    if (!one.decode) return "-";
    const auto& us = one.decode->exposed_us;
    return fmt::format("{:.1f}/{:.1f}/{:.1f}", us[0], us[1], us[2]);
  }

  /// Mean time of a run, with everything that comes with new shapes, and of known ones.
  void by_cost(const ComparedCase& each) {
    TextTable table({true, false});
    std::vector<std::string> head = {"mean: known shape | whole stream"};
    const auto& costs = report_.launch_costs;
    head.insert(head.end(), costs.begin(), costs.end());
    head.emplace_back("|");
    head.insert(head.end(), costs.begin(), costs.end());
    table.add(head);
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty()) continue;
      std::vector<std::string> row = {marked(one)};
      for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
        row.push_back(time_text(bargain_of(one, cost).again_us));
      }
      row.emplace_back("|");
      for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
        const StreamFigures& stream = one.streams[cost];
        row.push_back(time_text(stream.total_us / static_cast<double>(stream.latency_us.size())));
      }
      table.add(row);
    }
    text_ += "\n" + table.text();
  }

  void break_even(const ComparedCase& each) {
    text_ += "\n  best, by the share of runs with a new shape (1 in N: each shape comes N times)\n";
    std::string last;
    std::string costs;
    const auto flush = [&] {
      if (!last.empty()) text_ += fmt::format("    {}: {}\n", costs, last);
    };
    for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
      const std::string now = wins_text(each, cost);
      if (now != last) {
        flush();
        last = now;
        costs = "launch " + report_.launch_costs[cost];
      } else {
        costs += ", " + report_.launch_costs[cost];
      }
    }
    flush();
    duels(each);
  }

  std::string wins_text(const ComparedCase& each, std::size_t cost) const {
    std::string text;
    for (const Win& win : winners_of(each, cost)) {
      const std::string& name = each.strategies[win.strategy].name;
      if (!text.empty()) text += ", then ";
      text += name;
      if (win.to < 1) {
        text += fmt::format(" up to {} (1 in {:.0f})", share_text(win.to), std::ceil(1 / win.to));
      }
    }
    return text;
  }

  void duels(const ComparedCase& each) {
    const StrategyFigures* reference = nullptr;
    TextTable table({true, false});
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty()) continue;
      if (reference == nullptr) {
        reference = &one;
        std::vector<std::string> head = {"beats " + one.name + ", runs a shape"};
        head.insert(head.end(), report_.launch_costs.begin(), report_.launch_costs.end());
        table.add(head);
        continue;
      }
      std::vector<std::string> row = {one.name};
      for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
        row.push_back(text_of(duel(bargain_of(one, cost), bargain_of(*reference, cost))));
      }
      table.add(row);
    }
    text_ += table.text();
  }

  /// Ratios to the first strategy: workload by workload, and geometric means by launch cost.
  void over_workloads() {
    if (report_.cases.size() < 2) return;
    TextTable table({true, true, false});
    std::vector<std::string> head = {
        "times faster than " + report_.cases.front().strategies.front().name,
        "known shape / whole stream"};
    for (std::size_t i = 1; i < report_.cases.front().strategies.size(); ++i) {
      head.push_back(report_.cases.front().strategies[i].name);
    }
    table.add(head);
    for (const ComparedCase& each : report_.cases) {
      std::vector<std::string> row = {each.workload, place_of(each)};
      for (std::size_t i = 1; i < each.strategies.size(); ++i) row.push_back(ratio({&each}, i, 0));
      table.add(row);
    }
    std::map<std::string, std::vector<const ComparedCase*>> by_place;
    for (const ComparedCase& each : report_.cases) by_place[place_of(each)].push_back(&each);
    for (const auto& [place, cases] : by_place) {
      for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
        std::vector<std::string> row = {"mean at launch " + report_.launch_costs[cost], place};
        for (std::size_t i = 1; i < head.size() - 1; ++i) row.push_back(ratio(cases, i, cost));
        table.add(row);
      }
    }
    text_ += "\n" + table.text();
  }

  /// How much faster a strategy is than the first one; geometric means of the cases it ran in.
  static std::string ratio(const std::vector<const ComparedCase*>& cases, std::size_t strategy,
                           std::size_t cost) {
    double known = 0, whole = 0;
    int count = 0;
    for (const ComparedCase* each : cases) {
      const StrategyFigures &first = each->strategies.front(), &one = each->strategies[strategy];
      if (!one.refused.empty() || !first.refused.empty()) continue;
      known += std::log(bargain_of(first, cost).again_us / bargain_of(one, cost).again_us);
      whole += std::log(first.streams[cost].total_us / one.streams[cost].total_us);
      ++count;
    }
    return count == 0 ? "-"
                      : fmt::format("{} / {}", times(std::exp(known / count)),
                                    times(std::exp(whole / count)));
  }

  /// How the winner of whole streams moves along the axes of the study, launch costs among them.
  void standings() {
    if (report_.cases.front().axes.empty()) return;
    std::vector<std::vector<std::string>> texts;  // by axis, of each point
    std::vector<StandingsPoint> points;
    std::vector<std::string> names = {"workload", "launch cost"};
    for (const auto& [name, value] : report_.cases.front().axes) names.push_back(name);
    texts.resize(names.size());
    for (const ComparedCase& each : report_.cases) {
      for (std::size_t cost = 0; cost < report_.launch_costs.size(); ++cost) {
        texts[0].push_back(each.workload);
        texts[1].push_back(report_.launch_costs[cost]);
        for (std::size_t i = 0; i < each.axes.size(); ++i) {
          texts[i + 2].push_back(each.axes[i].second);
        }
        points.push_back({{}, winner_of(each, cost)});
      }
    }
    std::set<std::vector<std::pair<std::string, std::string>>> draws;
    for (const ComparedCase& each : report_.cases) draws.insert(each.axes);
    std::size_t combinations = 1;
    std::vector<StandingsAxis> axes;
    for (std::size_t i = 0; i < names.size(); ++i) {
      axes.push_back(standings_axis(names[i], texts[i]));
      const std::vector<std::string>& values = axes.back().values;
      if (i > 1) combinations = std::min(draws.size() + 1, combinations * values.size());
      for (std::size_t p = 0; p < points.size(); ++p) {
        const auto found = std::find(values.begin(), values.end(), texts[i][p]);
        points[p].values.push_back(static_cast<int>(found - values.begin()));
      }
    }
    const std::size_t drawn = combinations > draws.size() ? draws.size() : 0;
    text_ += to_text(standings_of(axes, points, drawn), "least time of the whole stream");
  }
  static std::string winner_of(const ComparedCase& each, std::size_t cost) {
    const StrategyFigures* best = nullptr;
    for (const StrategyFigures& one : each.strategies) {
      if (!one.refused.empty()) continue;
      const bool better =
          best == nullptr || one.streams[cost].total_us < best->streams[cost].total_us;
      if (better) best = &one;
    }
    return best == nullptr ? "" : best->name;
  }

  static std::string times(double ratio) {
    return ratio < 0.00995 ? fmt::format("{:.1g}", ratio) : fmt::format("{:.2f}", ratio);
  }

  void footnotes() {
    text_ +=
        "\nEach run is awaited before the next. first: until the first result. again: a shape once "
        "more, mean over\nshapes. device: of a run. compile, encode: what they add to the total. "
        "ahead: compiled before the stream, in\nno time above. decode: what it adds to the "
        "launches "
        "of the middle shape at low, nominal and high cost.\n";
    std::set<std::string> said;
    std::set<std::string> host;
    for (const ComparedCase& each : report_.cases) {
      for (const StrategyFigures& one : each.strategies) {
        const std::vector<std::string> own = own_assumed(one);
        host.insert(one.assumed.begin() + static_cast<std::ptrdiff_t>(own.size()),
                    one.assumed.end());
        if (own.empty() || !said.insert(one.strategy).second) continue;
        text_ += fmt::format("* {} rests on numbers without a source: {}\n", one.strategy,
                             fmt::join(unvaried(own), ", "));
      }
    }
    const std::vector<std::string> named = unvaried({host.begin(), host.end()});
    host = {named.begin(), named.end()};
    text_ += fmt::format("all rest on assumed times of the host: {}\n", fmt::join(host, ", "));
  }

  const ComparisonReport& report_;
  std::string text_{};
};

}  // namespace

std::string summary(const ComparisonReport& report) {
  if (report.view == CompareView::Device) return device_summary(report);
  return Summary(report).text();
}

}  // namespace dvmsim
