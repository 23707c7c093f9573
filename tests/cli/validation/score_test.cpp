// From outcomes to verdicts, with a runner that makes figures up.
#include "cli/validation/score.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "cli/validation/plot.h"
#include "cli/validation/print.h"
#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// "value 5": cycles are 5. "fail": an error. "crash": the process ends.
Figures runner(const Words& words) {
  if (words[0] == "fail") throw Error("does not fit");
  if (words[0] == "crash") std::abort();
  return {{"cycles", std::stod(words[1])}, {"words", static_cast<double>(words.size())}};
}

Table table_of(const std::string& rows) {
  return parse_table(
      "#gate g median=10% worst=40%\nid,group,case,metric,measured,tolerance,gate\n" + rows,
      "t.csv");
}

TEST(Score, rows_pass_by_their_tolerance_and_groups_by_their_limits) {
  const Table table = table_of(
      "A,g,value 105,cycles,100,5%,\n"
      "B,g,value 80,cycles,100,19%,\n"
      "C,g,value 150,cycles,100,60%,\n"
      "D,g,value 300,cycles,100,,only listed\n"
      "E,g,value 20.5,cycles,20..21,0%,\n"
      "F,h,fail,cycles,1,5%,\n"
      "G,h,,,1,,cannot\n");
  Pool pool(runner, 0);
  const Score result = score(table, {}, pool);
  EXPECT_FALSE(result.rows[0].failed());
  EXPECT_DOUBLE_EQ(result.rows[1].error, -0.2);
  EXPECT_TRUE(result.rows[1].failed());
  EXPECT_FALSE(result.rows[3].failed());
  EXPECT_EQ(result.rows[4].error, 0);
  EXPECT_TRUE(result.rows[5].failed());
  EXPECT_EQ(result.rows[5].failure, "t.csv:8: does not fit");
  EXPECT_FALSE(result.rows[6].failed());
  ASSERT_EQ(result.groups.size(), 2u);  // g gated, g listed
  const GroupScore& group = result.groups[0];
  EXPECT_EQ(group.rows, 4u);
  EXPECT_DOUBLE_EQ(group.median, 0.125);
  EXPECT_DOUBLE_EQ(group.p90, 0.5);
  EXPECT_EQ(group.worst_id, "C");
  EXPECT_EQ(group.beyond,
            (std::vector<std::string>{"median 12.5 % > 10 %", "worst 50.0 % > 40 %"}));
  EXPECT_FALSE(result.pass());
  const std::string text = print(table, result, false);
  EXPECT_NE(text.find("FAIL: beyond 19 %"), std::string::npos) << text;
  EXPECT_NE(text.find("3 of 5 gated rows within their tolerance, 2 listed: FAIL"),
            std::string::npos)
      << text;
  EXPECT_EQ(print(table, result, true).find("\nA "), std::string::npos);
}

TEST(Score, overrides_come_after_the_words_of_a_row) {
  TableRow row;
  row.command = "op add 2 2 --set a.b=1";
  row.hardware = "x.yaml";
  EXPECT_EQ(words_of_case(row, row.command, {"", {"a.b=2"}, "ideal"}),
            (Words{"op", "add", "2", "2", "--set", "a.b=1", "--hw", "x.yaml", "--set", "a.b=2",
                   "--memory", "ideal"}));
  EXPECT_EQ(words_of_case(row, "run p.s", {"/y.yaml", {}, ""}),
            (Words{"run", "p.s", "--hw", "/y.yaml"}));
}

TEST(Score, a_metric_may_read_a_reference_run) {
  const Table table = parse_table(
      "id,case,reference,metric,measured,tolerance\n"
      "A,value 9,value 3,cycles/ref.cycles,3,0%\n",
      "t.csv");
  Pool pool(runner, 0);
  EXPECT_TRUE(score(table, {}, pool).pass());
  EXPECT_EQ(pool.runs(), 2u);
}

TEST(Score, a_figure_that_is_not_there_is_an_error_of_the_table) {
  const Table table = table_of("A,g,value 1,speed,1,5%,\n");
  Pool pool(runner, 0);
  EXPECT_THROW((void)score(table, {}, pool), Error);
}

TEST(Score, order_statistics) {
  EXPECT_EQ(median({1, 2, 4}), 2);
  EXPECT_EQ(median({1, 2, 4, 8}), 3);
  EXPECT_EQ(percentile({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.9), 9);
  EXPECT_EQ(percentile({1, 2}, 0.9), 2);
  EXPECT_EQ(percentile({7}, 0.9), 7);
  EXPECT_EQ(error_of(22, 20, 21), 1.0 / 21);
  EXPECT_EQ(error_of(19, 20, 21), -0.05);
}

TEST(Pool, equal_cases_run_once_and_workers_change_nothing) {
  const std::vector<Words> cases = {{"value", "1"}, {"value", "0.1"}, {"value", "1"},    {"fail"},
                                    {"crash"},      {"value", "7"},   {"value", "1e300"}};
  Pool pool(runner, 3);
  pool.run(cases);
  EXPECT_EQ(pool.runs(), 6u);
  EXPECT_EQ(pool.outcome({"value", "0.1"}).figures.at("cycles"), 0.1);
  EXPECT_EQ(pool.outcome({"value", "1e300"}).figures.at("cycles"), 1e300);
  EXPECT_EQ(pool.outcome({"fail"}).error, "does not fit");
  EXPECT_EQ(pool.outcome({"crash"}).error, "the run was aborted; run it alone to see why");
  EXPECT_EQ(pool.outcome({"value", "7"}).figures.at("cycles"), 7);
}

TEST(Pool, every_case_survives_workers_that_die) {
  std::vector<Words> cases;
  for (int i = 0; i < 40; ++i) cases.push_back({i % 3 == 0 ? "crash" : "value", std::to_string(i)});
  Pool pool(runner, 2);
  pool.run(cases);
  EXPECT_EQ(pool.runs(), cases.size());
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(pool.outcome(cases[static_cast<std::size_t>(i)]).error.empty(), i % 3 != 0) << i;
  }
}

/// Every tag is closed in order: what a reader of XML asks for first.
std::string unbalanced(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = xml.find('<', at)) != std::string::npos;) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return "an open bracket";
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end;
    if (tag.find('<') != std::string::npos) return tag;
    if (tag.ends_with('/')) continue;
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (!tag.starts_with('/')) {
      open.push_back(name);
    } else if (open.empty() || "/" + open.back() != name) {
      return tag;
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

TEST(Plot, is_well_formed_and_has_a_point_per_row) {
  const Table table = table_of(
      "A<&>,g,value 105,cycles,100,5%,\n"
      "B,g,value 0.5,cycles,1..2,19%,\n"
      "C,h,value 3,cycles,4,,listed\n"
      "D,h,fail,cycles,4,,listed\n");
  Pool pool(runner, 0);
  const std::string svg = to_svg(score(table, {}, pool));
  EXPECT_EQ(unbalanced(svg), "");
  std::size_t titles = 0;
  for (std::size_t at = 0; (at = svg.find("><title>", at)) != std::string::npos; ++at) ++titles;
  EXPECT_EQ(titles, 3u);
  EXPECT_NE(svg.find("A&lt;&amp;&gt;"), std::string::npos);
  EXPECT_NE(svg.find("listed\" cx"), std::string::npos);
  EXPECT_EQ(unbalanced(to_svg({})), "");
}

}  // namespace
}  // namespace dvmsim
