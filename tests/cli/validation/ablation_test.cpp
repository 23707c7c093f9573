// Mechanisms and parameters switched and varied, on a machine whose cycles are a formula.
#include "cli/validation/ablation.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "cli/validation/sensitivity.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

double setting(const Words& words, const std::string& key) {
  double value = quantity_of(default_machine(), key)->number;
  for (const std::string& word : words) {
    if (word.starts_with(key + "=")) value = std::stod(word.substr(key.size() + 1));
  }
  return value;
}
/// The parameter, 1 being what it is by default.
double relative(const Words& words, const std::string& key) {
  return setting(words, key) / setting({}, key);
}
/// 110 by default.
Figures runner(const Words& words) {
  return {
      {"cycles", 100 + 20 * relative(words, "cube.head") - 10 * relative(words, "vector.fixed")}};
}
Table table() {
  return parse_table(
      "id,group,case,metric,measured,tolerance,gate\n"
      "A,g,run a,cycles,110,5%,\nB,h,run b,2*cycles,240,5%,\nC,h,run c,cycles,1,,listed\n",
      "t.csv");
}

TEST(Ablation, says_what_each_mechanism_buys) {
  Pool pool(runner, 0);
  const auto result = ablate(table(), {},
                             parse_mechanisms("- mechanism: head\n  off: [cube.head=0cycles]\n"
                                              "- mechanism: fixed\n"
                                              "  off: [vector.fixed=0cycles]\n"
                                              "- mechanism: none\n"
                                              "  off: [hbm.latency=0ns]\n",
                                              "m.yaml"),
                             pool);
  ASSERT_EQ(result.size(), 4u);
  EXPECT_EQ(result[0].name, "");
  ASSERT_EQ(result[0].groups.size(), 2u);  // gated ones only
  EXPECT_EQ(result[0].groups[0].median, 0);
  EXPECT_NEAR(result[1].groups[0].median, 20.0 / 110, 1e-9);
  EXPECT_EQ(result[1].worse, 2u);
  EXPECT_EQ(result[2].better, 1u);  // 2 * 120 is what B measured
  EXPECT_EQ(result[2].worse, 1u);
  EXPECT_EQ(result[3].worse + result[3].better, 0u);
  EXPECT_NE(print(result).find("(everything on)"), std::string::npos);
}

std::string complaint(const std::string& text) {
  try {
    (void)parse_mechanisms(text, "m.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Ablation, names_file_and_line_of_what_is_wrong) {
  EXPECT_TRUE(complaint("").starts_with("m.yaml:1: mechanisms: write a list"));
  EXPECT_TRUE(complaint("- x\n").starts_with("m.yaml:1: a mechanism: write"));
  EXPECT_TRUE(complaint("- mechanism: x\n").starts_with("m.yaml:1: a mechanism needs a name"));
  EXPECT_TRUE(complaint("- mechanism: x\n  on: [y]\n").starts_with("m.yaml:2: 'on': unknown"));
  EXPECT_TRUE(complaint("- mechanism: x\n  off: [cube.head=5]\n").starts_with("m.yaml:2: --set"));
  EXPECT_TRUE(
      complaint("- mechanism: x\n  off:\n    - cube.no=5\n").starts_with("m.yaml:3: --set"));
  EXPECT_TRUE(complaint("- [\n").starts_with("m.yaml:"));
}

TEST(Ablation, the_project_s_list_is_legal) {
  const std::string path = DVMSIM_SOURCE_DIR "/configs/validation/ablation.yaml";
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_GT(parse_mechanisms(text, path).size(), 20u);
}

TEST(Sensitivity, ranks_parameters_by_what_they_move) {
  Pool pool(runner, 2);
  const Table rows = table();
  const auto effects = sensitivity(
      rows, rows.rows[0], {}, [](const Words&) { return default_machine(); }, pool);
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].parameter.key, "cube.head");
  const Quantity& head = effects[0].parameter;
  EXPECT_NEAR(effects[0].more, (head.legal(head.number * 1.1) / head.number - 1) * 20 / 110, 1e-9);
  EXPECT_NEAR(effects[0].less, (head.legal(head.number * 0.9) / head.number - 1) * 20 / 110, 1e-9);
  EXPECT_EQ(effects[1].parameter.key, "vector.fixed");
  const std::string text = print(rows.rows[0], effects, 1);
  EXPECT_NE(text.find("cube.head"), std::string::npos);
  EXPECT_EQ(text.find("vector.fixed"), std::string::npos);
}

TEST(Quantity, every_parameter_reads_back_what_it_writes) {
  const Machine machine = default_machine();
  EXPECT_GT(quantities_of(machine).size(), 80u);
  for (const Quantity& quantity : quantities_of(machine)) {
    Machine changed = machine;
    apply_set(changed, quantity.assignment(quantity.number));
    EXPECT_EQ(hash_of(changed), hash_of(machine)) << quantity.key;
  }
  const auto size = quantity_of(machine, "ub.size");
  EXPECT_EQ(size->assignment(size->number * 1.1), "ub.size=216256B");
  EXPECT_EQ(quantity_of(machine, "cube.head")->assignment(51.6), "cube.head=52cycles");
  EXPECT_FALSE(quantity_of(machine, "l2.write_allocate"));
  EXPECT_THROW((void)quantity_of(machine, "no.key"), Error);
}

}  // namespace
}  // namespace dvmsim
