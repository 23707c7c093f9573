#include "cli/regression/judge.h"

#include <gtest/gtest.h>

#include <limits>

#include "cli/regression/ci.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Kind = CaseResult::Kind;

Record sample(double cycles = 1000, std::int64_t work = 100) {
  Record record;
  record.subject = {{"model", "m"}, {"dims", ""}, {"strategy", "dvm"}, {"hardware", "tiny"}};
  record.figures = {{"cycles", cycles}, {"e2e_us", 5.5}, {"host.launch_us", 2}};
  record.operators = {{"a", {{"cycles", cycles}}, {{"vector", {{"work", work}}, {}}}}};
  return record;
}

RegressionCase asked(std::vector<Tolerance> tolerances = {}) {
  return {"a | b", {"op", "add", "4"}, std::move(tolerances), "c.yaml:2"};
}

TEST(Judge, exact_means_that_any_change_fails) {
  EXPECT_EQ(judge(asked(), sample(), sample()).kind, Kind::Same);
  const CaseResult slower = judge(asked(), sample(), sample(1001));
  EXPECT_EQ(slower.kind, Kind::Moved);
  EXPECT_EQ(slower.why[0], "cycles 1,000 => 1,001 (+0.10 %), exact is asked for");
  EXPECT_EQ(judge(asked(), sample(), sample(999)).kind, Kind::Moved);
  const CaseResult inside = judge(asked(), sample(), sample(1000, 101));
  EXPECT_EQ(inside.kind, Kind::Moved);
  EXPECT_EQ(inside.why[0], "operators moved, exact is asked for");
}

TEST(Judge, a_tolerance_is_of_a_figure_or_its_group) {
  const RegressionCase loose = asked({{"cycles", 0.01, "c.yaml:3"}});
  EXPECT_EQ(judge(loose, sample(), sample(1010)).kind, Kind::Within);
  EXPECT_EQ(judge(loose, sample(), sample(990)).kind, Kind::Within);
  EXPECT_EQ(judge(loose, sample(), sample(1011)).kind, Kind::Moved);
  Record later = sample();
  later.figures[2].value = 3;
  EXPECT_EQ(judge(loose, sample(), later).kind, Kind::Moved);
  const double all = std::numeric_limits<double>::infinity();
  EXPECT_EQ(judge(asked({{"host", all, "c.yaml:3"}}), sample(), later).kind, Kind::Within);
  EXPECT_EQ(judge(asked({{"host", all, ""}, {"host.launch_us", 0.1, ""}}), sample(), later).kind,
            Kind::Moved);
  EXPECT_EQ(judge(asked({{"all", all, ""}, {"cycles", 0, ""}}), sample(), later).kind,
            Kind::Within);
  EXPECT_EQ(judge(asked({{"all", all, ""}, {"cycles", 0, ""}}), sample(), sample(1001)).kind,
            Kind::Moved);
}

TEST(Judge, a_figure_that_comes_or_goes_has_moved) {
  Record more = sample();
  more.figures.push_back({"host.copies", 1});
  EXPECT_EQ(judge(asked(), sample(), more).why[0], "host.copies none => 1, exact is asked for");
}

TEST(Judge, a_tolerance_of_nothing_is_an_error) {
  try {
    (void)judge(asked({{"cycle", 0.1, "c.yaml:3"}}), sample(), sample());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "c.yaml:3: tolerance of 'cycle': a report has cycles, e2e_us, host.launch_us; or all");
  }
}

std::vector<CaseResult> results() {
  std::vector<CaseResult> all = {
      judge(asked(), sample(), sample()), judge(asked(), sample(), sample(1001)),
      judge(asked(), sample(), sample(900)), judge_new(asked(), sample())};
  CaseResult& refused = all.emplace_back();
  refused.name = "bad";
  refused.kind = Kind::Refused;
  refused.error = "node <x> & \"y\"";
  return all;
}

TEST(Judge, the_summary_counts_slower_and_faster) {
  EXPECT_EQ(summary_of(results()),
            "1 of 5 cases are as recorded; 2 moved: 1 slower, 1 faster, 0 in the same cycles; 1 "
            "without a baseline; 1 could not be run");
}

TEST(Ci, junit_has_a_test_for_every_case_and_is_escaped) {
  const std::string xml = to_junit(results(), "s", 0);
  EXPECT_NE(xml.find("<testsuite name=\"s\" tests=\"5\" failures=\"3\" errors=\"1\">"),
            std::string::npos)
      << xml;
  EXPECT_NE(xml.find("<testcase classname=\"s\" name=\"a | b\"/>"), std::string::npos);
  EXPECT_NE(xml.find("<failure message=\"cycles 1,000 =&gt; 1,001 (+0.10 %), exact"),
            std::string::npos);
  EXPECT_NE(xml.find("<error message=\"node &lt;x&gt; &amp; &quot;y&quot;\">"), std::string::npos);
}

TEST(Ci, markdown_is_a_table_of_what_moved) {
  const std::string page = to_markdown(results(), "s", 0);
  EXPECT_NE(page.find("| a \\| b | 1,000 | 1,001 | +0.10 % | 5.500 | 5.500 |  |"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("<summary>bad: node &lt;x&gt;"), std::string::npos);
  const std::string good = to_markdown({results()[0]}, "s", 0);
  EXPECT_EQ(good, "## s\n\n1 of 1 cases are as recorded.\n");
}

}  // namespace
}  // namespace dvmsim
