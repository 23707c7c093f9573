#include "traces/stream_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

StreamReport some() {
  StreamReport report;
  report.model = "m.graph";
  report.stream = "s.stream";
  for (std::int64_t i = 0; i < 100; ++i) {
    StreamReport::Step step;
    step.dims = {{"n", i}};
    step.launches = 2;
    step.cycles = i + 1;
    step.cached = i % 4 != 0;
    step.digest = 0xabcu;
    report.steps.push_back(step);
  }
  return report;
}

TEST(StreamReport, percentiles_are_values_that_occurred) {
  EXPECT_EQ(percentile({}, 0.5), 0);
  EXPECT_EQ(percentile({7}, 0.99), 7);
  EXPECT_EQ(percentile({4, 1, 3, 2}, 0.5), 2);
  EXPECT_EQ(percentile({4, 1, 3, 2}, 1), 4);
}

TEST(StreamReport, json_has_totals_percentiles_and_steps) {
  const auto json = nlohmann::json::parse(to_json(some()));
  EXPECT_EQ(json["totals"]["steps"], 100);
  EXPECT_EQ(json["totals"]["launches"], 200);
  EXPECT_EQ(json["totals"]["misses"], 25);
  EXPECT_EQ(json["percentiles"]["cycles"]["p90"], 90);
  EXPECT_EQ(json["steps"][7]["dims"]["n"], 7);
  EXPECT_EQ(json["steps"][7]["outputs"], "0000000000000abc");
}

TEST(StreamReport, csv_has_a_line_of_names_and_one_per_step) {
  const std::string csv = to_csv(some());
  EXPECT_EQ(
      csv.substr(0, csv.find('\n')),
      "step,n,compile_us,encode_us,cached,launches,synchronisations,iterations,cycles,task_us,"
      "e2e_us,memory_bytes,outputs");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 101);
  EXPECT_NE(csv.find("\n5,5,0,0,1,2,0,0,6,0,0,0,0000000000000abc\n"), std::string::npos);
}

TEST(StreamReport, a_failed_check_fails_the_stream) {
  StreamReport report = some();
  report.steps[3].check = RunReport::Check{0, 0, true};
  EXPECT_TRUE(report.pass());
  report.steps[4].check = RunReport::Check{1, 1, false};
  EXPECT_FALSE(report.pass());
  EXPECT_NE(summary(report).find("FAIL"), std::string::npos);
}

}  // namespace
}  // namespace dvmsim
