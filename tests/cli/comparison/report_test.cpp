// What a comparison says, and that it survives the way from a worker.
#include "cli/comparison/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

StrategyFigures figures_of(const std::string& name, double first, double again) {
  StrategyFigures figures;
  figures.name = figures.strategy = name;
  figures.assumed = {"host.submit=2us"};
  figures.shapes = {{{first, first + 1}, {again, again + 1}, 5, 1, 2, 3, 4, 7, 100, 25},
                    {{first, first + 1}, {again, again + 1}, 5, 1, 2, 3, 4, 7, 60, 0}};
  figures.streams = {{{first, first, again}, 2 * first + again, 1, 14, 3, 2},
                     {{first, first, again}, 2 * first + again, 2, 14, 3, 2}};
  figures.code_bytes = 1024;
  return figures;
}

ComparisonReport report() {
  ComparisonReport made;
  made.study = "s.yaml";
  made.title = "a title";
  made.launch_costs = {"own", "5us"};
  ComparedCase& each = made.cases.emplace_back();
  each.machine = "m";
  each.workload = "w";
  each.operators = 3;
  each.stream = {{{{"n", 4}}, {{"n", 8}}}, {0, 1, 0}};
  each.strategies = {figures_of("slow", 50, 50), figures_of("fast", 1000, 10)};
  StrategyFigures refused;
  refused.name = refused.strategy = "other";
  refused.refused = "node 'x' (loop): cannot";
  each.strategies.push_back(refused);
  each.strategies[1].decode = {1, 20.5, {0.1, 0.2, 0.3}};
  return made;
}

TEST(ComparisonReport, figures_come_back_from_text_as_they_were) {
  const ComparisonReport made = report();
  for (const StrategyFigures& figures : made.cases[0].strategies) {
    const std::string text = figures.to_text();
    const StrategyFigures back = StrategyFigures::from_text(text);
    EXPECT_EQ(back.to_text(), text);
    EXPECT_EQ(back.name, figures.name);
    EXPECT_EQ(back.refused, figures.refused);
    EXPECT_EQ(back.decode.has_value(), figures.decode.has_value());
  }
}

TEST(ComparisonReport, json_says_everything_once) {
  const auto json = nlohmann::json::parse(to_json(report()));
  const auto& each = json["cases"][0];
  EXPECT_EQ(each["strategies"].size(), 3u);
  EXPECT_EQ(each["strategies"][2]["refused"], "node 'x' (loop): cannot");
  const auto& fast = each["strategies"][1];
  EXPECT_EQ(fast["by_cost"][0]["new_us"], 1000);
  EXPECT_EQ(fast["by_cost"][0]["max_us"], 1000);
  EXPECT_EQ(fast["by_cost"][1]["launch_cost"], "5us");
  EXPECT_NEAR(fast["padding"].get<double>(), 50.0 / 260,
              1e-6);  // two runs of the first shape, one of the other
  EXPECT_EQ(fast["decode"]["exposed_us"]["high"], 0.3);
  double sum = 0;
  for (const auto& part : fast["by_cost"][0]["breakdown"]) sum += part.get<double>();
  EXPECT_DOUBLE_EQ(sum, fast["by_cost"][0]["total_us"]);
  EXPECT_EQ(each["break_even"][0]["winners"].size(), 2u);
  EXPECT_EQ(each["break_even"][0]["winners"][0]["strategy"], "fast");
  EXPECT_EQ(each["break_even"][0]["against"][0]["better"], "below");
  EXPECT_EQ(to_json(report()), to_json(report()));
}

TEST(ComparisonReport, csv_has_a_row_for_each_cost_and_each_refusal) {
  const std::string csv = to_csv(report());
  std::size_t lines = 0, start = 0;
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  for (std::size_t end = csv.find('\n'); end != std::string::npos; end = csv.find('\n', start)) {
    EXPECT_EQ(commas(csv.substr(start, end - start)), commas(csv.substr(0, csv.find('\n'))));
    start = end + 1;
    ++lines;
  }
  EXPECT_EQ(lines, 1u + 2 + 2 + 1);
}

TEST(ComparisonReport, csv_quotes_names_with_commas) {
  ComparisonReport named = report();
  named.cases[0].workload = "sum by 0, 2 of \"x\"";
  EXPECT_NE(to_csv(named).find(",\"sum by 0, 2 of \"\"x\"\"\","), std::string::npos);
}

TEST(ComparisonReport, text_names_who_wins_and_what_has_no_source) {
  const std::string text = summary(report());
  EXPECT_NE(text.find("fast up to 4.0 % (1 in 25), then slow"), std::string::npos) << text;
  EXPECT_NE(text.find("other: node 'x' (loop): cannot"), std::string::npos) << text;
  EXPECT_NE(text.find("host.submit=2us"), std::string::npos) << text;
}

}  // namespace
}  // namespace dvmsim
