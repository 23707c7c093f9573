// The result of a comparison as plain data, as JSON and CSV that scripts and pages are made from,
// and as text for people.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cli/comparison/break_even.h"
#include "cli/comparison/stream_measure.h"
#include "cli/strategy_constants.h"

namespace dvmsim {

/// One workload on one machine under every strategy.
struct ComparedCase {
  std::string machine{}, workload{}, kind{};  // kind: the workload's class, may be empty
  std::vector<std::pair<std::string, std::string>> axes{};  // that vary between machines
  double clock_mhz = 0;
  std::int64_t operators = 0;  // written in the model: nodes that are more than a view
  ShapeStream stream{};
  std::vector<StrategyFigures> strategies{};
};

struct ComparisonReport {
  static constexpr int kSchema = 1;
  std::string study{}, title{};
  CompareView view = CompareView::Stream;
  std::vector<std::string> launch_costs{};  // the machine's own first, as "own"
  std::vector<StrategyConstant> constants{};
  std::vector<ComparedCase> cases{};
  std::vector<std::string> not_modelled{};
};

/// How a strategy bargains at a launch cost: means over the shapes, each counted once.
[[nodiscard]] Bargain bargain_of(const StrategyFigures& figures, std::size_t cost);
/// Of those that ran; the wins' numbers are indices into the case's strategies.
[[nodiscard]] std::vector<Win> winners_of(const ComparedCase& each, std::size_t cost);
/// Elements computed for padding, of all.
[[nodiscard]] double padding_share(const StrategyFigures& figures, const ShapeStream& stream);

/// What the device does for all the shapes, each once; none if that was not measured.
[[nodiscard]] std::optional<DeviceFigures> device_of(const StrategyFigures& figures);

[[nodiscard]] std::string to_json(const ComparisonReport& report);
/// A line of names, then one per machine, workload, strategy and launch cost: of the view.
[[nodiscard]] std::string to_csv(const ComparisonReport& report);
[[nodiscard]] std::string summary(const ComparisonReport& report);
/// The same of the device's view.
[[nodiscard]] std::string device_csv(const ComparisonReport& report);
[[nodiscard]] std::string device_summary(const ComparisonReport& report);

}  // namespace dvmsim
