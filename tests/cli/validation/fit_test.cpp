// Search and cross-validation on a machine whose cycles are a formula: a + b * n.
#include "cli/validation/fit.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// The last "--set key=N..." of the words, or the machine's own.
double setting(const Words& words, const std::string& key) {
  double value = quantity_of(default_machine(), key)->number;
  for (const std::string& word : words) {
    if (word.starts_with(key + "=")) value = std::stod(word.substr(key.size() + 1));
  }
  return value;
}
/// "run N": vector.fixed + N * 60 / mte2.gm_to_ub cycles.
Figures runner(const Words& words) {
  return {{"cycles", setting(words, "vector.fixed") +
                         60 * std::stod(words[1]) / setting(words, "mte2.gm_to_ub")}};
}

/// What the machine would measure with these values.
Table planted(double fixed, double rate) {
  std::string text = "id,case,metric,measured,tolerance\n";
  for (const int n : {1, 5, 20, 50, 100, 300}) {
    text += "R" + std::to_string(n) + ",run " + std::to_string(n) + ",cycles," +
            std::to_string(fixed + 60 * n / rate) + ",5%\n";
  }
  return parse_table(text, "t.csv");
}
std::vector<FitParameter> both() {
  return {parse_fit_parameter("vector.fixed", default_machine()),
          parse_fit_parameter("mte2.gm_to_ub=30:120B/cycle", default_machine())};
}

TEST(Fit, recovers_planted_parameters) {
  Pool pool(runner, 0);
  const Fitted fitted = fit(planted(31, 80), {}, both(), {3, 60}, pool);
  EXPECT_EQ(fitted.values[0], 31);
  EXPECT_NEAR(fitted.values[1], 80, 1);
  EXPECT_LT(fitted.after.mean, 0.01);
  EXPECT_GT(fitted.before.mean, 0.1);
  ASSERT_EQ(fitted.folds.size(), 3u);
  EXPECT_EQ(fitted.held_out().rows, 6u);
  EXPECT_LT(fitted.held_out().mean, 0.02);
}

TEST(Fit, holds_rows_of_one_case_out_together_and_ignores_listed_ones) {
  const Table table = parse_table(
      "id,case,metric,measured,tolerance,gate\n"
      "A,run 1,cycles,24,5%,\nB,run 1,2*cycles,48,5%,\nC,run 2,cycles,25,5%,\n"
      "D,run 3,cycles,9999,,only listed\n",
      "t.csv");
  Pool pool(runner, 0);
  const Fitted fitted = fit(table, {}, both(), {2, 1}, pool);
  ASSERT_EQ(fitted.folds.size(), 2u);
  EXPECT_EQ(fitted.folds[0].held_out.rows, 2u);
  EXPECT_EQ(fitted.folds[0].train.rows, 1u);
  EXPECT_EQ(fitted.folds[1].held_out.rows, 1u);
  EXPECT_EQ(fitted.before.rows, 3u);
  EXPECT_TRUE(fit(table, {}, both(), {1, 1}, pool).folds.empty());
}

TEST(Fit, one_hopeless_row_does_not_decide) {
  Table table = planted(31, 80);
  table.rows[2].low = table.rows[2].high = 1e6;
  Pool pool(runner, 0);
  const Fitted fitted = fit(table, {}, both(), {1, 60}, pool);
  EXPECT_NEAR(fitted.values[0], 31, 1);
  EXPECT_NEAR(fitted.values[1], 80, 3);
}

TEST(Fit, the_file_it_writes_is_a_machine) {
  Pool pool(runner, 0);
  auto parameters = both();
  parameters.push_back(parse_fit_parameter("vector.rate.simple.b16", default_machine()));
  Fitted fitted = fit(planted(31, 80), {}, parameters, {1, 1}, pool);
  fitted.values = {31, 81.5, 64};
  const std::string yaml =
      to_yaml(fitted, parameters, {"vector.tail=9cycles"}, planted(31, 80), "", "mine");
  const Machine machine = parse_machine(yaml, "mine.yaml");
  EXPECT_EQ(machine.name, "mine");
  EXPECT_EQ(value_of(machine, "vector.fixed"), "31cycles");
  EXPECT_EQ(value_of(machine, "vector.tail"), "9cycles");
  EXPECT_EQ(value_of(machine, "vector.rate.simple.b16"), "64");
  EXPECT_EQ(value_of(machine, "mte2.gm_to_ub"), "81.5B/cycle");
  EXPECT_NE(yaml.find("# Fitted by dvmsim to t.csv"), std::string::npos);
  EXPECT_NE(print(fitted, parameters).find("vector.fixed"), std::string::npos);
}

std::string complaint(const std::string& parameter) {
  try {
    (void)parse_fit_parameter(parameter, default_machine());
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Fit, refuses_what_cannot_be_fitted) {
  EXPECT_TRUE(complaint("vector.no").starts_with("--parameter vector.no: unknown key"));
  EXPECT_TRUE(
      complaint("cube.unit_flag").ends_with("is not a number; fit numeric parameters only"));
  EXPECT_TRUE(complaint("vector.fixed=3").ends_with("write key=low:high"));
  EXPECT_TRUE(complaint("vector.fixed=3:x").ends_with("write a number of cycles"));
  EXPECT_NE(complaint("vector.fixed=5:3").find("nothing between the bounds"), std::string::npos);
  EXPECT_NE(complaint("hbm.efficiency=0.5:3").find("a bound is not possible"), std::string::npos);
  EXPECT_EQ(complaint("hbm.efficiency=0.5:1"), "accepted");
  Pool pool(runner, 0);
  const Table listed = parse_table("id,case,metric,measured\nA,run 1,cycles,24\n", "t.csv");
  EXPECT_THROW((void)fit(listed, {}, both(), {}, pool), Error);
}

TEST(Fit, robust_errors_join_smoothly) {
  EXPECT_DOUBLE_EQ(robust(0.05), 0.05 * 0.05 / 2);
  EXPECT_DOUBLE_EQ(robust(-0.02), 0.0002);
  EXPECT_DOUBLE_EQ(robust(1.05) - robust(0.55), 0.05 * 0.5);
}

}  // namespace
}  // namespace dvmsim
