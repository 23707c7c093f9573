#include "traces/diff.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

Record::Operator operator_of(const std::string& name, double cycles, std::int64_t work) {
  Record::Unit vector{"vector", {{"work", work}}, {{"vadd", {4, work}}}};
  return {name, {{"launches", 1}, {"cycles", cycles}}, {vector}};
}

Record sample() {
  Record record;
  record.subject = {{"model", "m.graph"},
                    {"dims", "n=3"},
                    {"strategy", "dvm"},
                    {"hardware", "tiny"},
                    {"machine_hash", "1"}};
  record.figures = {{"cycles", 1000}, {"e2e_us", 5.5}, {"host.launches", 2}};
  record.units = {{"vector", {{"work", 300}, {"wait-flag", 20}}, {}}};
  record.operators = {operator_of("a, b", 400, 200), operator_of("c", 300, 100)};
  record.path = {{"vector", 600}, {"launch", 400}};
  return record;
}

const Diff::Section* section(const Diff& diff, const std::string& name) {
  for (const auto& each : diff.sections) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

TEST(Diff, nothing_is_said_of_what_did_not_move) {
  const Diff diff = compare(sample(), sample());
  EXPECT_FALSE(diff.moved());
  EXPECT_EQ(to_text(diff, 0), "m.graph n=3  (dvm on tiny)\nnothing moved\n");
}

TEST(Diff, names_operator_pipe_reason_and_instruction) {
  Record after = sample();
  after.operators[1] = operator_of("c", 304, 104);
  after.figures[0].value = 1004;
  const Diff diff = compare(sample(), after);
  ASSERT_NE(section(diff, "operators"), nullptr);
  const auto& rows = section(diff, "operators")->rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].name, "c");
  EXPECT_EQ(rows[0].change(), 4);
  ASSERT_EQ(rows[0].parts.size(), 1u);
  EXPECT_EQ(rows[0].parts[0].name, "vector work");
  ASSERT_EQ(rows[0].parts[0].parts.size(), 1u);
  EXPECT_EQ(rows[0].parts[0].parts[0].name, "vadd");
  EXPECT_EQ(rows[0].parts[0].parts[0].note, "4 commands");
  EXPECT_EQ(section(diff, "pipes"), nullptr);
  EXPECT_EQ(section(diff, "host"), nullptr);
  EXPECT_EQ(section(diff, "totals")->rows.size(), 1u);
}

TEST(Diff, most_moved_first) {
  Record after = sample();
  after.operators[0] = operator_of("a, b", 401, 201);
  after.operators[1] = operator_of("c", 290, 90);
  after.units[0].reasons = {{"work", 301}, {"wait-flag", 70}};
  const Diff diff = compare(sample(), after);
  EXPECT_EQ(section(diff, "operators")->rows[0].name, "c");
  EXPECT_EQ(section(diff, "pipes")->rows[0].name, "vector wait-flag");
  const std::string text = to_text(diff, 1);
  EXPECT_NE(text.find("and 1 more"), std::string::npos) << text;
  EXPECT_EQ(text.find("a, b"), std::string::npos) << text;
  EXPECT_NE(to_text(diff, 0).find("a, b"), std::string::npos);
}

TEST(Diff, a_fused_kernel_is_compared_with_the_operators_it_computes) {
  Record before = sample();
  before.operators = {operator_of("a", 250, 100), operator_of("b", 250, 100),
                      operator_of("c", 300, 100), operator_of("gone", 7, 1)};
  Record after = sample();
  after.operators.push_back(operator_of("new", 9, 1));
  const auto rows = section(compare(before, after), "operators")->rows;
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].name, "a, b");
  EXPECT_EQ(rows[0].note, "before: a | b");
  EXPECT_EQ(rows[0].before, 500);
  EXPECT_EQ(rows[0].after, 400);
  EXPECT_EQ(rows[1].name, "new");
  EXPECT_FALSE(rows[1].before);
  EXPECT_EQ(rows[2].name, "gone");
  EXPECT_FALSE(rows[2].after);
}

TEST(Diff, labels_that_overlap_are_told_apart_while_both_runs_have_them) {
  Record before = sample();
  before.operators = {operator_of("a, b", 400, 200), operator_of("b", 50, 10)};
  Record after = before;
  after.operators[1] = operator_of("b", 60, 20);
  const auto rows = section(compare(before, after), "operators")->rows;
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].name, "b");
  EXPECT_EQ(rows[0].change(), 10);
}

TEST(Diff, another_machine_or_strategy_is_a_warning) {
  Record after = sample();
  after.subject[2].second = "eager";
  after.subject[4].second = "2";
  const Diff diff = compare(sample(), after);
  EXPECT_FALSE(diff.moved());
  ASSERT_EQ(diff.warnings.size(), 2u);
  EXPECT_EQ(diff.warnings[0], "strategy: dvm => eager");
  EXPECT_EQ(diff.warnings[1], "parameters of the machine");
}

TEST(Diff, what_one_run_alone_has_measured_is_a_warning) {
  Record after = sample();
  after.path.clear();
  after.figures.push_back({"decode.low.cycles", 9});
  const Diff diff = compare(sample(), after);
  EXPECT_FALSE(diff.moved());
  ASSERT_EQ(diff.warnings.size(), 2u);
  EXPECT_EQ(diff.warnings[0], "decode: none => measured");
  EXPECT_EQ(diff.warnings[1], "critical path: measured => none");
}

TEST(Diff, json_holds_all_of_it) {
  Record after = sample();
  after.figures[1].value = 6.5;
  after.operators.pop_back();
  const auto json = nlohmann::json::parse(to_json(compare(sample(), after)));
  EXPECT_TRUE(json["moved"]);
  EXPECT_EQ(json["sections"][0]["rows"][0]["name"], "e2e_us");
  EXPECT_EQ(json["sections"][0]["rows"][0]["change"], 1);
  EXPECT_EQ(json["sections"][1]["rows"][0]["before"], 300);
  EXPECT_TRUE(json["sections"][1]["rows"][0]["after"].is_null());
}

}  // namespace
}  // namespace dvmsim
