// A comparison seen from the device: what launches move, how long they take, how much faster that
// is than the first strategy, why, and how much faster it could be. As text and as CSV.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "cli/comparison/report.h"
#include "cli/text/csv_field.h"
#include "cli/text/text_table.h"

namespace dvmsim {
namespace {

constexpr double kLargeUs = 20;      // cores at work for as long: a large row
constexpr double kSlower = 0.95;     // of the first strategy's speed: less needs a reason
constexpr double kSustained = 0.9;   // of what bounds a large row that memory bounds
constexpr double kRounding = 1.001;  // of cycles to microseconds

std::string us_text(double us) {
  return fmt::format("{:.{}f}", us, us < 99.95 ? 1 : 0);
}
std::string mib_text(std::int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1 << 20);
  return fmt::format("{:.{}f}", mib, mib < 9.995 ? 2 : mib < 99.95 ? 1 : 0);
}
std::string percent_text(double share) {
  return fmt::format("{:.{}f}", share * 100, share < 0.0995 ? 1 : 0);
}

/// A strategy that ran, beside the first one.
struct Row {
  const ComparedCase* of = nullptr;
  std::size_t strategy = 0;
  DeviceFigures first{}, own{};

  [[nodiscard]] const std::string& name() const { return of->strategies[strategy].name; }
  [[nodiscard]] std::string title() const { return of->workload + " " + name(); }
  [[nodiscard]] bool memory_bound() const {
    return own.bound == "hbm" || own.bound == "l2" || own.bound.ends_with("mte2") ||
           own.bound.ends_with("mte3");
  }
  [[nodiscard]] bool is_fused() const { return own.launches < first.launches; }
};

/// How many of a strategy's rows do what they should.
struct Share {
  int good = 0, all = 0;
  void add(bool is_good) {
    ++all;
    good += is_good ? 1 : 0;
  }
};
using Shares = std::map<std::size_t, Share>;  // by strategy

std::vector<Row> rows_of(const ComparisonReport& report) {
  std::vector<Row> rows;
  for (const ComparedCase& each : report.cases) {
    const auto first = device_of(each.strategies.front());
    for (std::size_t i = 0; first && i < each.strategies.size(); ++i) {
      const auto own = device_of(each.strategies[i]);
      if (own) rows.push_back({&each, i, *first, *own});
    }
  }
  return rows;
}

class DeviceSummary {
 public:
  explicit DeviceSummary(const ComparisonReport& report)
      : report_(report), rows_(rows_of(report)) {}

  std::string text() {
    text_ = report_.title + "\n\n";
    amounts();
    ratios();
    refusals();
    means();
    verdicts();
    text_ +=
        "\nThe device alone, all sizes of a workload once, each from an empty L2. L2: hits. of "
        "bound: of what the bodies of launches\ntake, the share that the busiest component needs "
        "at least. decode: what it adds at low, nominal and high cost. (most): with\nthe same "
        "bytes, work and launches and nothing between them. gain: in us without the cost of "
        "launches, which is for each us of it\nthe launches saved; 'launches' in us: entering and "
        "leaving kernels.\n";
    return std::move(text_);
  }

 private:
  [[nodiscard]] const std::vector<std::string>& costs() const { return report_.launch_costs; }
  std::string label(const Row& row) const {
    const bool first = row.strategy == 0;
    if (!first) return "";
    std::string place;
    for (const auto& [axis, value] : row.of->axes) place += " " + axis + "=" + value;
    const bool several = report_.cases.front().machine != report_.cases.back().machine;
    return row.of->workload + (several ? " on " + row.of->machine : "") + place;
  }

  void amounts() {
    TextTable table({true, true, false});
    std::vector<std::string> head = {"device time in us at launch", "", "launches", "HBM MiB",
                                     "L2 MiB"};
    head.insert(head.end(), costs().begin(), costs().end());
    head.insert(head.end(), {"bound", "% of bound", "decode %"});
    table.add(head);
    for (const Row& row : rows_) {
      const DeviceFigures& own = row.own;
      std::vector<std::string> cells = {label(row), row.name(), fmt::format("{}", own.launches),
                                        mib_text(own.hbm_read_bytes + own.hbm_write_bytes),
                                        mib_text(own.l2_hit_bytes)};
      for (std::size_t i = 0; i < costs().size(); ++i) cells.push_back(us_text(own.time_us(i)));
      cells.push_back(own.bound);
      cells.push_back(percent_text(own.reached()));
      cells.push_back(own.decode_us ? fmt::format("{}/{}/{}", percent_text(own.decode_share(0)),
                                                  percent_text(own.decode_share(1)),
                                                  percent_text(own.decode_share(2)))
                                    : "-");
      table.add(cells);
    }
    text_ += table.text();
  }

  void ratios() {
    TextTable table({true, true, false});
    std::vector<std::string> head = {"times faster (most) than " + first_name(), ""};
    head.insert(head.end(), costs().begin(), costs().end());
    head.insert(head.end(), {"| saved", "gain us: launches", "bytes", "decode", "overlap"});
    table.add(head);
    std::string last;
    for (const Row& row : rows_) {
      if (row.strategy == 0) continue;
      const std::string& name = row.of->workload;
      std::vector<std::string> cells = {name == last ? "" : name, row.name()};
      last = name;
      for (std::size_t i = 0; i < costs().size(); ++i) {
        cells.push_back(fmt::format("{:.2f} ({:.2f})", ratio_of(row.first, row.own, i),
                                    most_of(row.first, row.own, i)));
      }
      Gain gain = gain_of(row.first, row.own, 0);
      gain.launches = row.first.fixed_us - row.own.fixed_us;
      cells.push_back(fmt::format("| {}", row.first.launches - row.own.launches));
      for (double part : {gain.launches, gain.bytes, gain.decode, gain.overlap}) {
        cells.push_back(fmt::format("{:.1f}", part));
      }
      table.add(cells);
    }
    text_ += "\n" + table.text();
  }

  void refusals() {
    for (const ComparedCase& each : report_.cases) {
      for (const StrategyFigures& one : each.strategies) {
        if (one.refused.empty()) continue;
        text_ += fmt::format("  {} {}: {}\n", each.workload, one.name, one.refused);
      }
    }
  }

  /// Geometric means by class, and the largest; then of the last strategy over the others.
  void means() {
    TextTable table({true, true, false});
    std::vector<std::string> head = {"times faster than " + first_name() + ", geometric mean", ""};
    head.insert(head.end(), costs().begin(), costs().end());
    head.emplace_back("largest at " + costs().back());
    table.add(head);
    std::vector<std::string> kinds;
    for (const ComparedCase& each : report_.cases) {
      if (std::find(kinds.begin(), kinds.end(), each.kind) == kinds.end()) {
        kinds.push_back(each.kind);
      }
    }
    for (const std::string& kind : kinds) {
      const auto& strategies = report_.cases.front().strategies;
      for (std::size_t i = 1; i < strategies.size(); ++i) table.add(mean_row(kind, i, 0));
      if (strategies.size() > 2) {
        table.add(mean_row(kind, strategies.size() - 1, strategies.size() - 2));
      }
    }
    text_ += "\n" + table.text();
  }

  std::vector<std::string> mean_row(const std::string& kind, std::size_t strategy,
                                    std::size_t reference) const {
    const auto& strategies = report_.cases.front().strategies;
    std::vector<std::string> cells = {kind.empty() ? "all" : kind, strategies[strategy].name};
    if (reference != 0) cells.back() += " over " + strategies[reference].name;
    std::string largest;
    for (std::size_t cost = 0; cost < costs().size(); ++cost) {
      double sum = 0, most = 0;
      int count = 0;
      for (const ComparedCase& each : report_.cases) {
        if (each.kind != kind) continue;
        const auto from = device_of(each.strategies[reference]);
        const auto to = device_of(each.strategies[strategy]);
        if (!from || !to) continue;
        const double ratio = ratio_of(*from, *to, cost);
        sum += std::log(ratio);
        ++count;
        if (ratio <= most) continue;
        most = ratio;
        largest = fmt::format("{:.2f} {}", ratio, each.workload);
      }
      cells.push_back(count == 0 ? "-" : fmt::format("{:.2f}", std::exp(sum / count)));
    }
    cells.push_back(largest);
    return cells;
  }

  /// What is slower than it should be, by name.
  void verdicts() {
    std::string slower, beyond, loose, exposed;
    Shares sustained, fused, cheap, hidden;
    for (const Row& row : rows_) {
      for (std::size_t i = 0; i < costs().size(); ++i) {
        if (ratio_of(row.first, row.own, i) <= kRounding * most_of(row.first, row.own, i)) continue;
        beyond += fmt::format("  {} at {}\n", row.title(), costs()[i]);
        break;
      }
      const double ratio = ratio_of(row.first, row.own, 0);
      if (ratio < kSlower) {
        slower += fmt::format("  {}: {:.2f} times, {}\n", row.title(), ratio,
                              gain_of(row.first, row.own, 0).worst());
      }
      if (row.own.body_us < kLargeUs || row.strategy == 0) continue;
      const bool sustains = row.own.reached() >= kSustained;
      if (row.memory_bound()) sustained[row.strategy].add(sustains);
      if (row.is_fused() && row.own.bound == "hbm") fused[row.strategy].add(sustains);
      if (row.memory_bound() && !sustains) {
        loose += fmt::format("  {}: {} % of {}\n", row.title(), percent_text(row.own.reached()),
                             row.own.bound);
      }
      if (!row.own.decode_us) continue;
      const bool decodes_fast = row.own.decode_share(1) <= 0.03;
      cheap[row.strategy].add(decodes_fast);
      hidden[row.strategy].add(row.own.decode_share(1) <= 0.01);
      if (!decodes_fast) {
        exposed += fmt::format("  {}: {} %\n", row.title(), percent_text(row.own.decode_share(1)));
      }
    }
    text_ += fmt::format("\nratios beyond what bytes and launches allow: {}\n{}",
                         beyond.empty() ? "none" : "", beyond);
    text_ +=
        fmt::format("slower than {} by more than 5 % at launch {}, and the largest loss: {}\n{}",
                    first_name(), costs().front(), slower.empty() ? "none" : "", slower);
    text_ += fmt::format(
        "large rows bound by memory at 90 % of it or more: {}\n"
        "  of which fused (fewer launches than {}) and bound by HBM: {}\n{}",
        shares_text(sustained), first_name(), shares_text(fused), loose);
    text_ +=
        fmt::format("large rows in which decoding exposes 3 % at most: {}\n  1 % at most: {}\n{}",
                    shares_text(cheap), shares_text(hidden), exposed);
  }

  [[nodiscard]] std::string shares_text(const Shares& shares) const {
    std::string text;
    for (const auto& [strategy, share] : shares) {
      text += fmt::format("{}{} {} of {}", text.empty() ? "" : ", ",
                          report_.cases.front().strategies[strategy].name, share.good, share.all);
    }
    return text.empty() ? "none are" : text;
  }

  [[nodiscard]] const std::string& first_name() const {
    return report_.cases.front().strategies.front().name;
  }

  const ComparisonReport& report_;
  std::vector<Row> rows_;
  std::string text_{};
};

}  // namespace

std::string device_summary(const ComparisonReport& report) {
  return DeviceSummary(report).text();
}

std::string device_csv(const ComparisonReport& report) {
  std::string text =
      "machine,axes,class,workload,strategy,launch_cost,launches,hbm_read_bytes,hbm_write_bytes,"
      "l2_hit_bytes,time_us,body_us,memory_us,ideal_us,bound,times,at_most,gain_launches_us,"
      "gain_bytes_us,gain_decode_us,gain_overlap_us,decode_low_us,decode_nominal_us,"
      "decode_high_us\n";
  for (const Row& row : rows_of(report)) {
    std::string axes;
    for (const auto& [name, value] : row.of->axes) {
      axes += (axes.empty() ? "" : " ") + name + "=" + value;
    }
    for (std::size_t cost = 0; cost < report.launch_costs.size(); ++cost) {
      const DeviceFigures& own = row.own;
      const Gain gain = gain_of(row.first, own, cost);
      text +=
          fmt::format("{},{},{},{},{},{},{},{},{},{},{:.3f},{:.3f},{:.3f},{:.3f},{}",
                      csv_field(row.of->machine), csv_field(axes), row.of->kind,
                      csv_field(row.of->workload), csv_field(row.name()), report.launch_costs[cost],
                      own.launches, own.hbm_read_bytes, own.hbm_write_bytes, own.l2_hit_bytes,
                      own.time_us(cost), own.body_us, own.memory_us, own.ideal_us, own.bound);
      text += fmt::format(",{:.4f},{:.4f},{:.3f},{:.3f},{:.3f},{:.3f}",
                          ratio_of(row.first, own, cost), most_of(row.first, own, cost),
                          gain.launches, gain.bytes, gain.decode, gain.overlap);
      for (std::size_t i = 0; i < 3; ++i) {
        text += own.decode_us ? fmt::format(",{:.3f}", (*own.decode_us)[i]) : ",";
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace dvmsim
