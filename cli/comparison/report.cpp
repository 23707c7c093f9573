#include "cli/comparison/report.h"

#include <fmt/format.h>

#include "cli/text/csv_field.h"
#include "traces/stream_report.h"

namespace dvmsim {

Bargain bargain_of(const StrategyFigures& figures, std::size_t cost) {
  Bargain bargain;
  for (const ShapeFigures& shape : figures.shapes) {
    bargain.new_us += shape.first_us[cost];
    bargain.again_us += shape.again_us[cost];
  }
  const auto count = static_cast<double>(figures.shapes.size());
  return {bargain.new_us / count, bargain.again_us / count};
}

std::vector<Win> winners_of(const ComparedCase& each, std::size_t cost) {
  std::vector<Bargain> bargains;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < each.strategies.size(); ++i) {
    if (!each.strategies[i].refused.empty()) continue;
    bargains.push_back(bargain_of(each.strategies[i], cost));
    numbers.push_back(i);
  }
  std::vector<Win> wins = winners(bargains);
  for (Win& win : wins) win.strategy = numbers[win.strategy];
  return wins;
}

double padding_share(const StrategyFigures& figures, const ShapeStream& stream) {
  std::int64_t all = 0, padded = 0;
  for (int shape : stream.steps) {
    all += figures.shapes[static_cast<std::size_t>(shape)].elements;
    padded += figures.shapes[static_cast<std::size_t>(shape)].padded_elements;
  }
  return all == 0 ? 0 : static_cast<double>(padded) / static_cast<double>(all);
}

std::optional<DeviceFigures> device_of(const StrategyFigures& figures) {
  if (!figures.refused.empty()) return std::nullopt;
  std::vector<DeviceFigures> runs;
  for (const ShapeFigures& shape : figures.shapes) {
    if (!shape.device) return std::nullopt;
    runs.push_back(*shape.device);
  }
  return sum_of(runs);
}

std::string to_csv(const ComparisonReport& report) {
  if (report.view == CompareView::Device) return device_csv(report);
  std::string text =
      "machine,axes,workload,strategy,launch_cost,steps,shapes,total_us,first_us,p50_us,p90_us,"
      "p99_us,max_us,new_us,again_us,head_us,body_us,exposed_compile_us,exposed_encode_us,ahead_us,"
      "launches,code_bytes,padding,decode_low_us,decode_nominal_us,decode_high_us,refused\n";
  for (const ComparedCase& each : report.cases) {
    std::string axes;
    for (const auto& [name, value] : each.axes) {
      axes += (axes.empty() ? "" : " ") + name + "=" + value;
    }
    for (const StrategyFigures& one : each.strategies) {
      const std::string head = fmt::format("{},{},{},{}", csv_field(each.machine), csv_field(axes),
                                           csv_field(each.workload), csv_field(one.name));
      if (!one.refused.empty()) {
        text += head + std::string(23, ',') + csv_field(one.refused) + "\n";
        continue;
      }
      for (std::size_t cost = 0; cost < report.launch_costs.size(); ++cost) {
        const StreamFigures& stream = one.streams[cost];
        const Bargain bargain = bargain_of(one, cost);
        text += fmt::format("{},{},{},{},{:.3f},{:.3f}", head, report.launch_costs[cost],
                            each.stream.steps.size(), each.stream.shapes.size(), stream.total_us,
                            stream.latency_us.front());
        for (double share : {0.5, 0.9, 0.99, 1.0}) {
          text += fmt::format(",{:.3f}", percentile(stream.latency_us, share));
        }
        text += fmt::format(",{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},{:.3f},{},{},{:.6f}",
                            bargain.new_us, bargain.again_us, stream.head_us, stream.body_us,
                            stream.exposed_compile_us, stream.exposed_encode_us, one.ahead_us,
                            one.shapes.front().launches, one.code_bytes,
                            padding_share(one, each.stream));
        for (std::size_t i = 0; i < 3; ++i) {
          text += one.decode ? fmt::format(",{:.3f}", one.decode->exposed_us[i]) : ",";
        }
        text += ",\n";
      }
    }
  }
  return text;
}

}  // namespace dvmsim
