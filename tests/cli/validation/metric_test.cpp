#include "cli/validation/metric.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string complaint(const std::string& text) {
  try {
    const Figures figures = {{"a", 1}};
    (void)Metric(text, "t.csv:3").value(figures);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Metric, computes_with_figures_of_two_runs) {
  const Figures own = {{"task_us", 12}, {"memory.hbm_read_bytes", 3}}, other = {{"task_us", 4}};
  const auto value = [&](const char* text) { return Metric(text, "t").value(own, &other); };
  EXPECT_EQ(value("task_us"), 12);
  EXPECT_EQ(value(" 2 * ( task_us + 1 ) - 8 / 4 / 2"), 25);
  EXPECT_EQ(value("task_us-ref.task_us"), 8);
  EXPECT_EQ(value("memory.hbm_read_bytes/1e3"), 0.003);
  EXPECT_TRUE(Metric("1+ref.a", "t").needs_reference());
  EXPECT_FALSE(Metric("reference", "t").needs_reference());
}

TEST(Metric, says_what_is_wrong) {
  EXPECT_TRUE(complaint("").starts_with("t.csv:3: metric: a number or a name is missing"));
  EXPECT_TRUE(complaint("a+").starts_with("t.csv:3: metric: a number or a name is missing"));
  EXPECT_TRUE(complaint("(a").starts_with("t.csv:3: metric: a bracket is not closed"));
  EXPECT_TRUE(complaint("a b").starts_with("t.csv:3: metric: 'b' is left over"));
  EXPECT_TRUE(complaint(std::string(100, '(') + "a").find("too many brackets") !=
              std::string::npos);
  EXPECT_EQ(complaint("b"), "t.csv:3: metric: the run has no figure 'b'; it has a");
  EXPECT_EQ(complaint("ref.a"), "t.csv:3: metric: the row has no reference");
  EXPECT_EQ(complaint("a/(a-1)"), "t.csv:3: metric: a division by zero");
}

TEST(Metric, figures_are_those_of_the_json) {
  RunReport report;
  report.cycles = 7;
  report.memory.l2_hit_bytes = 9;
  report.profiler = {{"aic_us", 1.5}};
  const Figures figures = figures_of(report);
  EXPECT_EQ(figures.at("cycles"), 7);
  EXPECT_EQ(figures.at("memory.l2_hit_bytes"), 9);
  EXPECT_EQ(figures.at("aic_us"), 1.5);
}

}  // namespace
}  // namespace dvmsim
