// What machines cost, and the expressions it is said in.
#include "cli/cost.h"

#include <gtest/gtest.h>

#include <fstream>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

double value_of(const std::string& text) {
  return Expression(text).value([](std::string_view name) -> double {
    if (name == "a.b") return 7;
    throw Error("no " + std::string(name));
  });
}

template <class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Expression, computes) {
  EXPECT_EQ(value_of("1 + 2 * 3 - 4 / 2"), 5);
  EXPECT_EQ(value_of("-(1 - 3) * a.b"), 14);
  EXPECT_EQ(value_of("min(3, 1 + 1, 9) + max(2, 5) + pow(2, 3) + sqrt(9) + log2(8) + ceil(1.2)"),
            2 + 5 + 8 + 3 + 3 + 2);
  EXPECT_EQ(value_of("192KiB / 1KiB"), 192);
  EXPECT_DOUBLE_EQ(value_of("1.8TB/s / 1GB/s + 1.85GHz / 1MHz + 5us / 1ns"), 1800 + 1850 + 5000);
  EXPECT_EQ(Expression("x + y * x").names(), (std::vector<std::string>{"x", "y"}));
}

TEST(Expression, refuses) {
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {"", "a number or a name is missing"},
           {"1 +", "a number or a name is missing"},
           {"(1", "a bracket is not closed"},
           {"1 2", "'2' is left over"},
           {"3parsec", "'parsec' begins with no unit"},
           {"twice(3)", "'twice': no such function"},
           {"sqrt(3, 4)", "sqrt: takes 1 arguments"},
           {"1 / 0", "a division by zero"},
           {"sqrt(0 - 1)", "no finite number"},
           {"c", "no c"},
           {std::string(100, '(') + "1", "too many brackets"}}) {
    EXPECT_NE(error_of([&] { (void)value_of(text); }).find(error), std::string::npos) << text;
  }
}

std::vector<DesignCost> costs_of(const std::string& text) {
  return read_costs(*parse_yaml("cost:\n" + text, "h.yaml").find("cost"));
}

TEST(Cost, is_the_sum_of_its_terms) {
  const auto costs = costs_of(
      "  area:\n    unit: mm2\n    cube: {value: cores.cube * 2, source: a page}\n"
      "    l2: {value: l2.size / 1MiB, source: 'assumed: round'}\n"
      "  power: {unit: W, all: {value: cost.area / 4 + hbm.peak / 1TB/s, source: a page}}\n");
  const Machine machine = default_machine();
  const auto values = values_of(costs, machine);
  EXPECT_DOUBLE_EQ(values[0].value, 48 + 192);
  EXPECT_DOUBLE_EQ(values[0].terms[1], 192);
  EXPECT_DOUBLE_EQ(values[1].value, 60 + 1.8);
  EXPECT_TRUE(costs[0].assumed());
  EXPECT_FALSE(costs[1].assumed());
}

TEST(Cost, names_file_and_line_of_what_is_wrong) {
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {"  area: {a: {value: \"1\", source: x}}\n", "h.yaml:2: area: add unit"},
           {"  area: {unit: mm2}\n", "h.yaml:2: area: add a term"},
           {"  area:\n    unit: mm2\n    a: {value: \"1\"}\n", "h.yaml:4: a: add source"},
           {"  area:\n    unit: mm2\n    a: {source: x}\n", "h.yaml:4: a: add value"},
           {"  area:\n    unit: mm2\n    a: {value: \"1 +\", source: x}\n",
            "h.yaml:4: value: a num"},
           {"  area:\n    unit: mm2\n    a: {value: ub.no, source: x}\n",
            "h.yaml:4: area.a: unknown key 'ub.no'"},
           {"  area:\n    unit: mm2\n    a: {value: firmware.memory, source: x}\n",
            "h.yaml:4: area.a: 'firmware.memory' is no number"},
           {"  area:\n    unit: mm2\n    a: {value: cost.power, source: x}\n",
            "h.yaml:4: area.a: 'cost.power': no such cost above"},
           {"  area:\n    unit: mm2\n    a: {value: \"1\", source: x, why: y}\n",
            "h.yaml:4: 'why': unknown"}}) {
    EXPECT_NE(error_of([&, t = text] { (void)costs_of(t); }).find(error), std::string::npos)
        << text << error_of([&, t = text] { (void)costs_of(t); });
  }
}

TEST(Cost, follows_base_in_hardware_files) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "base.yaml")
      << "cost:\n  area: {unit: mm2, a: {value: \"1\", source: x}}\n"
         "  power: {unit: W, a: {value: \"2\", source: x}}\n";
  std::ofstream(folder + "own.yaml")
      << "base: base.yaml\ncost:\n  power: {unit: W, a: {value: \"3\", source: x}}\n";
  EXPECT_EQ(load_machine(folder + "own.yaml").name, default_machine().name);
  const auto values = values_of(costs_of_file(folder + "own.yaml"), default_machine());
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0].value, 1);
  EXPECT_EQ(values[1].value, 3);
}

}  // namespace
}  // namespace dvmsim
